#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
"""Tasks: one that fails, cancel, one that a killed daemon leaves behind; and what a bad deployment is answered.

libvirt is its mock driver here: a domain "runs" there and is never ready, so a deployment waits in its last step until
it is cancelled; a root image that is not what the manifest says makes one fail. The images are made up."""
import hashlib
import json
import os
import time

from daemon import Daemon, equal, wait_for

FILES = ("vmlinuz", "initrd.img", "sm.sqfs", "cm.sqfs")


def make_images(d, damaged=False):
    """Images and their manifest; damaged: the root is not what was built."""
    folder = d.dir + "/var/lib/aurabox/images"
    os.makedirs(folder, mode=0o711, exist_ok=True)
    files = []
    for name in FILES:
        size = 1000
        with open(os.path.join(folder, name), "wb") as out:
            out.truncate(size)
        digest = hashlib.sha256(bytes(size))
        if damaged and name == "sm.sqfs":
            digest.update(b"x")
        files.append({"name": name, "size_bytes": size, "size": size, "sha256": digest.hexdigest(), "version": "0.1.0"})
    with open(os.path.join(folder, "manifest.json"), "w", encoding="ascii") as out:
        json.dump({"schema": 1, "version": "0.1.0", "files": files}, out)


def end_of(d, task_id, seconds=60):
    def ended():
        task = d.root.get("/tasks/" + task_id).json
        return task if task["ended_at"] else None
    return wait_for(ended, seconds, "the end of the task")


def waits_for_ready(d, task_id):
    def waiting():
        steps = d.root.get("/tasks/" + task_id).json["steps"]
        return steps[-1]["state"] == "running"
    wait_for(waiting, 20, "the last step")


def a_failed_task_tells_why(d):
    make_images(d, damaged=True)
    answer = d.root.post("/vms", {"template": "sm"})
    equal(answer.status, 202, answer)
    equal(answer.headers["Location"], "/api/v1/tasks/" + answer.json["id"])
    assert answer.json["state"] in ("queued", "running", "failed")
    equal(answer.json["target"], "vms/sm")
    task = end_of(d, answer.json["id"])
    equal(task["state"], "failed")
    for member in ("code", "detail", "resolution"):
        assert task["problem"][member], task
    assert [s["state"] for s in task["steps"]].count("failed") == 1, task["steps"]
    assert task["created_at"] <= task["started_at"] <= task["ended_at"]
    wait_for(lambda: d.root.get("/vms").json["items"] == [], 10, "the undoing")
    assert not os.path.exists(d.dir + "/var/lib/aurabox/disks/sm/data.qcow2"), "an orphan disk"
    equal(d.root.get("/tasks?target=vms/sm").json["items"][0]["id"], task["id"])
    equal(d.root.get("/tasks?state=succeeded").json["items"], [])
    assert isinstance(d.root.get("/tasks/%s/log" % task["id"]).json["lines"], list)
    kinds = [e["type"] for e in d.root.get("/events?topics=tasks&limit=500").json["items"]]
    assert kinds.count("task.changed") >= 2, kinds
    assert "event=task.ended id=%s" % task["id"] in d.log()
    late = d.root.post("/tasks/%s/actions/cancel" % task["id"])
    equal((late.status, late.code), (409, "state_conflict"))
    for path in ("/tasks/nosuch", "/tasks/%s" % answer.json["id"].replace("0", "1"), "/tasks/nosuch/log"):
        equal(d.root.get(path).code, "not_found")


def bad_deployments_change_nothing(d):
    before = len(d.root.get("/tasks").json["items"])
    for body, status, code, pointer in (
            ({"template": "nosuch"}, 422, "validation_failed", "/template"),
            ({"template": "sm", "name": "Bad Name"}, 422, "validation_failed", "/name"),
            ({"template": "sm", "address": "192.0.2.1"}, 422, "validation_failed", "/address"),
            ({"template": "sm", "address": "10.77.0.999"}, 422, "validation_failed", "/address"),
            ({"template": "sm", "memory_mib": 1048577}, 422, "validation_failed", "/memory_mib"),
            ({"template": "sm", "cpus": 64}, 422, "validation_failed", "/cpus")):
        answer = d.root.post("/vms", body)
        equal((answer.status, answer.code, answer.json["errors"][0]["pointer"]), (status, code, pointer), body)
    equal(len(d.root.get("/tasks").json["items"]), before)
    equal(d.root.get("/vms").json["items"], [])
    for action in ("start", "shutdown", "stop", "restart", "reset-everything"):
        equal(d.root.post("/vms/sm/actions/" + action).status, 404, action)


def a_killed_daemon_loses_no_task(d):
    make_images(d)
    made = d.root.post("/vms", {"template": "sm"})
    equal(made.status, 202)
    waits_for_ready(d, made.json["id"])
    equal([vm["name"] for vm in d.root.get("/vms").json["items"]], ["sm"])
    again = d.root.post("/vms", {"template": "sm"})
    equal((again.status, again.code), (409, "name_taken"))
    other = d.root.post("/vms", {"template": "cm", "address": "10.77.0.11"})
    equal((other.status, other.code), (409, "address_taken"))
    d.kill()
    d.start()
    task = d.root.get("/tasks/" + made.json["id"]).json
    assert task["ended_at"], task
    equal((task["state"], task["problem"]["code"]), ("failed", "interrupted"))
    wait_for(lambda: d.root.get("/vms").json["items"] == [], 20, "the undoing after the restart")
    assert not os.path.exists(d.dir + "/var/lib/aurabox/disks/sm/data.qcow2"), "an orphan disk"


def a_running_task_can_be_cancelled(d):
    made = d.root.post("/vms", {"template": "sm"})
    equal(made.status, 202)
    waits_for_ready(d, made.json["id"])
    answer = d.root.post("/tasks/%s/actions/cancel" % made.json["id"])
    equal(answer.status, 200)
    assert answer.json["state"] in ("cancelling", "cancelled"), answer
    equal(end_of(d, made.json["id"])["state"], "cancelled")
    # what it did is undone with the real driver (integration/vm): the mock cannot undefine as we ask


def stopping_ends_tasks_first(d):
    made = d.root.post("/vms", {"template": "cm"})
    waits_for_ready(d, made.json["id"])
    began = time.monotonic()
    equal(d.stop(), 0)
    assert time.monotonic() - began < 40
    d.start()
    assert d.root.get("/tasks/" + made.json["id"]).json["state"] in ("cancelled", "failed")


if __name__ == "__main__":
    with Daemon(libvirt__uri="test:///default") as daemon:
        for test in (a_failed_task_tells_why, bad_deployments_change_nothing, a_killed_daemon_loses_no_task,
                     a_running_task_can_be_cancelled, stopping_ends_tasks_first):
            print("-", test.__name__.replace("_", " "), flush=True)
            test(daemon)
