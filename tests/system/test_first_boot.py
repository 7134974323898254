#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
# needs: images
"""Each VM's first boot is cut twice at random moments, as by a power failure; then it comes up and keeps up."""
import os
import random
import signal
import sys
import time

from box import Box, wait_until

COMPONENTS = ("smgr", "sm", "cm", "presence")
# Seconds after the start of QEMU within which a first boot makes its file system, keys and database.
WINDOW = {"smgr": (1.5, 8.0), "sm": (1.5, 6.0), "cm": (1.5, 6.0), "presence": (1.5, 6.0)}
CUTS = 2


def cut(box, name, seconds):
    """Kill the guest's QEMU so long after its start; returns the pid."""
    pid = wait_until(f"{name} runs", 30, lambda: qemu(box, name), 0.02)
    time.sleep(seconds)
    os.kill(pid, signal.SIGKILL)
    return pid


def qemu(box, name, other_than=None):
    try:
        pid = box.qemu_pid(name)
        os.kill(pid, 0)
    except (OSError, ValueError):
        return None
    return pid if pid != other_than else None


def first_boot(box, name, rng, cuts=CUTS):
    moments = [round(rng.uniform(*WINDOW[name]), 2) for _ in range(cuts)]
    reply = box.api("POST", "/api/v1/vms", {"template": name})
    for moment in moments:
        pid = cut(box, name, moment)
        wait_until(f"{name} is started again", 30, lambda p=pid: qemu(box, name, p), 0.05)
    task = box.task(reply, 150)
    assert task["state"] == "succeeded", (name, moments, task)
    box.wait_ready(name, 60)  # the last cut may have come after the deployment's end
    vm = box.vm(name)
    assert vm["ready"] and vm["restarts"] == cuts, (name, moments, vm)
    lines = box.api("GET", f"/api/v1/vms/{name}/log").json["lines"]
    made = sum("making the file system" in line for line in lines)
    return moments, made


def main():
    seed = int(os.environ.get("AURA_SEED", str(time.time_ns() % 1000000)))
    rng = random.Random(seed)
    print(f"seed {seed}", flush=True)
    with Box("firstboot", bin_dir=os.environ.get("AURA_RELEASE_BIN")) as box:
        box.start()
        for name in COMPONENTS:
            began = time.monotonic()
            moments, made = first_boot(box, name, rng)
            print(f"ok {name} cut after {moments} s, file system made {made} times, "
                  f"{time.monotonic() - began:.1f} s", flush=True)
        # What survived must also be whole: an ordinary restart of all, at once.
        tasks = [box.api("POST", f"/api/v1/vms/{name}/actions/restart") for name in COMPONENTS]
        for name, task in zip(COMPONENTS, tasks):
            assert box.task(task, 120)["state"] == "succeeded", name
            box.wait_ready(name, 60)
        print("ok restarted", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
