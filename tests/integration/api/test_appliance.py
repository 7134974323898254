#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
"""PATCH /appliance: its name, guarded by ETag, with audit row and event, and kept over a restart."""
import socket
import threading

from daemon import Daemon, equal

ODD = "Büro 東京 \N{TELEPHONE RECEIVER}\u202eX\N{COMBINING ACUTE ACCENT}"


def etag(d):
    return d.root.get("/appliance").headers["ETag"]


def newest(d, path):
    return d.root.get(path).json["items"][0]


def the_host_names_it_at_first(d):
    equal(d.root.get("/appliance").json["name"], socket.gethostname())
    equal(len({etag(d) for _ in range(5)}), 1, "an ETag that live figures do not touch")
    d.root.post("/vms", {"template": "sm"})
    before = etag(d)
    d.root.post("/tokens", {"name": "t", "scopes": ["vms:read"]})
    equal(etag(d), before)


def a_new_name_is_one_change(d):
    old = d.root.get("/appliance")
    answer = d.root.patch("/appliance", {"name": ODD}, old.headers["ETag"])
    equal(answer.status, 200, answer)
    equal(set(answer.json), set(old.json), "the whole resource")
    equal(answer.json["name"], ODD)
    assert answer.headers["ETag"] != old.headers["ETag"]
    equal((d.root.get("/appliance").json["name"], etag(d)), (ODD, answer.headers["ETag"]))
    row = newest(d, "/audit?limit=1")
    equal((row["action"], row["target"], row["result"]), ("PATCH appliance", "appliance", "ok"))
    event = newest(d, "/events?topics=appliance")
    equal((event["type"], event["subject"], event["data"]["name"]), ("appliance.changed", "appliance", ODD))


def a_stale_or_missing_if_match_changes_nothing(d):
    stale = etag(d)
    equal(d.root.patch("/appliance", {"name": "first"}, stale).status, 200)
    for tag, status, code in ((None, 428, "precondition_required"), (stale, 412, "precondition_failed"),
                              ('"nosuch"', 412, "precondition_failed")):
        answer = d.root.patch("/appliance", {"name": "second"}, tag)
        equal((answer.status, answer.code), (status, code), answer)
    # back to an old name is not back to an old ETag
    back = d.root.patch("/appliance", {"name": ODD}, etag(d))
    assert back.status == 200 and back.headers["ETag"] != stale
    equal(d.root.patch("/appliance", {"name": "second"}, stale).status, 412)
    equal(d.root.get("/appliance").json["name"], ODD)


def of_many_writers_one_wins(d):
    tag, got = etag(d), []

    def write(i):
        got.append(d.root.patch("/appliance", {"name": "writer %d" % i}, tag).status)
    threads = [threading.Thread(target=write, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(sorted(got), [200] + 7 * [412])


def wrong_names_are_refused(d):
    name, tag = d.root.get("/appliance").json["name"], etag(d)
    for body, pointer in (({"name": ""}, "/name"), ({"name": "x" * 65}, "/name"), ({"name": "é" * 65}, "/name"),
                          ({"name": "a\nb"}, "/name"), ({"name": "a\x7f"}, "/name"), ({"name": "a\x85b"}, "/name"),
                          ({"name": "\x9f"}, "/name"), ({"name": "\x01"}, "/name"), ({"name": 7}, "/name"),
                          ({"name": None}, "/name"), ({"nosuch": 1}, "/nosuch"), ({"version": "0"}, "/version"),
                          ({"network": {}}, "/network"), ([], "")):
        answer = d.root.patch("/appliance", body, tag)
        equal((answer.status, answer.code), (422, "validation_failed"), (body, answer))
        equal(answer.json["errors"][0]["pointer"], pointer, body)
    equal(newest(d, "/audit?limit=1")["result"], "validation_failed")
    plan = d.root.patch("/appliance?dry_run=true", {"name": "dry"}, tag)
    equal((plan.status, [p["target"] for p in plan.json["plan"]]), (200, ["appliance"]), plan)
    equal(d.root.patch("/appliance?dry_run=true", {"name": ""}, tag).status, 422)
    equal((d.root.get("/appliance").json["name"], etag(d)), (name, tag), "nothing changed")
    for good in ("é" * 64, "\U0001f4de" * 64, "\u00a0", "\u00c2", "a\\\"</script>'"):
        answer = d.root.patch("/appliance", {"name": good, "version": d.root.get("/appliance").json["version"]}, etag(d))
        equal((answer.status, answer.json.get("name")), (200, good), answer)


def only_an_admin_may(d):
    for role, status in (("operator", 403), ("telephony", 403), ("auditor", 403), ("user", 403), ("admin", 200)):
        caller = d.admin("app-" + role, role)
        equal(caller.patch("/appliance", {"name": role}, etag(d)).status, status, role)


def main():
    with Daemon() as d:
        for test in (the_host_names_it_at_first, a_new_name_is_one_change, a_stale_or_missing_if_match_changes_nothing,
                     of_many_writers_one_wins, wrong_names_are_refused, only_an_admin_may):
            print("-", test.__name__.replace("_", " "), flush=True)
            test(d)
        print("- a restart changes neither name nor ETag", flush=True)
        answer = d.root.patch("/appliance", {"name": ODD}, etag(d))
        d.stop()
        d.start()
        equal((d.root.get("/appliance").json["name"], etag(d)), (ODD, answer.headers["ETag"]))
        d.kill()
        d.start()
        equal((d.root.get("/appliance").json["name"], etag(d)), (ODD, answer.headers["ETag"]))


if __name__ == "__main__":
    main()
