#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 420
# needs: images
"""The life of one real guest: deploy, change, shut down, stop, crash, adopt, delete, deploy again, purge."""
import concurrent.futures
import os
import signal
import sys
import time

from box import Box, wait_until


def events(box, name):
    return [line for line in box.log().splitlines() if f"event={name} " in line + " "]


def deploys_and_is_ready(box):
    task = box.deploy("sm")
    assert task["state"] == "succeeded", task
    assert [s["name"] for s in task["steps"]] == ["check", "disk", "define", "start", "ready"], task
    vm = box.vm("sm")
    assert vm["state"] == "running" and vm["ready"] and vm["desired_state"] == "running", vm
    assert vm["addresses"] == ["10.77.0.11"] and vm["accelerator"] in ("kvm", "tcg"), vm
    assert len(vm["root"]["sha256"]) == 64 and vm["pending"] is None, vm
    assert vm["guest"]["memory_total_bytes"] > 0, vm
    assert vm["disks"][0]["size_bytes"] == 1 << 30, vm
    assert box.domains(active=True) == ["aurabox-sm"]
    xml = box.virsh("dumpxml", "aurabox-sm")
    assert 'xmlns:aurabox="urn:aurabox:vm:1"' in xml, xml
    # the fixed names of DESIGN section 13
    for event in ("vm.started vm=sm took_ms=", "vm.ready vm=sm took_ms="):
        assert f"event={event}" in box.log(), event


def name_and_address_are_taken(box):
    again = box.api("POST", "/api/v1/vms", {"template": "sm"})
    assert again.status == 409 and again.json["code"] == "name_taken", again
    other = box.api("POST", "/api/v1/vms", {"template": "sm", "name": "sm-2"})
    assert other.status == 409 and other.json["code"] == "address_taken", other
    assert other.json["errors"][0]["pointer"] == "/address", other
    assert len(box.api("GET", "/api/v1/vms").json["items"]) == 1
    assert os.listdir(box.place("/var/lib/aurabox/disks")) == ["sm"]


def console_log_is_readable(box):
    lines = box.api("GET", "/api/v1/vms/sm/log").json["lines"]
    assert any("agent.started" in line for line in lines), lines


def change_waits_for_the_next_start(box):
    tag = {"If-Match": box.api("GET", "/api/v1/vms/sm").headers["ETag"]}
    reply = box.api("PATCH", "/api/v1/vms/sm", {"memory_mib": 160}, tag)
    assert reply.status == 200, reply
    assert reply.json["memory_mib"] == 128 and reply.json["pending"] == {"memory_mib": 160}, reply
    stale = box.api("PATCH", "/api/v1/vms/sm", {"memory_mib": 170}, tag)
    assert stale.status == 412, stale
    low = box.api("PATCH", "/api/v1/vms/sm", {"memory_mib": 95}, {"If-Match": reply.headers["ETag"]})
    assert low.status == 422 and low.json["errors"][0]["pointer"] == "/memory_mib", low
    tag = {"If-Match": reply.headers["ETag"]}
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        sizes = range(170, 176)
        answers = list(pool.map(lambda n: box.api("PATCH", "/api/v1/vms/sm", {"memory_mib": n}, tag), sizes))
    assert sorted(a.status for a in answers) == [200] + [412] * 5, "of many that saw the same one wins"
    won = [n for n, a in zip(sizes, answers) if a.status == 200]
    assert box.vm("sm")["pending"] == {"memory_mib": won[0]}, won
    tag = {"If-Match": box.api("GET", "/api/v1/vms/sm").headers["ETag"]}
    assert box.api("PATCH", "/api/v1/vms/sm", {"memory_mib": 160}, tag).status == 200
    task = box.task(box.api("POST", "/api/v1/vms/sm/actions/restart"))
    assert task["state"] == "succeeded", task
    vm = box.vm("sm")
    assert vm["memory_mib"] == 160 and vm["pending"] is None and vm["ready"], vm
    assert vm["restarts"] == 0, "an asked restart is no crash"


def shutdown_asks_and_start_starts(box):
    task = box.task(box.api("POST", "/api/v1/vms/sm/actions/shutdown"))
    assert task["state"] == "succeeded", task
    told = box.api("GET", f"/api/v1/tasks/{task['id']}/log").json
    assert "forced" not in str(told), told
    vm = box.vm("sm")
    assert vm["state"] == "stopped" and vm["desired_state"] == "stopped" and not vm["ready"], vm
    assert box.domains(active=True) == []
    lines = box.api("GET", "/api/v1/vms/sm/log").json["lines"]
    assert any("init: stopping" in line for line in lines[-20:]), lines[-20:]
    time.sleep(2.5)
    assert box.vm("sm")["state"] == "stopped", "what is desired stopped is not started again"
    for action in ("shutdown", "stop"):
        refused = box.api("POST", f"/api/v1/vms/sm/actions/{action}")
        assert refused.status == 409 and refused.json["code"] == "state_conflict", refused
    task = box.task(box.api("POST", "/api/v1/vms/sm/actions/start"))
    assert task["state"] == "succeeded" and box.vm("sm")["ready"], task
    refused = box.api("POST", "/api/v1/vms/sm/actions/start")
    assert refused.status == 409, refused


def crash_is_started_again_with_an_alarm(box):
    os.kill(box.qemu_pid("sm"), signal.SIGKILL)
    wait_until("the crash is seen", 3, lambda: not box.vm("sm")["ready"])
    alarms = box.api("GET", "/api/v1/alarms?state=active").json["items"]
    assert [(a["code"], a["target"]) for a in alarms] == [("vm_crashed", "vms/sm")], alarms
    box.wait_ready("sm")
    assert box.vm("sm")["restarts"] == 1, box.vm("sm")
    assert events(box, "vm.crashed")[-1].count("restart_in_ms=1000") == 1
    wait_until("the alarm is cleared", 5, lambda: not box.api(
        "GET", "/api/v1/alarms?state=active").json["items"])


def daemon_ends_and_guests_stay(box):
    pid = box.qemu_pid("sm")
    assert box.stop_daemon() == 0
    os.kill(pid, 0)
    box.start_daemon()
    wait_until("adopted", 10, lambda: events(box, "vm.adopted"))
    box.wait_ready("sm", 15)
    assert box.qemu_pid("sm") == pid
    # killed, not ended: the same
    box.stop_daemon(signal.SIGKILL)
    box.start_daemon()
    box.wait_ready("sm", 15)
    assert box.qemu_pid("sm") == pid and len(events(box, "vm.adopted")) == 2


def libvirtd_dies_and_nobody_notices(box):
    pid = box.qemu_pid("sm")
    ready_before = len(events(box, "vm.not_ready"))
    for p in box.pids():
        with open(f"/proc/{p}/comm", encoding="ascii") as source:
            if source.read().strip() == "libvirtd":
                os.kill(p, signal.SIGKILL)
    wait_until("the loss is seen", 20, lambda: events(box, "libvirt.disconnected"))
    box.libvirtd_start()
    wait_until("connected again", 20, lambda: len(events(box, "libvirt.connected")) >
               len(events(box, "libvirt.disconnected")) or None)
    time.sleep(2)
    box.wait_ready("sm", 15)
    assert box.qemu_pid("sm") == pid and box.vm("sm")["restarts"] == 1
    assert len(events(box, "vm.crashed")) == 1, "a lost connection is no crash"
    print("not ready while libvirtd was away:", len(events(box, "vm.not_ready")) - ready_before)


def stopped_while_away_is_started_at_return(box):
    box.stop_daemon()
    box.virsh("destroy", "aurabox-sm")
    box.start_daemon()
    box.wait_ready("sm")
    assert box.vm("sm")["state"] == "running"


def stop_is_at_once(box):
    task = box.task(box.api("POST", "/api/v1/vms/sm/actions/stop"))
    assert task["state"] == "succeeded" and box.vm("sm")["state"] == "stopped", task


def damaged_image_is_not_started(box):
    good = box.images
    bad = f"{box.dir}/images"
    os.mkdir(bad)
    for name in os.listdir(good):
        if os.path.isfile(f"{good}/{name}"):
            with open(f"{good}/{name}", "rb") as source, open(f"{bad}/{name}", "wb") as out:
                out.write(source.read())
    with open(f"{bad}/sm.sqfs", "r+b") as out:
        out.seek(4096)
        byte = out.read(1)
        out.seek(4096)
        out.write(bytes([byte[0] ^ 1]))
    box.stop_daemon()
    box.images = bad
    box.start_daemon()
    task = box.task(box.api("POST", "/api/v1/vms/sm/actions/start"))
    assert task["state"] == "failed" and task["problem"]["code"] == "image_damaged", task
    assert box.domains(active=True) == []
    box.stop_daemon()
    box.images = good
    box.start_daemon()
    # still desired running: it comes up by itself once the image is good
    box.wait_ready("sm")


def delete_keeps_the_data_and_purge_does_not(box):
    disk = box.place("/var/lib/aurabox/disks/sm/data.qcow2")
    before = os.stat(disk).st_ino
    gone = box.api("DELETE", "/api/v1/vms/sm")
    assert gone.status == 204, gone
    assert box.api("GET", "/api/v1/vms/sm").status == 404
    assert box.domains() == [] and os.stat(disk).st_ino == before
    task = box.deploy("sm")
    assert task["state"] == "succeeded", task
    assert os.stat(disk).st_ino == before, "the data disk was not adopted"
    lines = box.api("GET", "/api/v1/vms/sm/log").json["lines"]
    assert sum("making the file system" in line for line in lines) == 1, lines
    gone = box.api("DELETE", "/api/v1/vms/sm?purge=true")
    assert gone.status == 204, gone
    assert not os.path.exists(disk) and os.listdir(box.place("/var/lib/aurabox/disks")) == []
    assert os.listdir(box.place("/var/lib/aurabox/logs")) == []
    assert box.api("DELETE", "/api/v1/vms/sm").status == 404


PARTS = (deploys_and_is_ready, name_and_address_are_taken, console_log_is_readable,
         change_waits_for_the_next_start, shutdown_asks_and_start_starts,
         crash_is_started_again_with_an_alarm, daemon_ends_and_guests_stay,
         libvirtd_dies_and_nobody_notices, stopped_while_away_is_started_at_return, stop_is_at_once,
         damaged_image_is_not_started, delete_keeps_the_data_and_purge_does_not)


def main():
    with Box("life") as box:
        box.start()
        for part in PARTS:
            began = time.monotonic()
            part(box)
            print(f"ok {part.__name__} {time.monotonic() - began:.1f}", flush=True)
        assert box.stop_daemon() == 0
        assert "ERROR: " not in box.log(), "a sanitizer complained"
    return 0


if __name__ == "__main__":
    sys.exit(main())
