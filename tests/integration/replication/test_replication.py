#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
"""A call server's copy of smgr: within a second, without smgr, after a gap, after kill -9."""
import http.client
import json
import os
import random
import select
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
import authority  # noqa: E402
import pg  # noqa: E402

ROLES = ("aura_admin", "aura_sm", "aura_cm", "aura_presence")


class UnixHTTP(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=5)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(5)
        self.sock.connect(self.path)


class Node:
    """One call server that follows smgr, outside a guest."""

    def __init__(self, cluster, name, port):
        self.name, self.port, self.cluster = name, port, cluster
        self.dir = tempfile.mkdtemp(prefix="aura-node-")
        self.db = f"{self.dir}/replica.db"
        self.sock = f"{self.dir}/m.sock"
        self.log = open(f"{self.dir}/log", "a+")
        self.more = []
        if name != "sm":  # what stands behind sm serves nobody without TLS
            cert, key = authority.Authority(self.dir).issue(name)
            for option, path in (("cert", cert), ("key", key), ("ca", f"{self.dir}/ca.pem")):
                self.more += ["--set", f"tls.{option}={path}"]
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [f"{pg.BIN}/aura-{self.name}", "--management", self.sock,
             "--set", f"node.smgr={self.cluster.url_as('aura_' + self.name)}", "--set", f"node.database={self.db}",
             "--set", f"sip.listen=127.0.0.1:{self.port}", *self.more],
            stdout=subprocess.PIPE, stderr=self.log, text=True, env=pg.ENV)
        ready, _, _ = select.select([self.process.stdout], [], [], 10)
        line = self.process.stdout.readline() if ready else ""
        assert line == "ready\n", (line, self.text())

    def text(self):
        self.log.flush()
        self.log.seek(0)
        return self.log.read()

    def get(self, path):
        conn = UnixHTTP(self.sock)
        conn.request("GET", path)
        answer = conn.getresponse()
        body = answer.read()
        conn.close()
        assert answer.status == 200, (path, answer.status, body)
        return json.loads(body) if body[:1] in b"[{" else body.decode()

    def version(self):
        return self.get("/health")["replica"]["version"]

    def state(self):
        return self.get("/health")["replica"]["state"]

    def handles(self):
        db = sqlite3.connect(f"file:{self.db}?mode=ro", uri=True, timeout=5)
        try:
            return sorted(json.loads(d)["handle"] for (d,) in
                          db.execute("SELECT doc FROM replica_row WHERE row_set = 'users'"))
        finally:
            db.close()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()

    def stop(self):
        self.process.terminate()
        status = self.process.wait(10)
        self.process.stdout.close()
        assert "Sanitizer" not in self.text(), self.text()
        assert status == 0, (status, self.text())

    def close(self):
        if self.process.poll() is None:
            self.stop()
        self.log.close()
        shutil.rmtree(self.dir)


class Replication(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.c = pg.Cluster()
        assert "value" in cls.c.uc("migrate")
        cls.c.allow(*ROLES)
        cls.number = 1000

    @classmethod
    def tearDownClass(cls):
        cls.c.close()

    def node(self, name, port):
        node = Node(self.c, name, port)
        self.addCleanup(node.close)
        return node

    def add(self, **more):
        Replication.number += 1
        handle = str(Replication.number)
        answer = self.c.uc("create", dict(handle=handle, name="n", password="secret word", **more))
        self.assertIn("value", answer)
        return handle

    def smgr_handles(self):
        return sorted(self.c.psql("SELECT handle FROM users").split())

    def smgr_version(self, node):
        return int(self.c.psql(f"SELECT max(version) FROM replica.versions WHERE node = '{node}'"))

    def in_sync(self, node):
        return node.version() == self.smgr_version(node.name)

    def test_a_change_is_there_within_a_second(self):
        sm = self.node("sm", 15060)
        pg.eventually(lambda: self.in_sync(sm), 3, "first copy")
        for _ in range(3):
            handle = self.add()
            took = pg.eventually(lambda: handle in sm.handles(), 1, "new user")
            self.assertLess(took, 1)
        self.c.uc("delete", handle, "0")
        pg.eventually(lambda: handle not in sm.handles(), 1, "deleted user")
        pg.eventually(lambda: "in_sync" in self.c.psql(
            "SELECT CASE WHEN version = (SELECT max(version) FROM replica.versions WHERE node = 'sm')"
            " THEN 'in_sync' END FROM replica.node_report WHERE node = 'sm'"), 3, "report")

    def test_each_server_takes_a_user_of_a_named_sequence(self):
        """presence copies no sequences: the name must not stop it."""
        nodes = [self.node(name, 15060 + n) for n, name in enumerate(("sm", "cm", "presence"))]
        self.c.psql("INSERT INTO application_sequences (name) VALUES ('named')")
        handle = self.add(sip={"sequence": "named"}, station={"extension": "7001"})
        for node in nodes:
            pg.eventually(lambda: handle in node.handles() and self.in_sync(node), 3, node.name)
            self.assertEqual(node.state(), "in_sync", node.name)
            self.assertNotIn("replica.disconnected", node.text(), node.name)
            node.stop()
            node.start()  # from its own file
        self.c.uc("delete", handle, "0")
        for node in nodes:
            pg.eventually(lambda: handle not in node.handles(), 3, node.name)
        self.c.psql("DELETE FROM application_sequences WHERE name = 'named'")

    def test_it_starts_and_works_without_smgr_and_catches_up(self):
        sm = self.node("sm", 15060)
        first = self.add()
        pg.eventually(lambda: first in sm.handles(), 3, "first user")
        sm.stop()
        self.c.stop()
        try:
            sm.start()
            self.assertIn(first, sm.handles())
            self.assertGreater(sm.version(), 0)
            self.assertTrue(sm.get("/health")["ready"])
            pg.eventually(lambda: sm.state() == "unreachable", 3, "state")
            self.assertIn("no connection to the database", sm.get("/health")["replica"]["last_error"])
        finally:
            self.c.start()
        second = self.add()
        pg.eventually(lambda: second in sm.handles(), 6, "catching up")
        pg.eventually(lambda: sm.state() == "in_sync", 3, "state")
        self.assertEqual(sm.handles(), self.smgr_handles())

    def test_a_silent_smgr_holds_nobody_up(self):
        sm = self.node("sm", 15060)
        pg.eventually(lambda: self.in_sync(sm), 3, "in sync")
        users = len(sm.handles())
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.c.pid)], capture_output=True, text=True).stdout
        frozen = [self.c.pid] + [int(p) for p in children.split()]
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        try:
            began = time.monotonic()
            for _ in range(20):
                sm.get("/health")
                time.sleep(0.1)
            self.assertLess(time.monotonic() - began, 4)
            began = time.monotonic()
            sm.stop()
            self.assertLess(time.monotonic() - began, 5)
            sm.start()
            self.assertEqual(len(sm.handles()), users)
        finally:
            for pid in frozen:
                try:
                    os.kill(pid, signal.SIGCONT)
                except ProcessLookupError:
                    pass
        new = self.add()
        pg.eventually(lambda: new in sm.handles(), 12, "catching up")

    def test_deletes_in_a_gap_are_learnt(self):
        sm = self.node("sm", 15060)
        gone, stays = self.add(), self.add()
        pg.eventually(lambda: stays in sm.handles(), 3, "users")
        sm.kill()
        self.c.uc("delete", gone, "0")
        new = self.add()
        sm.start()
        pg.eventually(lambda: new in sm.handles(), 3, "new user")
        self.assertNotIn(gone, sm.handles())
        self.assertEqual(sm.handles(), self.smgr_handles())

    def test_killed_at_any_moment_it_stays_consistent(self):
        sm = self.node("sm", 15060)
        dice = random.Random(7)
        for _ in range(6):
            for _ in range(dice.randrange(1, 4)):
                self.add()
            time.sleep(dice.random() * 0.15)
            sm.kill()
            db = sqlite3.connect(sm.db)
            self.assertEqual(db.execute("PRAGMA integrity_check").fetchone()[0], "ok")
            # rows and the version of their set were written in one transaction
            row = db.execute("SELECT max(version) FROM replica_row WHERE row_set = 'users'").fetchone()[0]
            known = db.execute("SELECT version FROM replica_set WHERE row_set = 'users'").fetchone()
            self.assertLessEqual(row or 0, known[0] if known else 0)
            db.close()
            sm.start()
        pg.eventually(lambda: self.in_sync(sm), 5, "in sync")
        self.assertEqual(sm.handles(), self.smgr_handles())

    def test_a_smgr_restored_from_a_backup_wins(self):
        sm = self.node("sm", 15060)
        self.add()
        pg.eventually(lambda: self.in_sync(sm), 3, "in sync")
        dump = subprocess.run(["pg_dump", "-h", f"{self.c.dir}/run", "-U", "aurabox", "--clean", "uc"],
                              capture_output=True, text=True, check=True).stdout
        lost = self.add()
        pg.eventually(lambda: lost in sm.handles(), 3, "user that will be lost")
        subprocess.run(["psql", "-X", "-q", "-h", f"{self.c.dir}/run", "-U", "aurabox", "-d", "uc"], input=dump,
                       capture_output=True, text=True, check=True)
        pg.eventually(lambda: lost not in sm.handles(), 5, "the old state")
        self.assertEqual(sm.handles(), self.smgr_handles())

    def test_each_node_holds_only_its_rows(self):
        self.add()
        cm = self.node("cm", 15070)
        pg.eventually(lambda: self.in_sync(cm), 3, "in sync")
        with open(cm.db, "rb") as file, open(cm.db + "-wal", "rb") as wal:
            self.assertNotIn(self.c.psql("SELECT ha1_md5 FROM users LIMIT 1").encode(), file.read() + wal.read())

    def test_records_wait_for_smgr_and_arrive_once(self):
        cm = self.node("cm", 15070)
        cm.stop()
        self.c.stop()
        try:
            db = sqlite3.connect(cm.db)
            for gsid in ("r1", "r2"):
                call = dict(gsid=gsid, half="call", caller="1", callee="2", started_at="2026-11-21T10:00:00Z",
                            answered_at=None, ended_at="2026-11-21T10:00:05Z", duration_s=0, result="no_answer",
                            sip_status=480)
                bad = dict(gsid=gsid, half="nonsense")
                for doc in (bad, call, dict(gsid=gsid, half="orig", phase="imsorig")):
                    db.execute("INSERT INTO record (gsid, half, doc) VALUES (?, ?, ?)",
                               (gsid, doc["half"], json.dumps(doc)))
            db.commit()
            db.close()
            cm.start()
            self.assertEqual(len(cm.get("/v1/records")["items"]), 6)
        finally:
            self.c.start()
        pg.eventually(lambda: self.c.psql("SELECT count(*) FROM call_record WHERE gsid IN ('r1', 'r2')") == "2", 8,
                      "calls")
        pg.eventually(lambda: [r["half"] for r in cm.get("/v1/records")["items"]] == ["nonsense"] * 2, 3,
                      "what was refused is kept, what arrived is not")
        self.assertEqual(self.c.psql("SELECT count(*) FROM call_half WHERE gsid IN ('r1', 'r2')"), "2")


if __name__ == "__main__":
    unittest.main(verbosity=2)
