#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 900
# needs: images
"""quickstart to calls: four guests, real phones, records; then what dies comes back or is not missed."""
import json
import os
import re
import secrets
import signal
import sys
import threading
import time

from appliance import COMPONENTS, Appliance, show
from box import wait_until


def setup_tells_it(a):
    """quickstart used the same door as the console's first run, which goes on from there."""
    task = a.items("/tasks?kind=setup.apply")[0]
    assert task["state"] == "succeeded" and task["progress"]["done"] == task["progress"]["total"] > 20, task
    state = a.must("GET", "/setup").json
    assert state["state"] == "in_progress" and state["current"]["people"] == 2, state
    assert {s["name"]: s["state"] for s in state["steps"]} == {
        "appliance": "todo", "components": "done", "people": "done", "call": "todo"}, state
    with open(a.place("/var/log/aurabox/quickstart-start_components.log"), encoding="utf-8") as source:
        told = source.read()
    assert all("step %s" % name in told for name in ("components", "people", "succeeded")), told
    assert "vms/presence: created" in told and a.password("3001") not in told, told


def quickstart_says_what_it_promises(a):
    began = time.monotonic()
    out = a.quickstart().stdout
    show("quickstart, prepared before", "%.1f s" % (time.monotonic() - began))
    root = a.root
    for want in (r"^Console: https://\S+:8443/$", r"^Administrator: admin$",
                 r"^One-time password: %s/var/lib/aurabox/initial-admin-password$" % re.escape(root),
                 r"^Demo users: 3001 3002$", r"^Try: packaging/demo-call 3001 3002"):
        assert re.search(want, out, re.M), want
    assert re.findall(r"^\[(\d)/9\] .* … \d+ s$", out, re.M) == list("123456789"), "progress lines"
    for name in ("initial-admin-password", "demo-users"):
        mode = os.stat(a.place("/var/lib/aurabox/" + name)).st_mode & 0o777
        assert mode == 0o600, (name, oct(mode))
    for name in COMPONENTS:
        vm = a.vm(name)
        assert vm["ready"] and vm["state"] == "running" and vm["accelerator"] in ("kvm", "tcg"), vm
        show(name, {k: vm[k] for k in ("addresses", "memory_mib", "accelerator")})
    setup_tells_it(a)
    again = a.quickstart().stdout
    assert "Demo users: 3001 3002" in again
    assert sorted(a.domains(active=True)) == sorted("aurabox-" + n for n in COMPONENTS)


def phones_call_and_are_recorded(a):
    a.demo_call()
    rows = a.cdr(1)
    call = rows[0]
    assert call["caller"].startswith("3001") or "3001" in call["caller"], call
    assert call["result"] == "answered" and call["sip_status"] == 200, call
    assert sorted(h["phase"] for h in call["halves"]) == ["imsorig", "imsterm"], call
    assert len(rows) == 1, rows
    steps = {s["name"]: s["state"] for s in a.must("GET", "/setup").json["steps"]}
    assert steps["call"] == "done", steps


def a_lost_password_is_set_anew(a):
    os.unlink(a.place("/var/lib/aurabox/demo-users"))
    a.quickstart()
    a.demo_call()


def a_plan_counts_calls_in_talk(a):
    call = threading.Thread(target=a.demo_call, kwargs={"seconds": 8})
    call.start()
    wait_until("the phones talk", 20, lambda: [c for c in a.items("/uc/calls") if c["state"] == "talking"])
    plan = a.must("POST", "/vms/sm/actions/shutdown?dry_run=true").json
    call.join()
    warnings = {w["code"]: w["detail"] for w in plan["warnings"]}
    assert set(warnings) == {"calls_stop", "calls_in_talk"}, plan
    assert warnings["calls_in_talk"].startswith("1 call in talk"), plan
    codes = [w["code"] for w in a.must("POST", "/vms/smgr/actions/shutdown?dry_run=true").json["warnings"]]
    assert codes == ["no_administration"], codes
    assert all(a.vm(name)["ready"] for name in COMPONENTS), "nothing was shut down"


def two_hundred_calls(a):
    before = len(a.cdr(a.answered))
    users = [("3003", secrets.token_hex(12)), ("3004", secrets.token_hex(12))]
    for user in users:
        a.add_user(*user)
        show("registered after", "%.2f s" % a.registers(*user))
    a.users = users
    began = time.monotonic()
    a.sipp_calls(*users, calls=200, rate=10)
    show("200 calls", "%.1f s" % (time.monotonic() - began))
    rows = a.cdr(before + 200, 20)
    assert len(rows) == before + 200, len(rows)
    for row in rows[:200]:
        assert row["result"] == "answered" and len(row["halves"]) == 2, row


def smgr_is_not_missed(a):
    before = len(a.items("/uc/cdr?limit=500"))
    a.act("smgr", "shutdown")
    a.demo_call()
    a.act("smgr", "start")
    a.wait_ready("smgr")
    user = ("3005", secrets.token_hex(12))
    a.add_user(*user)
    show("user added after smgr's return registers after", "%.2f s" % a.registers(*user, seconds=5))
    # The call made meanwhile was kept by cm and has arrived.
    a.cdr(before + 1, 15)
    os.kill(a.qemu_pid("smgr"), signal.SIGKILL)
    a.demo_call()
    wait_until("smgr restarted", 60, lambda: a.vm("smgr")["restarts"] >= 1)
    a.wait_ready("smgr")
    a.cdr(before + 2, 15)
    wait_until("replication in sync", 15, lambda: all(
        i["state"] == "in_sync" for i in a.items("/uc/replication")))


def killed_cm_comes_back(a):
    restarts = a.vm("cm")["restarts"]
    with a.phones_while_cm_dies(*a.users) as phones:
        assert phones.stdout.readline() == "ringing\n"
        os.kill(a.qemu_pid("cm"), signal.SIGKILL)
        told = json.loads(phones.communicate("killed\n", 30)[0])
    show("calls while cm is dead", told)
    assert told["in_flight"]["status"] == 500 and told["in_flight"]["after_s"] <= 2.3, told
    for later in told["later"]:
        assert later["status"] == 500 and later["after_s"] <= 0.2 and not later["retry_after"], told
    wait_until("cm noticed", 10, lambda: not a.vm("cm")["ready"])
    alarms = a.items("/alarms")
    assert any(i["code"] == "vm_crashed" and i["target"] == "vms/cm" for i in alarms), alarms
    began = time.monotonic()
    wait_until("cm restarted", 60, lambda: a.vm("cm")["restarts"] == restarts + 1 and a.vm("cm")["ready"])
    show("cm ready again after", "%.1f s" % (time.monotonic() - began))
    wait_until("a call works again", 20, lambda: a.demo_call(check=False).returncode == 0, pause=1)


def killed_daemon_adopts_what_runs(a):
    pids = {n: a.qemu_pid(n) for n in COMPONENTS}
    os.kill(a.daemon_pid(), signal.SIGKILL)
    time.sleep(0.5)
    a.demo_call()
    a.quickstart()
    assert {n: a.qemu_pid(n) for n in COMPONENTS} == pids, "a guest was restarted"
    assert len(re.findall(r"event=vm\.adopted", a.log())) >= 4
    a.wait_all_ready(30)


def stop_ends_all(a):
    a.quickstart("--stop")
    assert a.domains(active=True) == []
    a.quickstart()
    a.demo_call()
    a.quickstart("--purge")
    assert a.domains() == []
    assert not os.path.exists(a.place("/var/lib/aurabox"))


def main():
    with Appliance("appliance") as a:
        for part in (quickstart_says_what_it_promises, phones_call_and_are_recorded,
                     a_lost_password_is_set_anew, a_plan_counts_calls_in_talk, two_hundred_calls,
                     smgr_is_not_missed, killed_cm_comes_back, killed_daemon_adopts_what_runs, stop_ends_all):
            began = time.monotonic()
            part(a)
            print("ok %s %.1f" % (part.__name__, time.monotonic() - began), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
