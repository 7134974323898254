#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 240
# needs: images
"""Deployments that must be refused: each a clear problem, and nothing half-done behind it."""
import json
import os
import shutil
import subprocess
import sys

from box import SOURCE, Box, wait_until


def nothing_done(box):
    assert box.api("GET", "/api/v1/vms").json["items"] == []
    assert box.domains() == []
    assert os.listdir(box.place("/var/lib/aurabox/disks")) == []


def refused(box, body, status, code, pointer=None):
    reply = box.api("POST", "/api/v1/vms", body)
    assert reply.status == status, reply
    problem = reply.json
    assert problem["code"] == code and problem["detail"], reply
    if pointer is not None:
        assert problem["errors"][0]["pointer"] == pointer, reply
    nothing_done(box)
    return problem


def bodies(box):
    for body, pointer in (({}, "/template"), ({"template": "nothing"}, "/template"),
                          ({"template": "sm", "surprise": 1}, "/surprise"),
                          ({"template": "sm", "name": "Bad_Name"}, "/name"),
                          ({"template": "sm", "name": "a" * 64}, "/name"),
                          ({"template": "sm", "cpus": 0}, "/cpus"),
                          ({"template": "sm", "cpus": 9}, "/cpus"),
                          ({"template": "sm", "memory_mib": 95}, "/memory_mib"),
                          ({"template": "sm", "address": "10.77.0.300"}, "/address"),
                          ({"template": "sm", "address": "10.78.0.11"}, "/address"),
                          ({"template": "sm", "address": "10.77.0.1"}, "/address"),
                          ({"template": "sm", "address": "10.77.0.255"}, "/address")):
        refused(box, body, 422, "validation_failed", pointer)
    refused(box, b'{"template":"sm","cpus":99999999999999999999}', 400, "json_invalid")
    refused(box, b'{"template":"sm"', 400, "json_invalid")
    refused(box, {"template": "sm", "memory_mib": 65536}, 409, "resources_exhausted")


def broken_template(box):
    problem = refused(box, {"template": "broken"}, 422, "validation_failed", "/template")
    assert "/memory_mib" in problem["detail"] and "broken" in problem["resolution"], problem
    templates = {t["name"]: t for t in box.api("GET", "/api/v1/templates").json["items"]}
    assert not templates["broken"]["valid"], templates["broken"]
    assert templates["broken"]["errors"][0]["pointer"] == "/memory_mib", templates["broken"]
    assert templates["sm"]["valid"] and templates["sm"]["deployed"] == []


def missing_images(box):
    problem = refused(box, {"template": "noimage"}, 409, "state_conflict")
    assert "noimage.sqfs" in problem["detail"], problem


def full_disk(box):
    box.run(["mount", "-t", "tmpfs", "-o", "size=16m,mode=0711,uid=aurabox", "none",
             "/var/lib/aurabox/disks"])
    task = box.task(box.api("POST", "/api/v1/vms", {"template": "sm"}))
    assert task["state"] == "failed" and task["problem"]["code"] == "disk_full", task
    assert task["problem"]["resolution"], task
    wait_until("undone", 10, lambda: not box.api("GET", "/api/v1/vms").json["items"])
    assert box.output(["ls", "-A", "/var/lib/aurabox/disks"]) == ""
    box.run(["umount", "/var/lib/aurabox/disks"])
    nothing_done(box)


def own_tree(box):
    """A tree like the source's, with a template that is broken and one without an image."""
    tree = f"{box.dir}/tree"
    shutil.copytree(f"{SOURCE}/vmtemplates", f"{tree}/vmtemplates",
                    ignore=shutil.ignore_patterns("image"))
    shutil.copytree(f"{SOURCE}/sql", f"{tree}/sql")
    with open(f"{tree}/vmtemplates/sm/template.json", encoding="utf-8") as source:
        sm = json.load(source)
    for name, change in (("broken", {"memory_mib": "much"}), ("noimage", {"root": {"image": "noimage.sqfs"}})):
        os.mkdir(f"{tree}/vmtemplates/{name}")
        with open(f"{tree}/vmtemplates/{name}/template.json", "w", encoding="utf-8") as out:
            json.dump({**sm, "name": name, **change}, out)
    os.makedirs(f"{tree}/build/test/bin")
    for name in ("auraboxd", "aurabox-priv"):
        shutil.copy(f"{box.bin}/{name}", f"{tree}/build/test/bin/{name}")
    subprocess.run(["chmod", "-R", "a+rX", tree], check=True)
    box.bin = f"{tree}/build/test/bin"


def main():
    with Box("bad") as box:
        own_tree(box)
        box.start()
        for part in (bodies, broken_template, missing_images, full_disk):
            part(box)
            print(f"ok {part.__name__}", flush=True)
        assert box.stop_daemon() == 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
