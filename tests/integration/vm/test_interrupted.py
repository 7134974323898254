#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
# needs: images
"""auraboxd killed in the middle of a deployment: the task is told, nothing is left over, the next one works."""
import os
import signal
import sys
import time

from box import Box, wait_until

# Into each step: the row alone, disk and domain, the running guest, the wait for readiness.
MOMENTS = (0.0, 0.15, 0.4, 0.8, 2.5)


def left_over(box):
    found = [f"domain {d}" for d in box.domains()]
    found += [f"disk {d}" for d in os.listdir(box.place("/var/lib/aurabox/disks"))]
    found += [f"vm {v['name']}" for v in box.api("GET", "/api/v1/vms").json["items"]]
    return found


def main():
    with Box("cut") as box:
        box.start()
        for moment in MOMENTS:
            reply = box.api("POST", "/api/v1/vms", {"template": "sm"})
            assert reply.status == 202, reply
            where = reply.headers["Location"]
            time.sleep(moment)
            domains = box.domains()
            box.stop_daemon(signal.SIGKILL)
            box.start_daemon()
            task = wait_until("the task has ended", 10, lambda: (lambda t: t["state"] in (
                "failed", "succeeded") and t)(box.api("GET", where).json))
            if task["state"] == "failed":
                assert task["problem"]["code"], task
                wait_until("all is undone", 15, lambda: not left_over(box))
            print(f"ok killed after {moment} s with {domains}: task {task['state']}", flush=True)
        # Cancelled by its task: the same.
        reply = box.api("POST", "/api/v1/vms", {"template": "sm"})
        wait_until("the guest runs", 20, lambda: box.domains(active=True))
        cancel = box.api("POST", reply.headers["Location"].removeprefix("http://localhost") + "/actions/cancel")
        assert cancel.status in (200, 202, 204), cancel
        task = box.task(reply, 30)
        assert task["state"] == "cancelled", task
        assert left_over(box) == [], left_over(box)
        print("ok cancelled", flush=True)
        # A data disk of before is kept when a deployment over it is undone.
        assert box.deploy("sm")["state"] == "succeeded"
        disk = box.place("/var/lib/aurabox/disks/sm/data.qcow2")
        inode = os.stat(disk).st_ino
        assert box.api("DELETE", "/api/v1/vms/sm").status == 204
        reply = box.api("POST", "/api/v1/vms", {"template": "sm"})
        wait_until("the guest runs", 20, lambda: box.domains(active=True))
        box.stop_daemon(signal.SIGKILL)
        box.start_daemon()
        wait_until("undone", 15, lambda: not box.domains())
        assert os.stat(disk).st_ino == inode
        assert box.deploy("sm")["state"] == "succeeded"
        assert os.stat(disk).st_ino == inode
        print("ok the data of before is kept", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
