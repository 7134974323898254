#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 240
"""Lists of the administration that are kept: never older than the question, whoever wrote and however; not across
questions and rights; nothing of them when the database is away, was restored, or has gone another way since."""
import subprocess
import threading
import time

from daemon import Daemon, equal, wait_for
from smgr import Smgr, run

USERS = "/uc/users?limit=500&q=kept"


def figures(d):
    found = {}
    for line in d.root.get("/metrics").raw.decode().splitlines():
        if line.startswith("aurabox_uc_"):
            name, value = line.split()
            found[name[len("aurabox_uc_"):]] = int(value)
    return found


def names(caller, path=USERS):
    answer = caller.get(path)
    equal(answer.status, 200, answer)
    return sorted(u["name"] for u in answer.json["items"])


def made(d, path, body):
    answer = d.root.post(path, body)
    equal(answer.status, 201, answer)
    return answer.json


def is_read_once(d, smgr):
    made(d, "/uc/users", {"handle": "6001", "name": "kept one", "password": "x"})
    first = d.root.get(USERS)
    before = figures(d)
    for _ in range(5):
        again = d.root.get(USERS)
        equal((again.status, again.raw), (200, first.raw))
        equal(again.headers["Content-Type"], first.headers["Content-Type"])
    after = figures(d)
    equal(after["pages_read_total"], before["pages_read_total"])
    equal(after["pages_kept_total"], before["pages_kept_total"] + 5)
    assert after["state_looks_total"] > before["state_looks_total"]
    assert after["pages"] >= 1 and after["pages_bytes"] >= len(first.raw), after


def own_writes_are_seen(d, smgr):
    for i in range(5):
        user = made(d, "/uc/users", {"handle": "61%02d" % i, "name": "kept new %d" % i, "password": "x"})
        assert "kept new %d" % i in names(d.root)
        etag = d.root.get("/uc/users/" + user["id"]).headers["ETag"]
        equal(d.root.patch("/uc/users/" + user["id"], {"name": "kept newer"}, etag=etag).status, 200)
        assert "kept newer" in names(d.root) and "kept new %d" % i not in names(d.root)
        equal(d.root.delete("/uc/users/" + user["id"]).status, 204)
        equal(names(d.root), ["kept one"])


def writes_of_others_are_seen(d, smgr):
    """Each table that an item is made of, also those that it is only joined with."""
    smgr.psql("INSERT INTO application_sequences (name) VALUES ('other');"
              "INSERT INTO locations (name) VALUES ('here');"
              "UPDATE users SET sequence_id = (SELECT id FROM application_sequences WHERE name = 'other'),"
              " location = 'here' WHERE handle = '6001'")

    def item():
        return d.root.get(USERS).json["items"][0]
    for sql, look in (
            ("UPDATE users SET name = 'kept 1' WHERE handle = '6001'", lambda: item()["name"] == "kept 1"),
            ("UPDATE stations SET appearances = 7", lambda: item()["station"]["appearances"] == 7),
            ("DELETE FROM stations", lambda: item()["station"] is None),
            ("DELETE FROM presence_profiles", lambda: item()["presence"] is None),
            ("UPDATE application_sequences SET name = 'another' WHERE name = 'other'",
             lambda: item()["sip"]["sequence"] == "another"),
            ("UPDATE locations SET name = 'there' WHERE name = 'here'", lambda: item()["location"] == "there"),
            ("INSERT INTO domains (name) VALUES ('other.example'); UPDATE settings SET domain = 'other.example'",
             lambda: item()["sip"]["aor"] == "6001@other.example"),
            ("UPDATE users SET name = 'kept one' WHERE handle = '6001'", lambda: item()["name"] == "kept one")):
        assert not look(), sql
        smgr.psql(sql)
        assert look(), (sql, item())


def parts_of_routing_are_seen(d, smgr):
    made(d, "/uc/locations", {"name": "kept place", "patterns": ["10.9.x.*"]})
    made(d, "/uc/adaptations", {"name": "kept change", "digit_conversions": [
        {"direction": "ingress", "address": "destination", "match": "9", "min": 1, "max": 9, "delete": 1, "insert": ""}]})
    entity = d.root.get("/uc/sip-entities").json["items"][0]["name"] if d.root.get("/uc/sip-entities").json["items"] \
        else made(d, "/uc/sip-entities", {"name": "kept entity", "type": "other", "address": "10.9.9.9"})["name"]
    made(d, "/uc/time-ranges", {"name": "kept times", "start": "08:00", "end": "18:00"})
    made(d, "/uc/routing-policies", {"name": "kept policy", "entity": entity,
                                     "times": [{"time_range": "kept times", "rank": 1}]})
    made(d, "/uc/dial-patterns", {"pattern": "77", "min": 4, "max": 4, "policies": ["kept policy"]})
    made(d, "/uc/application-sequences", {"name": "kept sequence", "entities": [{"name": entity, "mandatory": True}]})
    for path, sql in (
            ("/uc/locations", "UPDATE locations SET notes = 'n' WHERE name = 'kept place'"),
            ("/uc/adaptations", "UPDATE digit_conversions SET match = '8'"),
            ("/uc/adaptations", "DELETE FROM digit_conversions"),
            ("/uc/time-ranges", "UPDATE time_ranges SET name = 'kept hours' WHERE name = 'kept times'"),
            ("/uc/routing-policies", "UPDATE routing_policy_times SET rank = 5"),
            ("/uc/dial-patterns", "UPDATE routing_policies SET name = 'kept rule' WHERE name = 'kept policy'"),
            ("/uc/dial-patterns", "DELETE FROM dial_pattern_policies"),
            ("/uc/application-sequences", "UPDATE application_sequence_entities SET mandatory = NOT mandatory"),
            ("/uc/application-sequences", "UPDATE sip_entities SET name = name || 'x' WHERE id IN "
                                          "(SELECT entity_id FROM application_sequence_entities)"),
            ("/uc/domains", "UPDATE domains SET notes = notes || 'n' WHERE name = 'other.example'")):
        old = d.root.get(path).raw
        equal(d.root.get(path).raw, old)
        smgr.psql(sql)
        assert d.root.get(path).raw != old, (path, sql)


def what_was_rolled_back_is_not(d, smgr):
    smgr.psql("BEGIN; UPDATE users SET name = 'kept never' WHERE handle = '6001'; ROLLBACK")
    equal(names(d.root), ["kept one"])
    # open for a while: nobody sees it before its commit, everybody after
    other = subprocess.Popen(
        ["psql", "-X", "-q", "-h", smgr.cluster.dir + "/run", "-U", "aurabox", "-d", "uc", "-c",
         "BEGIN; UPDATE users SET name = 'kept later' WHERE handle = '6001'; SELECT pg_sleep(1.5); COMMIT"],
        stdout=subprocess.DEVNULL)
    time.sleep(0.5)
    old = 0
    while other.poll() is None:
        before = names(d.root)
        old += before == ["kept one"]
        assert before in (["kept one"], ["kept later"]), before
    equal(other.returncode, 0)
    assert old > 0
    equal(names(d.root), ["kept later"])
    equal(d.root.post("/uc/users?dry_run=true", {"handle": "6002", "name": "kept not", "password": "x"}).status, 200)
    equal(names(d.root), ["kept later"])
    smgr.psql("UPDATE users SET name = 'kept one' WHERE handle = '6001'")


def questions_do_not_mix(d, smgr):
    for i in range(6):
        made(d, "/uc/users", {"handle": "62%02d" % i, "name": "mixed %d" % (9 - i), "password": "x"})
    paths = ["/uc/users?q=mixed&limit=2", "/uc/users?q=mixed&limit=3", "/uc/users?q=mixed&limit=2&sort=name",
             "/uc/users?q=mixed&limit=2&sort=-name", "/uc/users?q=mixed&limit=2&count=true", "/uc/users?q=mixed%207",
             "/uc/users?handle=6203", "/uc/users?name=mixed%207", "/uc/users?q=none", "/uc/domains?limit=2"]
    cursor = d.root.get(paths[0]).json["next_cursor"]
    paths += [paths[0] + "&cursor=" + cursor]
    first = {path: d.root.get(path) for path in paths}
    for path, answer in first.items():
        equal(answer.status, 200, (path, answer))
        equal(d.root.get(path).raw, answer.raw, path)
    equal(len({answer.raw for answer in first.values()}), len(paths) - 1)  # 6202 is "mixed 7": asked in two ways
    equal(first["/uc/users?q=mixed&limit=2&count=true"].json["total"], 6)
    equal(first["/uc/users?q=none"].json["items"], [])
    before = figures(d)["pages_read_total"]
    equal(d.root.get("/uc/users?limit=2&q=mixed").raw, first[paths[0]].raw)  # in another order the same
    equal(figures(d)["pages_read_total"], before)


def rights_are_asked_each_time(d, smgr):
    token = made(d, "/tokens", {"name": "reader", "scopes": ["uc:read"]})
    poor = made(d, "/tokens", {"name": "other", "scopes": ["vms:read"]})
    reader = {"Authorization": "Bearer " + token["token"]}
    equal(d.nobody.get(USERS, headers=reader).raw, d.root.get(USERS).raw)
    equal(d.nobody.get(USERS).status, 401)
    equal(d.nobody.get(USERS, headers={"Authorization": "Bearer " + poor["token"]}).status, 403)
    equal(d.root.delete("/tokens/" + token["id"]).status, 204)
    equal(d.nobody.get(USERS, headers=reader).status, 401)


def readers_and_writers_at_once(d, smgr):
    """Each reader sees at least what was acknowledged before he asked."""
    faults, done, acknowledged = [], threading.Event(), [0]
    smgr.psql("UPDATE users SET name = 'kept 0' WHERE handle = '6001'")

    def read():
        last = 0
        while not done.is_set():
            known = acknowledged[0]
            now = int(names(d.root)[0].split()[1])
            if now < known or now < last:
                faults.append((known, last, now))
            last = now
    readers = [threading.Thread(target=read) for _ in range(6)]
    for thread in readers:
        thread.start()
    for i in range(1, 16):
        smgr.psql("UPDATE users SET name = 'kept %d' WHERE handle = '6001'" % i)
        acknowledged[0] = i
        time.sleep(0.05)
    done.set()
    for thread in readers:
        thread.join()
    equal(faults, [])
    equal(names(d.root), ["kept 15"])


def serving(d):
    """By another list: what is kept of the users stays as it was."""
    wait_for(lambda: d.root.get("/uc/time-ranges").status == 200, 20, "smgr again")


def a_database_that_is_away_is_no_list(d, smgr):
    equal(names(d.root), ["kept 15"])
    smgr.stop()
    answer = d.root.get(USERS)
    equal((answer.status, answer.code), (503, "unavailable"), answer)
    smgr.serve()
    smgr.psql("UPDATE users SET name = 'kept alone' WHERE handle = '6001'")
    serving(d)
    equal(names(d.root), ["kept alone"])


def another_history_is_another_state(d, smgr):
    """The database goes back to a copy and then as many versions ahead as before, with other rows."""
    smgr.stop()
    data, copy = smgr.cluster.dir + "/db", smgr.cluster.dir + "/copy"
    run("cp", "-a", data, copy)
    versions = []
    for name in ("kept first", "kept second"):
        smgr.serve()
        serving(d)
        smgr.psql("UPDATE users SET name = '%s' WHERE handle = '6001'" % name)
        versions.append(smgr.psql("SELECT version FROM replica.counter"))
        equal(names(d.root), [name])
        smgr.stop()
        run("rm", "-rf", data)
        run("cp", "-a", copy, data)
    equal(versions[0], versions[1])  # the same number says two things
    smgr.serve()
    serving(d)


if __name__ == "__main__":
    with Daemon() as daemon, Smgr(daemon) as system_manager:
        for test in (is_read_once, own_writes_are_seen, writes_of_others_are_seen, parts_of_routing_are_seen,
                     what_was_rolled_back_is_not, questions_do_not_mix, rights_are_asked_each_time,
                     readers_and_writers_at_once, a_database_that_is_away_is_no_list,
                     another_history_is_another_state):
            print("-", test.__name__.replace("_", " "), flush=True)
            test(daemon, system_manager)
