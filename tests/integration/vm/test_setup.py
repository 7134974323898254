#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 420
# needs: images
"""/setup/apply with real guests: one at a time, killed and cancelled in the middle, finished by applying again."""
import os
import signal
import sys
import time

from box import Box, wait_until

ALL = ["smgr", "sm", "cm", "presence"]
SECRET = "only-in-memory-93c1"
WISH = {"name": "Office", "time_zone": "Europe/Berlin", "components": ALL,
        "people": [{"handle": h, "name": n, "password": SECRET}
                   for h, n in (("3001", "Ada Lovelace"), ("3002", "Alexander Graham Bell"))]}


def apply(box, wish=None):
    reply = box.api("POST", "/api/v1/setup/apply", WISH if wish is None else wish)
    assert reply.status == 202, reply
    return reply


def vms(box):
    return {v["name"]: v for v in box.api("GET", "/api/v1/vms").json["items"]}


def nothing_half_made(box):
    """Every VM is deployed as a whole, and every domain and disk belongs to one."""
    there = vms(box)
    return (all(v["state"] != "deploying" for v in there.values()) and
            set(box.domains()) == {f"aurabox-{name}" for name in there} and
            set(os.listdir(box.place("/var/lib/aurabox/disks"))) == set(there))


def only_one_at_a_time(box, first):
    second = box.api("POST", "/api/v1/setup/apply", {"name": "Other"})
    assert second.status == 409 and second.json["code"] == "state_conflict", second
    task = first.headers["Location"].rsplit("/", 1)[1]
    assert task in second.json["resolution"], second
    assert box.api("GET", "/api/v1/setup").json["task"] == task


def killed_in_the_middle(box):
    first = apply(box)
    only_one_at_a_time(box, first)
    wait_until("smgr is deployed, the others are not", 90,
               lambda: (vms(box).get("smgr") or {}).get("ready") and len(box.domains()) > 1)
    box.stop_daemon(signal.SIGKILL)
    box.start_daemon()
    task = box.task(first, 10)
    assert task["state"] == "failed" and task["problem"]["code"] == "interrupted", task
    assert box.api("GET", "/api/v1/setup").json["task"] is None
    # at once, while the watch still undoes what was under way; cancelled, it leaves nothing half-made
    second = apply(box)
    wait_until("it deploys again", 60, lambda: len(box.domains(active=True)) > 1)
    assert box.api("POST", second.headers["Location"] + "/actions/cancel").status == 200
    task = box.task(second, 60)
    assert task["state"] == "cancelled", task
    wait_until("nothing is half-made", 20, lambda: nothing_half_made(box))
    print("ok killed, applied again, cancelled", flush=True)


def applied_again_it_finishes(box):
    reply = apply(box)
    seen = []
    deploys = []

    def look():
        task = box.api("GET", reply.headers["Location"]).json
        seen.append(task["progress"])
        running = box.api("GET", "/api/v1/tasks?kind=vm.deploy&state=running").json["items"]
        deploys.extend(t["progress"] for t in running)
        return task["ended_at"] and task
    task = wait_until("the setup is applied", 180, look, pause=0.3)
    assert task["state"] == "succeeded", (task, box.api("GET", reply.headers["Location"] + "/log").json)
    assert [(s["name"], s["state"]) for s in task["steps"]] == [
        (n, "succeeded") for n in ("appliance", "components", "people")], task
    done = [p["done"] for p in seen if p["total"]]
    assert done == sorted(done) and len(set(done)) > 3, done
    assert seen[-1]["done"] == seen[-1]["total"] > 0 and seen[-1]["unit"] == "steps", seen[-1]
    assert any(0 < p["done"] < p["total"] and p["unit"] == "steps" for p in deploys), deploys[-5:]
    assert set(vms(box)) == set(ALL), vms(box)
    # a busy host lets a guest miss a probe while the others start
    wait_until("all are ready at one moment", 60, lambda: all(v["ready"] for v in vms(box).values()))
    people = box.api("GET", "/api/v1/uc/users").json["items"]
    assert [(p["handle"], p["name"], p["station"]["extension"]) for p in people] == [
        ("3001", "Ada Lovelace", "3001"), ("3002", "Alexander Graham Bell", "3002")], people
    assert {"uc/users/3001", "uc/users/3002", "vms/presence"} <= set(task["result"]["created"]), task["result"]
    state = box.api("GET", "/api/v1/setup").json
    assert {s["name"]: s["state"] for s in state["steps"]} == {
        "appliance": "done", "components": "done", "people": "done", "call": "todo"}, state
    assert state["current"]["people"] == 2, state
    print("ok applied again", flush=True)


def audit_names_each_change(box):
    rows = box.api("GET", "/api/v1/audit?action=setup.apply&limit=100").json["items"]
    targets = {r["target"] for r in rows}
    assert {"appliance", "vms/smgr", "vms/cm", "uc/users/3001", "uc/users/3002"} <= targets, targets


def what_exists_is_kept(box):
    before = {n: v["id"] for n, v in vms(box).items()}
    people = [p["updated_at"] for p in box.api("GET", "/api/v1/uc/users").json["items"]]
    plan = box.api("POST", "/api/v1/setup/plan", WISH).json
    assert {i["action"] for i in plan["plan"]} == {"keep"}, plan
    assert plan["needs"] == {"memory_mib": 0, "disk_bytes": 0, "seconds": 0}, plan
    wish = dict(WISH, people=[dict(p, name="Somebody else") for p in WISH["people"]])
    task = box.task(apply(box, wish), 30)
    assert task["state"] == "succeeded" and task["result"]["created"] == [], task
    assert set(task["result"]["kept"]) == {f"vms/{n}" for n in ALL} | {"uc/users/3001", "uc/users/3002"}
    assert {n: v["id"] for n, v in vms(box).items()} == before
    assert [p["updated_at"] for p in box.api("GET", "/api/v1/uc/users").json["items"]] == people
    print("ok what exists is kept", flush=True)


def what_is_stopped_is_started(box):
    assert box.task(box.api("POST", "/api/v1/vms/presence/actions/stop"))["state"] == "succeeded"
    plan = box.api("POST", "/api/v1/setup/plan", {"components": ["presence"]}).json["plan"]
    assert [(i["action"], i["target"]) for i in plan] == [("change", "vms/presence")], plan
    task = box.task(apply(box, {"components": ["presence"]}), 90)
    assert task["state"] == "succeeded", task
    wait_until("presence is ready", 30, lambda: vms(box)["presence"]["ready"])
    print("ok started again", flush=True)


def a_person_that_cannot_be_is_named(box):
    box.api("POST", "/api/v1/uc/users", {"handle": "anna", "name": "A", "password": SECRET,
                                         "station": {"extension": "3003"}})
    task = box.task(apply(box, {"people": [{"handle": "3003", "name": "G", "password": SECRET}]}), 30)
    assert task["state"] == "failed" and task["problem"]["code"] == "name_taken", task
    assert task["problem"]["detail"].startswith("3003:"), task
    assert [s["state"] for s in task["steps"]] == ["succeeded", "succeeded", "failed"], task
    print("ok a person that cannot be", flush=True)


def no_password_is_kept(box):
    for folder in ("/var/lib/aurabox", "/run/aurabox"):
        for where, _, names in os.walk(box.place(folder)):
            for name in names:
                path = os.path.join(where, name)
                if not os.path.isfile(path) or path.endswith(".qcow2"):
                    continue
                with open(path, "rb") as source:
                    assert SECRET.encode() not in source.read(), path
    assert SECRET not in box.log()
    tasks = box.api("GET", "/api/v1/tasks?kind=setup.apply").json["items"]
    for task in tasks:
        assert SECRET not in str(task)
        assert SECRET not in str(box.api("GET", f"/api/v1/tasks/{task['id']}/log").json)


def main():
    with Box("setup") as box:
        box.start()
        for test in (killed_in_the_middle, applied_again_it_finishes, audit_names_each_change, what_exists_is_kept,
                     what_is_stopped_is_started, a_person_that_cannot_be_is_named, no_password_is_kept):
            began = time.monotonic()
            test(box)
            print(f"- {test.__name__} {time.monotonic() - began:.1f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
