#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 240
"""Lists: order, text, filters, cursors under inserts and deletes, totals, what is refused; gzip; 5,000 users."""
import base64
import gzip
import json
import statistics
import threading
import time
import urllib.parse

from daemon import PASSWORD, Daemon, equal
from smgr import Smgr
from test_contract import check

PEOPLE = 5000
SUMMARY = {"from": "2026-11-21T10:00:00Z", "to": "2026-11-21T12:00:00Z", "step_s": "1800"}


def url(path, **query):
    return path + "?" + urllib.parse.urlencode({k.replace("__", "."): v for k, v in query.items()})


def walk(caller, path, limit=2, between=None, **query):
    """The items of all pages; calls between() after each."""
    items, cursor = [], None
    while True:
        answer = caller.get(url(path, limit=limit, **query, **({"cursor": cursor} if cursor else {})))
        equal(answer.status, 200, answer)
        assert len(answer.json["items"]) <= limit
        items += answer.json["items"]
        cursor = answer.json["next_cursor"]
        if not cursor:
            return items
        if between:
            between()


def refused(caller, path, parameter, **query):
    answer = caller.get(url(path, **query))
    equal((answer.status, answer.code), (422, "validation_failed"), (path, query, answer))
    equal(answer.json["errors"][0].get("parameter"), parameter, (path, query, answer))


def administrators_in_any_order(d, smgr):
    names = {"zoe": "auditor", "Adam": "user", "\u00c9mile": "auditor", "bob": "operator"}
    for name, role in names.items():
        equal(d.root.post("/admins", {"name": name, "role": role, "password": PASSWORD}).status, 201)

    def found(**query):
        return [a["name"] for a in walk(d.root, "/admins", **query)]
    everybody = sorted([*names, "admin"], key=str.encode)
    equal(found(), everybody)
    equal(found(sort="-name"), everybody[::-1])
    equal(found(sort="created_at"), ["admin", *names])
    equal(found(q="AD"), ["Adam", "admin"])
    equal(found(q="\u00e9"), ["\u00c9mile"])
    equal(found(role="auditor,user", sort="-created_at"), ["\u00c9mile", "Adam", "zoe"])
    equal(found(q="%"), [])
    equal(d.root.get("/admins?role=auditor&count=true&limit=1").json["total"], 2)
    long = "\U0001f600" * 256  # the longest name in the most bytes still makes a cursor
    equal(d.root.post("/admins", {"name": long, "role": "user", "password": PASSWORD}).status, 201)
    equal(d.root.post("/admins", {"name": long[:-1] + "z", "role": "user", "password": PASSWORD}).status, 201)
    equal(found(limit=1, q="\U0001f600", sort="name,-created_at"), [long[:-1] + "z", long])


def tokens_by_name(d, smgr):
    for name in ("b", "a", "c"):
        equal(d.root.post("/tokens", {"name": name, "scopes": ["vms:read"], "expires_at": None}).status, 201)
    equal([t["name"] for t in walk(d.root, "/tokens")], ["c", "a", "b"])
    equal([t["name"] for t in walk(d.root, "/tokens", sort="name")], ["a", "b", "c"])
    equal([t["name"] for t in walk(d.root, "/tokens", q="B")], ["b"])


def audit_by_time_and_text(d, smgr):
    rows = walk(d.root, "/audit", limit=50)
    middle = rows[len(rows) // 2]
    newer = walk(d.root, "/audit", limit=50, at__gte=middle["at"])
    older = walk(d.root, "/audit", limit=50, at__lt=middle["at"], sort="at")
    equal({r["id"] for r in newer} & {r["id"] for r in older}, set())
    assert {r["id"] for r in rows} <= {r["id"] for r in newer} | {r["id"] for r in older}
    equal([r["at"] for r in older], sorted(r["at"] for r in older))
    equal({r["action"] for r in walk(d.root, "/audit", q="post TOKENS")}, {"POST tokens"})
    equal(len(walk(d.root, "/audit", action="POST tokens", result="ok")), 3)


def wrong_questions_are_named(d, smgr):
    lists = ("/admins", "/tokens", "/audit", "/events", "/templates", "/vms", "/tasks", "/alarms", "/uc/users",
             "/uc/registrations", "/uc/calls", "/uc/cdr", "/uc/replication")
    for path in lists:
        refused(d.root, path, "colour", colour="red")
        refused(d.root, path, "limit", limit=0)
        refused(d.root, path, "cursor", cursor="bm9uZQ")
        refused(d.root, path, "sort", sort="password_hash")
        refused(d.root, path, "count", count="yes")
    for path, parameter, value in (
            ("/tasks", "state", "asleep"), ("/tasks", "state", "queued,,failed"), ("/tasks", "created_at.lt", "monday"),
            ("/alarms", "severity", ""), ("/alarms", "acknowledged", "maybe"), ("/audit", "at.gte", "2026-13-01"),
            ("/audit", "at", "2026-11-21T10:00:00Z"), ("/vms", "state", "asleep"), ("/uc/cdr", "result", "odd"),
            ("/uc/users", "created_at.gte", "2026-11-21T10:00:00Z"), ("/uc/users", "sort", "name,name"),
            ("/uc/users", "sort", ""), ("/uc/cdr/summary", "from", "now"), ("/uc/cdr/summary", "step_s", "0"),
            ("/uc/cdr/summary", "step_s", "1"), ("/uc/cdr/summary", "from", "2999-01-01T00:00:00Z"),
            ("/uc/cdr/none", "colour", "red")):
        refused(d.root, path, parameter, **{parameter: value})
    twice = d.root.get("/uc/users?q=a&q=b")
    equal((twice.status, twice.json["errors"][0]["parameter"]), (422, "q"), twice)


def cursors_belong_to_their_question(d, smgr):
    cursor = d.root.get("/admins?limit=1&sort=-name&q=a").json["next_cursor"]
    assert d.root.get(url("/admins", limit=3, sort="-name", q="a", cursor=cursor)).status == 200
    for query in ({"sort": "name", "q": "a"}, {"sort": "-name"}, {"sort": "-name", "q": "b"},
                  {"sort": "-name", "q": "a", "role": "user"}, {"q": "a"}):
        refused(d.root, "/admins", "cursor", cursor=cursor, **query)
    refused(d.root, "/tokens", "cursor", cursor=cursor, sort="-name", q="a")
    # right binding, made-up values
    plain = base64.urlsafe_b64decode(d.root.get("/audit?limit=1&sort=at").json["next_cursor"] + "==")
    made_up = base64.urlsafe_b64encode(plain.split(b"\0")[0] + b"\0'; DROP TABLE audit; --\0x\0").decode().rstrip("=")
    refused(d.root, "/audit", "cursor", sort="at", cursor=made_up)
    assert d.root.get("/audit").json["items"]


def a_walk_shows_each_old_row_once(d, smgr):
    old = [u["handle"] for u in walk(d.root, "/uc/users", limit=500)]
    equal(old, [])
    for i in range(30):
        equal(d.root.post("/uc/users", {"handle": "%d" % (4000 + i), "name": "Person %d" % (i % 7),
                                        "password": "secret"}).status, 201)
    old = ["%d" % (4000 + i) for i in range(30)]
    for sort in ("handle", "-handle", "name", "-name,handle", "-created_at", "extension"):
        made = []

        def between():
            n = len(made)
            handle = "%d" % (3000 + n if n % 2 else 5000 + n)
            equal(d.root.post("/uc/users", {"handle": handle, "name": "Person %d" % (n % 9),
                                            "password": "secret"}).status, 201)
            made.append(handle)
            if n % 3 == 2:
                equal(d.root.delete("/uc/users/" + made[n - 1]).status, 204)
        seen = [u["handle"] for u in walk(d.root, "/uc/users", limit=4, between=between, sort=sort)]
        equal(sorted(h for h in seen if h in old), old, sort)
        equal(len(seen), len(set(seen)), sort)
        for handle in made:
            d.root.delete("/uc/users/" + handle)


def records_and_their_counts(d, smgr):
    for i in range(9):
        answered = i % 3 == 0
        smgr.psql("SELECT record.put('%s')" % json.dumps(dict(
            gsid="g%d" % i, half="call", caller="3001" if i % 2 else "3002", callee="3003",
            started_at="2026-11-21T10:%02d:00Z" % (i * 5), answered_at="2026-11-21T11:00:00Z" if answered else None,
            ended_at="2026-11-21T11:00:09Z", duration_s=9 if answered else 0,
            result="answered" if answered else "busy", sip_status=200 if answered else 486)))
    equal([c["gsid"] for c in walk(d.root, "/uc/cdr")], ["g%d" % i for i in range(8, -1, -1)])
    equal([c["gsid"] for c in walk(d.root, "/uc/cdr", handle="3001", sort="started_at")], ["g1", "g3", "g5", "g7"])
    equal([c["gsid"] for c in walk(d.root, "/uc/cdr", result="answered", started_at__gte="2026-11-21T10:15:00Z")],
          ["g6", "g3"])
    equal(d.root.get("/uc/cdr/g3").json["result"], "answered")
    equal(d.root.get("/uc/cdr/none").status, 404)
    summary = d.root.get(url("/uc/cdr/summary", **SUMMARY)).json
    equal([(b["at"], b["attempts"], b["answered"], b["busy"], b["talk_s"]) for b in summary["buckets"]],
          [("2026-11-21T10:00:00.000Z", 6, 2, 4, 18), ("2026-11-21T10:30:00.000Z", 3, 1, 2, 9),
           ("2026-11-21T11:00:00.000Z", 0, 0, 0, 0), ("2026-11-21T11:30:00.000Z", 0, 0, 0, 0)])
    equal(len(d.root.get("/uc/cdr/summary").json["buckets"]), 96)


def answers_match_their_schemas(d, smgr):
    document = d.root.get("/openapi.json").json
    smgr.psql("SELECT record.put('%s')" % json.dumps(dict(  # a half as cm delivers it
        gsid="g0", half="orig", phase="imsorig", handle="3002", peer="3003", caller="3002", callee="3003",
        started_at="2026-11-21T10:00:00Z", answered_at=None, ended_at="2026-11-21T11:00:00Z", duration_s=0,
        result="answered", sip_status=200)))
    user = d.root.get("/uc/users?limit=1").json["items"][0]
    for path, name in (("/uc/users", "user_list"), ("/uc/users/" + user["id"], "user"), ("/uc/cdr", "cdr_list"),
                       ("/uc/cdr/g0", "cdr"), ("/uc/cdr/summary", "cdr_summary"), ("/templates", "template_list"),
                       ("/templates/sm", "template"), ("/uc/replication", "replication_list")):
        check(d.root.get(path).json, {"$ref": "#/components/schemas/" + name}, document, path)
    equal(len(d.root.get("/uc/cdr/g0").json["halves"]), 1)


def large_json_is_small_on_the_wire(d, smgr):
    path = "/uc/users?limit=500"
    plain = d.root.get(path)
    equal((plain.headers["Content-Encoding"], plain.headers["Vary"]), (None, "Accept-Encoding"))
    connection = d.root.connection()
    connection.request("GET", "/api/v1" + path, headers={"Accept-Encoding": "br;q=1.0, gzip;q=0.8"})
    answer = connection.getresponse()
    small = answer.read()
    connection.close()
    equal((answer.headers["Content-Encoding"], answer.headers["Content-Length"]), ("gzip", str(len(small))))
    equal(json.loads(gzip.decompress(small)), plain.json)
    assert len(small) * 3 < len(plain.raw), (len(small), len(plain.raw))
    for headers in ({"Accept-Encoding": "gzip;q=0"}, {"Accept-Encoding": "identity"}):
        equal(d.root.get(path, headers=headers).headers["Content-Encoding"], None)
    equal(d.root.get("/session", headers={"Accept-Encoding": "gzip"}).headers["Content-Encoding"], None)


def timed(caller, path):
    times = []
    for i in range(9):
        began = time.monotonic()
        answer = caller.get("%s&limit=%d" % (path, 50 + i))  # each is another page: none is kept yet
        times.append((time.monotonic() - began) * 1000)
        equal(answer.status, 200, answer)
    return statistics.median(times), answer.json


def five_thousand_are_found_at_once(d, smgr):
    smgr.psql("INSERT INTO users (handle, name, ha1_md5, realm) SELECT (20000 + i)::text, 'Person number ' || i,"
              " md5(i::text), 'aurabox.internal' FROM generate_series(1, %d) i;"
              "INSERT INTO stations (user_id, extension) SELECT id, handle FROM users WHERE handle >= '20001'"
              " AND handle <= '29999' AND length(handle) = 5" % PEOPLE)
    for query, count in (("q=number 4999", 1), ("q=2499", 11), ("q=person&sort=-name", None), ("sort=extension", None),
                         ("q=nobody at all", 0)):
        took, page = timed(d.root, "/uc/users?count=true&" + query.replace(" ", "%20"))
        print("  %-24s %4d rows %6.1f ms" % (query, page["total"], took))
        assert count is None or page["total"] == count, (query, page["total"])
        assert took < 1000, (query, took)  # a loaded machine with ASan; the printed figure is what counts
    seen = walk(d.root, "/uc/users", limit=500, sort="-created_at,name")
    equal(len({u["id"] for u in seen}), PEOPLE + 30)


def parallel_walks_do_not_disturb(d, smgr):
    faults = []

    def one(sort):
        try:
            seen = [u["id"] for u in walk(d.root, "/uc/users", limit=500, sort=sort)]
            equal(len(seen), len(set(seen)))
            equal(len(seen), PEOPLE + 30)
        except AssertionError as fault:
            faults.append(fault)
    threads = [threading.Thread(target=one, args=(s,)) for s in ("handle", "-name", "extension", "-updated_at")]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    equal(faults, [])


if __name__ == "__main__":
    with Daemon() as daemon, Smgr(daemon) as system_manager:
        for test in (administrators_in_any_order, tokens_by_name, audit_by_time_and_text, wrong_questions_are_named,
                     cursors_belong_to_their_question, a_walk_shows_each_old_row_once, records_and_their_counts,
                     answers_match_their_schemas,
                     large_json_is_small_on_the_wire, five_thousand_are_found_at_once, parallel_walks_do_not_disturb):
            print("-", test.__name__.replace("_", " "), flush=True)
            test(daemon, system_manager)
