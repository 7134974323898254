#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
"""/setup without guests: state, plan, apply of name and zone, bad input, roles, one at a time, no password kept."""
import os
import threading

from daemon import Daemon, equal, wait_for

SECRET = "never-to-be-seen-7f3a"
PERSON = {"handle": "3001", "name": "Ada", "password": SECRET}


def steps(d):
    return {s["name"]: s["state"] for s in d.root.get("/setup").json["steps"]}


def ended(d, answer):
    equal(answer.status, 202, answer)
    where = answer.headers["Location"]
    wait_for(lambda: d.root.get(where).json["ended_at"], what="the task has ended")
    return d.root.get(where).json


def it_is_fresh_at_first(d):
    state = d.root.get("/setup").json
    equal(state["state"], "fresh")
    equal(steps(d), dict.fromkeys(("appliance", "components", "people", "call"), "todo"))
    equal(state["defaults"]["components"], ["smgr", "sm", "cm", "presence"], "in start order")
    equal(state["defaults"]["name"], d.root.get("/appliance").json["name"])
    equal([p["handle"] for p in state["defaults"]["people"]], ["3001", "3002", "3003"])
    equal([c["deployed"] for c in state["current"]["components"]], 4 * [False])
    equal((state["current"]["people"], state["task"]), (None, None))
    equal(state["time"]["zone"], d.root.get("/appliance").json["time_zone"])
    equal(type(state["time"]["synchronized"]), bool)


def a_plan_changes_nothing(d):
    tag, rows = d.root.get("/appliance").headers["ETag"], d.root.get("/audit?count=true").json["total"]
    wish = {"name": "Office", "time_zone": "Europe/Berlin", "components": ["cm", "smgr"], "people": [PERSON],
            "finished": True}
    answer = d.root.post("/setup/plan", wish)
    equal(answer.status, 200, answer)
    equal([(i["step"], i["action"], i["target"]) for i in answer.json["plan"]],
          [("appliance", "change", "appliance/name"), ("appliance", "change", "appliance/time_zone"),
           ("components", "create", "vms/smgr"), ("components", "create", "vms/cm"),
           ("people", "create", "uc/users/3001"), ("finish", "change", "setup")])
    needs = answer.json["needs"]
    equal(needs["memory_mib"], 256 + 128 + 2 * 128, "memory of the templates and of QEMU")
    equal(needs["disk_bytes"], (4096 + 1024) << 20)
    assert needs["seconds"] > 0, needs
    codes = [w["code"] for w in answer.json["warnings"]]
    assert "component_missing" in codes and "no_call_yet" in codes, codes
    assert SECRET.encode() not in answer.raw
    equal(d.root.post("/setup/plan", {}).json["plan"], [])
    equal(d.root.get("/appliance").headers["ETag"], tag)
    equal(d.root.get("/audit?count=true").json["total"], rows, "a plan is no change")
    equal(d.root.get("/setup").json["state"], "fresh")


def bad_input_is_named(d):
    people = [dict(PERSON, handle="30%02d" % i) for i in range(101)]
    for body, pointer in (({"name": ""}, "/name"), ({"name": "a\nb"}, "/name"), ({"time_zone": "Mars/Phobos"}, "/time_zone"),
                          ({"time_zone": "../etc/passwd"}, "/time_zone"), ({"time_zone": "/etc/localtime"}, "/time_zone"),
                          ({"time_zone": "Europe"}, "/time_zone"), ({"time_zone": "zone.tab"}, "/time_zone"),
                          ({"time_zone": "Europe//Berlin"}, "/time_zone"), ({"time_zone": "UTC/"}, "/time_zone"),
                          ({"components": ["smgr", "nosuch"]}, "/components/1"), ({"components": "smgr"}, "/components"),
                          ({"components": ["sm", "sm"]}, "/components/1"), ({"components": [7]}, "/components/0"),
                          ({"people": {}}, "/people"), ({"people": [7]}, "/people/0"), ({"people": people}, "/people"),
                          ({"people": [{"handle": "1", "name": "x"}]}, "/people/0/password"),
                          ({"people": [PERSON, dict(PERSON, extra=1)]}, "/people/1/extra"),
                          ({"people": [dict(PERSON, handle="a b")]}, "/people/0/handle"),
                          ({"people": [dict(PERSON, handle="x" * 65)]}, "/people/0/handle"),
                          ({"people": [PERSON, PERSON]}, "/people/1/handle"), ({"finished": 1}, "/finished"),
                          ({"nosuch": 1}, "/nosuch"), ([], "")):
        for path in ("/setup/plan", "/setup/apply"):
            answer = d.root.post(path, body)
            equal((answer.status, answer.code), (422, "validation_failed"), (path, body, answer))
            equal(answer.json["errors"][0]["pointer"], pointer, body)
    for path in ("/setup/plan", "/setup/apply"):
        answer = d.root.post(path, {"people": [PERSON]})
        equal((answer.status, answer.code), (409, "state_conflict"), "people without smgr")
        assert "smgr" in answer.json["resolution"], answer
        equal(d.root.post(path, raw=b"{").status, 400)
    equal(d.root.get("/setup?x=1").status, 422)
    equal(d.root.get("/tasks").json["items"], [], "nothing was begun")
    equal(d.root.get("/setup").json["state"], "fresh")


def name_and_zone_are_set_once(d):
    task = ended(d, d.root.post("/setup/apply", {"name": "Office", "time_zone": "Europe/Berlin"}))
    equal((task["kind"], task["target"], task["state"]), ("setup.apply", "setup", "succeeded"), task)
    equal([(s["name"], s["state"]) for s in task["steps"]],
          [(name, "succeeded") for name in ("appliance", "components", "people")])
    equal((task["progress"]["done"], task["progress"]["total"], task["progress"]["unit"]), (1, 1, "steps"))
    appliance = d.root.get("/appliance")
    equal((appliance.json["name"], appliance.json["time_zone"], appliance.json["setup_finished"]),
          ("Office", "Europe/Berlin", False))
    equal(steps(d)["appliance"], "done")
    equal(d.root.get("/setup").json["state"], "in_progress")
    rows = [(r["action"], r["target"]) for r in d.root.get("/audit").json["items"]][:2]
    equal(rows, [("setup.apply", "appliance"), ("POST setup/apply", "setup/apply")])
    event = d.root.get("/events?topics=appliance").json["items"][0]
    equal((event["type"], event["data"]["time_zone"]), ("appliance.changed", "Europe/Berlin"))
    ended(d, d.root.post("/setup/apply", {"name": "Office"}))
    equal(d.root.get("/appliance").headers["ETag"], appliance.headers["ETag"], "what is there is kept")
    plan = d.root.post("/setup/plan", {"name": "Office", "time_zone": "UTC"}).json["plan"]
    equal([i["action"] for i in plan], ["keep", "change"])


def the_zone_is_changed_by_patch_too(d):
    tag = d.root.get("/appliance").headers["ETag"]
    equal(d.root.patch("/appliance", {"time_zone": "Nowhere"}, tag).json["errors"][0]["pointer"], "/time_zone")
    equal(d.root.patch("/appliance", {"setup_finished": True}, tag).json["errors"][0]["pointer"], "/setup_finished")
    answer = d.root.patch("/appliance", {"time_zone": "Asia/Tokyo"}, tag)
    equal((answer.status, answer.json["time_zone"], answer.json["name"]), (200, "Asia/Tokyo", "Office"), answer)


def a_component_that_fails_fails_the_task(d):
    """Here there are no images: nothing is left half-made, and applying again is possible."""
    task = ended(d, d.root.post("/setup/apply", {"components": ["sm"], "people": []}))
    equal(task["state"], "failed", task)
    assert task["problem"]["detail"], task
    equal([s["state"] for s in task["steps"]], ["succeeded", "failed", "pending"], task["steps"])
    equal(d.root.get("/vms").json["items"], [])
    equal(d.root.get("/setup").json["task"], None)
    task = ended(d, d.root.post("/setup/apply", {"components": ["smgr"], "people": [PERSON]}))
    equal(task["state"], "failed", task)


def only_one_at_a_time(d):
    got = []
    threads = [threading.Thread(target=lambda: got.append(d.root.post("/setup/apply", {"name": "One"})))
               for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {a.status for a in got} <= {202, 409}, got
    assert all(a.code == "state_conflict" for a in got if a.status == 409), got
    assert any(a.status == 202 for a in got), got
    wait_for(lambda: d.root.get("/setup").json["task"] is None)


def only_an_admin_may_apply(d):
    for role, read, act in (("operator", 403, 403), ("telephony", 403, 403), ("user", 403, 403), ("auditor", 200, 403),
                            ("admin", 200, 202)):
        caller = d.admin("setup-" + role, role)
        equal(caller.get("/setup").status, read, role)
        equal(caller.post("/setup/plan", {}).status, 200 if act == 202 else 403, role)
        equal(caller.post("/setup/apply", {}).status, act, role)
        wait_for(lambda: d.root.get("/setup").json["task"] is None)


def finished_ends_the_first_run(d):
    task = ended(d, d.root.post("/setup/apply", {"finished": True}))
    equal([s["name"] for s in task["steps"]], ["appliance", "components", "people", "finish"])
    equal(d.root.get("/setup").json["state"], "done")
    equal(d.root.get("/appliance").json["setup_finished"], True)
    ended(d, d.root.post("/setup/apply", {"finished": True}))
    d.kill()
    d.start()
    equal((d.root.get("/setup").json["state"], d.root.get("/appliance").json["time_zone"]), ("done", "Asia/Tokyo"))


def no_password_is_kept(d):
    found = []
    for folder, _, names in os.walk(d.dir):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                with open(path, "rb") as source:
                    if SECRET.encode() in source.read():
                        found.append(path)
    equal(found, [])


def main():
    with Daemon() as d:
        for test in (it_is_fresh_at_first, a_plan_changes_nothing, bad_input_is_named, name_and_zone_are_set_once,
                     the_zone_is_changed_by_patch_too, a_component_that_fails_fails_the_task, only_one_at_a_time,
                     only_an_admin_may_apply, finished_ends_the_first_run, no_password_is_kept):
            print("-", test.__name__.replace("_", " "), flush=True)
            test(d)


if __name__ == "__main__":
    main()
