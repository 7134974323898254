#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 240
# needs: images
"""?dry_run=true with a real guest: what would happen, how long, what is lost; and nothing happens."""
import os
import sys

from box import Box, wait_until


def plan(reply):
    assert reply.status == 200 and "Location" not in reply.headers, reply
    return ([(p["action"], p["target"]) for p in reply.json["plan"]],
            " ".join(p["detail"] for p in reply.json["plan"]), [w["code"] for w in reply.json["warnings"]])


def post(box, path, body=None):
    return box.api("POST", f"/api/v1/{path}?dry_run=true", body)


def before_it_is_there(box):
    lines, text, codes = plan(post(box, "vms", {"template": "sm", "memory_mib": 160}))
    assert lines == [("create", "vms/sm"), ("create", "vms/sm"), ("start", "vms/sm")], lines
    assert "10.77.0.11" in text and "160 MiB" in text and "1024 MiB" in text and "at most 90 s" in text, text
    assert codes == ["component_missing"], codes
    assert box.api("GET", "/api/v1/vms").json["items"] == [] and box.domains() == []
    assert not os.listdir(box.place("/var/lib/aurabox/disks"))


def while_it_is_deployed(box):
    reply = box.api("POST", "/api/v1/vms", {"template": "sm"})
    lines, text, _ = plan(box.api("POST", reply.headers["Location"] + "/actions/cancel?dry_run=true"))
    assert lines[0][0] == "cancel" and "undone" in text, (lines, text)
    for path in ("vms/sm/actions/stop", "vms/sm/actions/restart"):
        assert post(box, path).json["code"] == "state_conflict", path
    assert box.api("DELETE", "/api/v1/vms/sm?dry_run=true").status == 409
    assert box.task(reply)["state"] == "succeeded"


def while_it_runs(box):
    vm = box.vm("sm")
    tag = {"If-Match": box.api("GET", "/api/v1/vms/sm").headers["ETag"]}
    lines, text, codes = plan(post(box, "vms/sm/actions/shutdown"))
    assert lines == [("stop", "vms/sm")] and "20 s" in text and codes == ["calls_stop"], (lines, text, codes)
    lines, text, codes = plan(post(box, "vms/sm/actions/stop"))
    assert lines == [("stop", "vms/sm")] and codes == ["calls_stop", "forced"], (lines, text, codes)
    lines, text, codes = plan(post(box, "vms/sm/actions/restart"))
    assert lines == [("stop", "vms/sm"), ("start", "vms/sm")] and "as last time" in text, (lines, text)
    assert post(box, "vms/sm/actions/start").status == 409
    lines, text, codes = plan(box.api("PATCH", "/api/v1/vms/sm?dry_run=true", {"memory_mib": 160, "cpus": 2}, tag))
    assert lines == [("change", "vms/sm")] * 2 and "at its next start" in text, (lines, text)
    assert codes == ["restart_needed"], codes
    lines, _, codes = plan(box.api("PATCH", "/api/v1/vms/sm?dry_run=true", {"cpus": vm["cpus"]}, tag))
    assert lines == [("keep", "vms/sm")] and codes == [], (lines, codes)
    assert box.api("PATCH", "/api/v1/vms/sm?dry_run=true", {"memory_mib": 95}, tag).status == 422
    assert box.api("PATCH", "/api/v1/vms/sm?dry_run=true", {"memory_mib": 160}).status == 428
    lines, text, codes = plan(box.api("DELETE", "/api/v1/vms/sm?dry_run=true"))
    assert lines == [("stop", "vms/sm"), ("delete", "vms/sm"), ("keep", "vms/sm")], lines
    lines, text, codes = plan(box.api("DELETE", "/api/v1/vms/sm?dry_run=true&purge=true"))
    assert lines == [("stop", "vms/sm"), ("delete", "vms/sm"), ("delete", "vms/sm")], lines
    assert codes == ["data_lost", "calls_stop"], codes
    now = box.vm("sm")
    assert (now["state"], now["ready"], now["pending"], now["started_at"]) == (
        "running", True, None, vm["started_at"]), now


def when_it_is_stopped(box):
    assert box.task(box.api("POST", "/api/v1/vms/sm/actions/stop"))["state"] == "succeeded"
    lines, text, codes = plan(post(box, "vms/sm/actions/start"))
    assert lines == [("start", "vms/sm")] and codes == [], (lines, codes)
    tag = {"If-Match": box.api("GET", "/api/v1/vms/sm").headers["ETag"]}
    _, text, codes = plan(box.api("PATCH", "/api/v1/vms/sm?dry_run=true", {"memory_mib": 160}, tag))
    assert "at once" in text and codes == [], (text, codes)
    lines, _, codes = plan(box.api("DELETE", "/api/v1/vms/sm?dry_run=true"))
    assert lines == [("delete", "vms/sm"), ("keep", "vms/sm")] and codes == [], (lines, codes)
    assert box.vm("sm")["state"] == "stopped"
    assert box.api("DELETE", "/api/v1/vms/sm").status == 204
    lines, text, _ = plan(post(box, "vms", {"template": "sm"}))
    assert lines == [("create", "vms/sm"), ("keep", "vms/sm"), ("start", "vms/sm")], lines
    assert "used again" in text, text


def no_plan_is_audited(box):
    rows = box.api("GET", "/api/v1/audit?limit=100").json["items"]
    done = [r["action"] for r in rows if r["result"] == "ok" and r["actor"] != "system"]
    assert sorted(done) == ["DELETE vms/{vm}", "POST vms", "POST vms/{vm}/actions/{action}"], rows


def main():
    with Box("plans") as box:
        box.start()
        wait_until("libvirt is connected", 20,
                   lambda: box.api("GET", "/api/v1/appliance").json["hypervisor"]["connected"])
        for test in (before_it_is_there, while_it_is_deployed, while_it_runs, when_it_is_stopped, no_plan_is_audited):
            test(box)
            print("ok", test.__name__, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
