#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
"""?dry_run=true of appliance, VMs, alarms, tasks and setup, without guests: plans, the same errors, nothing changed."""
from daemon import equal, run, wait_for


def snapshot(d):
    """What no plan may change."""
    return [d.root.get(path).json for path in
            ("/vms", "/alarms?limit=100", "/tasks?limit=100", "/audit?count=true&limit=100", "/setup")] + [
                d.root.get("/appliance").headers["ETag"]]


def plan(answer):
    equal(answer.status, 200, answer)
    equal(sorted(answer.json)[-2:], ["plan", "warnings"], answer)
    assert answer.json["plan"], answer
    assert all(p["action"] and p["target"] and p["detail"] for p in answer.json["plan"]), answer
    assert answer.headers["Location"] is None
    return [(p["action"], p["target"]) for p in answer.json["plan"]]


def an_appliance_plan_names_what_differs(d):
    tag = d.root.get("/appliance").headers["ETag"]
    name = d.root.get("/appliance").json["name"]
    answer = d.root.patch("/appliance?dry_run=true", {"name": "dry", "time_zone": "Asia/Tokyo"}, tag)
    equal(plan(answer), [("change", "appliance")] * 2)
    assert "dry" in answer.json["plan"][0]["detail"], answer
    equal(plan(d.root.patch("/appliance?dry_run=true", {"name": name}, tag)), [("keep", "appliance")])
    equal(d.root.patch("/appliance?dry_run=true", {"name": ""}, tag).status, 422)
    equal(d.root.patch("/appliance?dry_run=true", {"name": "x"}).status, 428)
    equal(d.root.patch("/appliance?dry_run=true", {"name": "x"}, '"old"').status, 412)
    equal(d.root.patch("/appliance?dry_run=maybe", {"name": "x"}, tag).json["errors"][0]["parameter"], "dry_run")


def a_vm_plan_fails_as_the_change_would(d):
    for path, body in (("/vms", {"template": "nosuch"}), ("/vms", {"template": "sm", "cpus": 0}), ("/vms", {}),
                       ("/vms", {"template": "sm", "nosuch": 1}), ("/vms", {"template": "sm", "name": "A"}),
                       ("/vms", {"template": "sm"}), ("/vms/no/actions/stop", None), ("/vms/no/actions/fly", None)):
        real, dry = d.root.post(path, body), d.root.post(path + "?dry_run=true", body)
        assert real.status >= 400, real
        equal((dry.status, dry.code, dry.json["detail"]), (real.status, real.code, real.json["detail"]), path)
    equal(d.root.delete("/vms/no?dry_run=true&purge=true").status, 404)


def an_alarm_plan_is_no_acknowledgement(d):
    wait_for(lambda: d.root.get("/alarms").json["items"], what="an alarm (there is no aurabox-priv)")
    alarm = d.root.get("/alarms").json["items"][0]
    path = "/alarms/%s/actions/acknowledge" % alarm["id"]
    answer = d.root.post(path + "?dry_run=true")
    equal(plan(answer), [("change", "alarms/" + alarm["id"])])
    equal([w["code"] for w in answer.json["warnings"]], ["still_active"])
    equal(d.root.get("/alarms/" + alarm["id"]).json["acknowledged_at"], None)
    equal(d.root.post(path).status, 200)
    equal(d.root.post(path + "?dry_run=true").code, "state_conflict")
    equal(d.root.post("/alarms/nosuch/actions/acknowledge?dry_run=true").status, 404)


def a_setup_plan_begins_no_task(d):
    answer = d.root.post("/setup/apply?dry_run=true", {"name": "dry", "components": ["smgr"]})
    equal(plan(answer), [("change", "appliance/name"), ("create", "vms/smgr")])
    equal(d.root.post("/setup/apply?dry_run=true", {"name": ""}).status, 422)


def a_task_that_has_ended_has_no_plan(d):
    where = d.root.post("/setup/apply", {}).headers["Location"]
    wait_for(lambda: d.root.get("/tasks").json["items"][0]["ended_at"])  # the list follows the task itself
    equal(d.root.post(where + "/actions/cancel?dry_run=true").code, "state_conflict")
    equal(d.root.post("/tasks/nosuch/actions/cancel?dry_run=true").status, 404)


def nothing_was_changed(d):
    before = snapshot(d)
    tag = d.root.get("/appliance").headers["ETag"]
    d.root.patch("/appliance?dry_run=true", {"name": "dry"}, tag)
    d.root.post("/vms?dry_run=true", {"template": "nosuch"})
    d.root.post("/setup/apply?dry_run=true", {"name": "dry"})
    d.root.post("/setup/plan?dry_run=true", {"name": "dry"})
    for alarm in before[1]["items"]:
        d.root.post("/alarms/%s/actions/acknowledge?dry_run=true" % alarm["id"])
    after = snapshot(d)
    for one, other in zip(before, after):
        if isinstance(one, dict) and "time" in one:
            one["time"]["now"] = other["time"]["now"]
        equal(other, one)


def who_may_not_change_sees_no_plan(d):
    auditor = d.admin("plan-auditor", "auditor")
    for method, path in (("PATCH", "/appliance"), ("POST", "/setup/apply"), ("POST", "/vms")):
        equal(auditor.call(method, path + "?dry_run=true", {}).status, 403, path)


if __name__ == "__main__":
    run([an_appliance_plan_names_what_differs, a_vm_plan_fails_as_the_change_would, an_alarm_plan_is_no_acknowledgement,
         a_setup_plan_begins_no_task, a_task_that_has_ended_has_no_plan, nothing_was_changed,
         who_may_not_change_sees_no_plan])
