#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
"""The database uc: migrations at once, constraints, versions, privileges, users, records."""
import base64
import concurrent.futures
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import pg  # noqa: E402

EIO, ENOENT, EEXIST, EINVAL, ESTALE = -5, -2, -17, -22, -116


class Uc(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.c = pg.Cluster()
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            cls.starts = list(pool.map(lambda _: cls.c.uc("migrate"), range(6)))
        cls.c.allow("aura_admin", "aura_sm", "aura_cm", "aura_presence")

    @classmethod
    def tearDownClass(cls):
        cls.c.close()

    def setUp(self):
        self.c.psql("DELETE FROM users; DELETE FROM call_record; DELETE FROM call_half")

    def make(self, handle, **more):
        body = dict(dict(handle=handle, name="Person " + handle, password="pass " + handle), **more)
        return self.c.uc("create", body)

    def ok(self, answer):
        self.assertIn("value", answer, answer)
        return answer["value"]

    def refused(self, answer, code, field=None):
        self.assertEqual(answer.get("error"), code, answer)
        if field is not None:
            self.assertEqual(answer["field"], field)

    def test_concurrent_starts_migrate_once(self):
        for answer in self.starts:
            self.ok(answer)
        files = sorted(f for f in os.listdir(pg.SQL) if f.endswith(".sql"))
        self.assertEqual(self.c.psql("SELECT string_agg(name, ',' ORDER BY number) FROM schema_migration"),
                         ",".join(files))
        self.assertEqual(self.c.psql("SELECT count(*) FROM settings"), "1")
        self.assertEqual(self.c.psql("SELECT count(*) FROM sip_entities"), "3")

    def test_the_owner_of_the_database_can_migrate_without_being_superuser(self):
        self.c.psql("CREATE DATABASE uc_owned OWNER aura_admin")
        self.addCleanup(self.c.psql, "DROP DATABASE uc_owned")
        self.assertEqual(self.c.psql("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = 'aura_admin'"), "f")
        url = self.c.url_as("aura_admin").replace("dbname=uc", "dbname=uc_owned")
        self.ok(pg.tool_raw(url, pg.SQL, "migrate"))
        self.ok(pg.tool_raw(url, pg.SQL, "create", json.dumps(dict(handle="1", name="n", password="p"))))
        self.assertEqual(self.c.psql("SELECT count(*) FROM replica.sm_rows WHERE row_set = 'users'", role="aura_sm",
                                     database="uc_owned"), "1")

    def test_a_migration_is_whole_or_not_at_all(self):
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        for name in os.listdir(pg.SQL):
            shutil.copy(os.path.join(pg.SQL, name), folder)
        count = len([n for n in os.listdir(folder) if n.endswith(".sql")])
        path = os.path.join(folder, f"{count + 1:04}_broken.sql")
        with open(path, "w") as file:
            file.write("CREATE TABLE half_done (a int);\nSELECT nothing FROM nowhere;\n")
        answer = self.c.uc("migrate", sql=folder)
        self.assertIn("_broken.sql", answer["detail"])
        self.assertEqual(self.c.psql("SELECT to_regclass('half_done') IS NULL"), "t")
        os.rename(path, os.path.join(folder, f"{count + 2:04}_gap.sql"))
        self.refused(self.c.uc("migrate", sql=folder), EINVAL)
        os.remove(os.path.join(folder, f"{count + 2:04}_gap.sql"))
        with open(os.path.join(folder, sorted(os.listdir(folder))[0]), "a") as file:
            file.write("-- edited\n")
        self.assertIn("has changed", self.c.uc("migrate", sql=folder)["detail"])

    def test_every_table_says_what_it_is(self):
        self.assertEqual(self.c.psql(
            "SELECT string_agg(c.oid::regclass::text, ',') FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
            " WHERE relkind = 'r' AND nspname IN ('public', 'replica', 'record')"
            " AND obj_description(c.oid, 'pg_class') IS NULL"), "")

    def test_one_post_makes_everything(self):
        user = self.ok(self.make("3001"))
        self.assertEqual((user["handle"], user["name"]), ("3001", "Person 3001"))
        self.assertEqual(user["sip"]["max_contacts"], 10)
        self.assertEqual(user["station"], {"extension": "3001", "appearances": 3, "restrict_last_appearance": False})
        self.assertEqual(user["presence"], {"enabled": True})
        self.assertRegex(user["id"], r"^[0-9a-f]{8}-[0-9a-f]{4}-7")
        self.assertRegex(user["created_at"], r"^\d{4}-\d\d-\d\dT[\d:.]+Z$")
        self.assertNotIn("password", user)
        ha1 = self.c.psql("SELECT ha1_md5, ha1_sha256 FROM users").split("|")
        text = b"3001:aurabox.internal:pass 3001"
        self.assertEqual(ha1, [hashlib.md5(text).hexdigest(), hashlib.sha256(text).hexdigest()])
        dump = subprocess.run(["pg_dump", "-h", f"{self.c.dir}/run", "-U", "aurabox", "uc"], capture_output=True,
                              text=True, check=True).stdout
        self.assertNotIn("pass 3001", dump)

    def test_sections_that_are_null_are_left_out(self):
        user = self.ok(self.make("3002", station=None, presence=None))
        self.assertIsNone(user["station"])
        self.assertIsNone(user["presence"])
        self.assertIsNone(self.ok(self.make("ada"))["station"])
        self.refused(self.make("bob", station={}), EINVAL, "/station/extension")

    def test_bad_input_is_named(self):
        self.refused(self.c.uc("create", {"name": "x"}), EINVAL, "/handle")
        self.refused(self.c.uc("create", {"handle": "3001", "name": "x"}), EINVAL, "/password")
        self.refused(self.make("3001", sip={"max_contacts": 0}), EINVAL, "/sip/max_contacts")
        self.refused(self.make("3001", station={"extension": "30a"}), EINVAL, "/station/extension")
        self.refused(self.make("3001", sip={"sequence": "nowhere"}), EINVAL, "/sip/sequence")
        self.refused(self.make("3001", colour="red"), EINVAL, "/colour")
        self.refused(self.make("a\u0085b"), EINVAL, "/handle")
        for handle in ("a/b", "a%b", "a b", "a\u0007", "", "x" * 65, "01890a5d-ac96-774b-bcce-b302099a8057"):
            self.refused(self.make(handle), EINVAL, "/handle")
        self.assertEqual(self.c.psql("SELECT count(*) FROM users"), "0")

    def test_duplicates_are_refused_and_leave_nothing(self):
        self.ok(self.make("3001"))
        self.refused(self.make("3001"), EEXIST, "/handle")
        self.refused(self.make("3005", station={"extension": "3001"}), EEXIST, "/station/extension")
        self.assertEqual(self.c.psql("SELECT count(*) FROM users"), "1")

    def test_patch_changes_what_it_names(self):
        first = self.make("3001")
        answer = self.c.uc("patch", "3001", str(first["version"]), {"name": "Ada", "station": {"appearances": 5}})
        user = self.ok(answer)
        self.assertEqual((user["name"], user["station"]["appearances"]), ("Ada", 5))
        self.assertEqual(user["station"]["extension"], "3001")
        self.assertGreater(answer["version"], first["version"])
        self.refused(self.c.uc("patch", "3001", str(first["version"]), {"name": "Eve"}), ESTALE)
        self.assertIsNone(self.ok(self.c.uc("patch", "3001", "0", {"station": None}))["station"])
        self.assertEqual(self.ok(self.c.uc("patch", "3001", "0", {"station": {}}))["station"]["extension"], "3001")
        self.refused(self.c.uc("patch", "3001", "0", {"name": None}), EINVAL, "/name")
        self.refused(self.c.uc("patch", "3001", "0", {"id": "x"}), EINVAL, "/id")
        self.refused(self.c.uc("patch", "3001", "0", []), EINVAL, "")
        self.ok(self.c.uc("patch", "3001", "0", {"id": user["id"]}))
        self.assertEqual(self.ok(self.c.uc("get", user["id"].upper()))["handle"], "3001")
        self.refused(self.c.uc("patch", "9999", "0", {"name": "x"}), ENOENT)

    def test_a_new_handle_needs_the_password(self):
        self.ok(self.make("3001"))
        self.refused(self.c.uc("patch", "3001", "0", {"handle": "3009"}), EINVAL, "/password")
        self.ok(self.c.uc("patch", "3001", "0", {"handle": "3009", "password": "new"}))
        self.assertEqual(self.c.psql("SELECT ha1_md5 FROM users"),
                         hashlib.md5(b"3009:aurabox.internal:new").hexdigest())

    def test_a_new_domain_makes_old_secrets_void(self):
        self.ok(self.make("3001"))
        before = int(self.c.psql("SELECT version FROM users"))
        self.c.psql("UPDATE settings SET domain = 'example.org'")
        try:
            self.assertEqual(self.c.psql("SELECT doc ->> 'ha1' FROM replica.sm_rows WHERE row_set = 'users'"
                                         " AND NOT deleted"), "{}")
            self.assertGreater(int(self.c.psql("SELECT version FROM users")), before)
        finally:
            self.c.psql("UPDATE settings SET domain = 'aurabox.internal'")

    def test_a_delete_leaves_no_orphan(self):
        user = self.ok(self.make("3001"))
        self.ok(self.c.uc("delete", "3001", "0"))
        for table in ("users", "stations", "presence_profiles"):
            self.assertEqual(self.c.psql(f"SELECT count(*) FROM {table}"), "0")
            self.assertEqual(self.c.psql(f"SELECT count(*) FROM replica.tombstone WHERE row_set = '{table}'"
                                         f" AND key = '{user['id']}'"), "1")
        self.refused(self.c.uc("delete", "3001", "0"), ENOENT)
        self.refused(self.c.uc("get", user["id"]), ENOENT)

    def test_lists_go_by_key(self):
        for i in range(7):
            self.ok(self.make(f"40{i:02}"))
        first = self.ok(self.c.uc("list", "limit=3&count=true"))
        self.assertEqual([u["handle"] for u in first["items"]], ["4000", "4001", "4002"])
        self.assertEqual(first["total"], 7)
        self.ok(self.c.uc("delete", "4002", "0"))
        self.ok(self.make("39"))
        rest = self.ok(self.c.uc("list", "limit=500&cursor=" + first["next_cursor"]))
        self.assertEqual([u["handle"] for u in rest["items"]], ["4003", "4004", "4005", "4006"])
        self.assertIsNone(rest["next_cursor"])
        self.assertEqual(len(self.ok(self.c.uc("list", "q=pERSON 4003"))["items"]), 1)
        self.assertEqual(len(self.ok(self.c.uc("list", "q=%"))["items"]), 0)

    def walk(self, verb, asked):
        """All pages of two."""
        items, cursor = [], ""
        while cursor is not None:
            page = self.ok(self.c.uc(verb, asked + "&limit=2" + (f"&cursor={cursor}" if cursor else "")))
            self.assertLessEqual(len(page["items"]), 2)
            items += page["items"]
            cursor = page["next_cursor"]
        return items

    def test_lists_are_ordered_by_what_is_asked(self):
        names = {"4000": "Zoe", "4001": "ada", "4002": "Zoe", "4003": "\u00c9mile", "4004": "Zoe", "ann": "Bob"}
        for handle, name in names.items():
            self.ok(self.make(handle, name=name))
        users = self.walk("list", "sort=handle")
        self.assertEqual([u["handle"] for u in users], sorted(names))

        def by_name(reverse):
            return sorted(names, key=lambda h: (names[h].encode(), h.encode()), reverse=reverse)
        self.assertEqual([u["handle"] for u in self.walk("list", "sort=name")], by_name(False))
        self.assertEqual([u["handle"] for u in self.walk("list", "sort=-name")], by_name(True))
        mixed = sorted(sorted(names, reverse=True), key=lambda h: names[h].encode())
        self.assertEqual([u["handle"] for u in self.walk("list", "sort=name,-handle")], mixed)
        self.assertEqual([u["handle"] for u in self.walk("list", "sort=extension")], ["ann"] + sorted(names)[:5])
        self.assertEqual([u["handle"] for u in self.walk("list", "sort=-created_at")], list(names)[::-1])
        self.assertEqual([u["handle"] for u in self.walk("list", "q=\u00e9MI")], ["4003"])
        self.assertEqual([u["handle"] for u in self.walk("list", "q=zoe&name=Zoe&sort=-handle")],
                         ["4004", "4002", "4000"])

    def test_lists_refuse_what_they_do_not_know(self):
        self.ok(self.make("3001"))
        self.ok(self.make("3002"))
        cursor = self.ok(self.c.uc("list", "limit=1&sort=-created_at"))["next_cursor"]
        for asked, parameter in (("sort=password", "sort"), ("sort=handle,handle", "sort"), ("sort=,", "sort"),
                                 ("sort=--name", "sort"), ("limit=0", "limit"), ("limit=501", "limit"),
                                 ("color=red", "color"), ("created_at.gte=2026-01-01T00:00:00Z", "created_at.gte"),
                                 ("count=1", "count"), ("q=a&q=b", "q"), ("cursor=AAAA", "cursor"),
                                 ("sort=created_at&cursor=" + cursor, "cursor"),
                                 ("sort=-created_at&q=3&cursor=" + cursor, "cursor")):
            answer = self.c.uc("list", asked)
            self.assertEqual((answer.get("error"), answer.get("field")), (EINVAL, parameter), asked)
        for asked, parameter in (("result=odd", "result"), ("result=busy,", "result"),
                                 ("started_at.gte=yesterday", "started_at.gte"), ("started_at=2026", "started_at")):
            answer = self.c.uc("cdr", asked)
            self.assertEqual((answer.get("error"), answer.get("field")), (EINVAL, parameter), asked)
        made_up = base64.urlsafe_b64encode(
            base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).split(b"\0")[0] + b"\0now-ish\0x\0")
        answer = self.c.uc("list", "sort=-created_at&cursor=" + made_up.decode().rstrip("="))
        self.assertEqual((answer.get("error"), answer.get("field")), (EINVAL, "cursor"))

    def test_versions_come_in_the_order_of_commits(self):
        """A transaction that began first but commits last has the higher number."""
        errors = []

        def write(n):
            for i in range(10):
                answer = self.make(f"{n}{i:03}")
                if "value" not in answer:
                    errors.append(answer)

        seen, stop = [], threading.Event()

        def follow():
            since = -1
            while not stop.is_set():
                rows = self.c.psql("SELECT key, version FROM replica.sm_rows WHERE row_set = 'users' AND NOT deleted"
                                   f" AND version > {since}")
                for row in rows.split():
                    seen.append(row.split("|")[0])
                    since = max(since, int(row.split("|")[1]))

        reader = threading.Thread(target=follow)
        reader.start()
        writers = [threading.Thread(target=write, args=(n,)) for n in (5, 6, 7)]
        [t.start() for t in writers]
        [t.join() for t in writers]
        time.sleep(0.3)
        stop.set()
        reader.join()
        self.assertEqual(errors, [])
        self.assertEqual(sorted(seen), sorted(self.c.psql("SELECT id FROM users").split()))

    def test_each_role_reads_its_rows_and_nothing_else(self):
        self.ok(self.make("3001"))
        for role in ("sm", "cm", "presence"):
            for other in ("sm", "cm", "presence"):
                code, out, err = self.c.psql(f"SELECT doc FROM replica.{other}_rows WHERE row_set = 'users'"
                                             " AND NOT deleted", role=f"aura_{role}", check=False)
                self.assertEqual(code == 0, role == other, (role, other, err))
                if role == other:
                    self.assertEqual("ha1" in json.loads(out), role == "sm")
            for sql in ("SELECT * FROM users", "SELECT * FROM public.users", "SELECT * FROM replica.all_rows",
                        "DELETE FROM replica.node_report", "SELECT replica.bump('users')", "CREATE TABLE t (a int)",
                        "SELECT * FROM public.call_record", "UPDATE replica.counter SET version = 0"):
                code, _, err = self.c.psql(sql, role=f"aura_{role}", check=False)
                self.assertNotEqual(code, 0, (role, sql))
            self.c.psql(f"SELECT replica.report('{role}', 5, NULL)", role=f"aura_{role}")
            code, _, err = self.c.psql("SELECT replica.report('%s', 5, NULL)" % ("cm" if role == "sm" else "sm"),
                                       role=f"aura_{role}", check=False)
            self.assertNotEqual(code, 0)
            code, _, err = self.c.psql("""SELECT record.put('{"gsid":"g","half":"orig"}')""", role=f"aura_{role}",
                                       check=False)
            self.assertEqual(code == 0, role == "cm", err)

    def test_records_are_idempotent(self):
        call = dict(gsid="g1", half="call", caller="3001", callee="3002", started_at="2026-11-21T10:00:00.5Z",
                    answered_at="2026-11-21T10:00:01Z", ended_at="2026-11-21T10:00:11Z", duration_s=10,
                    result="answered", sip_status=200)
        halves = [dict(gsid="g1", half=h, phase=p, handle=u) for h, p, u in
                  (("orig", "imsorig", "3001"), ("term", "imsterm", "3002"))]
        for record in [halves[0], call, halves[1]] * 3:
            self.c.psql("SELECT record.put('%s')" % json.dumps(record), role="aura_cm")
        for i in range(3):
            self.c.psql("SELECT record.put('%s')" % json.dumps(dict(call, gsid=f"h{i}", answered_at=None, duration_s=0,
                                                                    result="busy", sip_status=486)), role="aura_cm")
        page = self.ok(self.c.uc("cdr", "limit=3"))
        self.assertEqual([i["gsid"] for i in page["items"]], ["h2", "h1", "h0"])
        page = self.ok(self.c.uc("cdr", "limit=3&cursor=" + page["next_cursor"]))
        self.assertIsNone(page["next_cursor"])
        item = page["items"][0]
        self.assertEqual(self.ok(self.c.uc("record", "g1")), item)
        self.refused(self.c.uc("record", "g"), ENOENT)
        self.assertEqual((item["gsid"], item["duration_s"], item["result"]), ("g1", 10, "answered"))
        self.assertEqual(item["started_at"], "2026-11-21T10:00:00.500Z")
        self.assertEqual([h["phase"] for h in item["halves"]], ["imsorig", "imsterm"])
        for bad in ({}, dict(call, result="odd"), dict(call, started_at=None), dict(gsid="g", half="middle")):
            self.assertNotEqual(self.c.psql("SELECT record.put('%s')" % json.dumps(bad), role="aura_cm",
                                            check=False)[0], 0)

    def test_records_are_found_and_counted(self):
        for i, (caller, callee, result) in enumerate((("3001", "3002", "answered"), ("3003", "3001", "busy"),
                                                      ("3002", "3003", "failed"), ("3001", "9", "answered"))):
            self.c.psql("SELECT record.put('%s')" % json.dumps(dict(
                gsid=f"g{i}", half="call", caller=caller, callee=callee, started_at=f"2026-11-21T10:{i * 10:02}:00Z",
                answered_at=f"2026-11-21T10:{i * 10:02}:01Z" if result == "answered" else None,
                ended_at="2026-11-21T11:00:00Z", duration_s=5 if result == "answered" else 0, result=result,
                sip_status=200)), role="aura_cm")

        def found(asked):
            return [c["gsid"] for c in self.walk("cdr", asked)]
        self.assertEqual(found("sort=started_at"), ["g0", "g1", "g2", "g3"])
        self.assertEqual(found("handle=3001"), ["g3", "g1", "g0"])
        self.assertEqual(found("caller=3001"), ["g3", "g0"])
        self.assertEqual(found("result=busy,failed"), ["g2", "g1"])
        self.assertEqual(found("q=300"), ["g3", "g2", "g1", "g0"])
        self.assertEqual(found("q=9"), ["g3"])
        self.assertEqual(found("gsid=g2"), ["g2"])
        self.assertEqual(found("started_at.gte=2026-11-21T10:10:00Z&started_at.lt=2026-11-21T11:30:00%2B01:00"
                               .replace("%2B", "+")), ["g2", "g1"])
        at = 1795255200000  # 2026-11-21T10:00:00Z
        summary = self.ok(self.c.uc("summary", str(at), str(at + 3600000), "1200"))
        self.assertEqual((summary["from"], summary["to"], summary["step_s"]),
                         ("2026-11-21T10:00:00.000Z", "2026-11-21T11:00:00.000Z", 1200))
        self.assertEqual([(b["at"][11:16], b["attempts"], b["answered"], b["busy"], b["failed"], b["talk_s"])
                          for b in summary["buckets"]],
                         [("10:00", 2, 1, 1, 0, 5), ("10:20", 2, 1, 0, 1, 5), ("10:40", 0, 0, 0, 0, 0)])
        summary = self.ok(self.c.uc("summary", str(at), str(at + 1000), "900"))
        self.assertEqual([b["attempts"] for b in summary["buckets"]], [1])

    def test_export_hides_secrets_unless_asked(self):
        self.ok(self.make("3001"))
        plain = self.ok(self.c.uc("export", "plain"))
        self.assertNotIn("ha1", json.dumps(plain))
        full = self.ok(self.c.uc("export", "secrets"))
        self.assertRegex(full["users"][0]["ha1"]["md5"], "^[0-9a-f]{32}$")
        self.assertEqual(full["domain"], "aurabox.internal")
        self.assertEqual([e["name"] for e in full["sip_entities"]], ["cm", "presence", "sm"])
        self.assertEqual(full["application_sequences"][0]["entities"], [{"name": "cm", "mandatory": True}])
        self.assertEqual({d["type"] for d in full["dial_plan"]}, {"extension"})

    def test_replication_knows_who_is_behind(self):
        self.ok(self.make("3001"))
        self.c.psql("DELETE FROM replica.node_report")
        states = {i["node"]: i for i in self.ok(self.c.uc("replication"))}
        self.assertEqual(states["sm"]["state"], "unreachable")
        self.c.psql(f"SELECT replica.report('sm', {states['sm']['smgr_version']}, NULL)")
        self.c.psql("SELECT replica.report('cm', 1, 'slow')")
        states = {i["node"]: i for i in self.ok(self.c.uc("replication"))}
        self.assertEqual((states["sm"]["state"], states["sm"]["lag_ms"]), ("in_sync", 0))
        self.assertEqual((states["cm"]["state"], states["cm"]["last_error"]), ("lagging", "slow"))
        self.assertGreater(states["cm"]["lag_ms"], 0)


class Cluster(unittest.TestCase):
    def test_it_is_adopted_and_survives_a_kill(self):
        c = pg.Cluster("aurabox")
        self.addCleanup(c.close)
        self.assertEqual(c.psql("SHOW server_encoding"), "UTF8")
        self.assertEqual(c.psql("SHOW listen_addresses"), "")
        self.assertEqual(c.psql("SHOW fsync"), "on")
        self.assertEqual(c.psql("SHOW data_checksums"), "on")
        c.psql("CREATE TABLE kept (a int); INSERT INTO kept VALUES (1)")
        pid = c.pid
        c.start()
        self.assertEqual(c.pid, pid)
        c.kill()
        c.start()
        self.assertNotEqual(c.pid, pid)
        self.assertEqual(c.psql("SELECT a FROM kept"), "1")

    def test_half_an_initdb_is_no_cluster(self):
        c = pg.Cluster("aurabox")
        self.addCleanup(c.close)
        c.stop()
        shutil.rmtree(f"{c.dir}/db")
        os.makedirs(f"{c.dir}/db.new/base")
        with open(f"{c.dir}/db.new/PG_VERSION", "w") as file:
            file.write("15\n")
        c.start()
        self.assertEqual(c.psql("SELECT 1"), "1")


if __name__ == "__main__":
    unittest.main(verbosity=2)
