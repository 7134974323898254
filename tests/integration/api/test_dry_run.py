#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
"""?dry_run=true: a plan and its warnings, and nothing else: no change, no audit row, no event, no Location."""
from daemon import PASSWORD, Daemon, equal
from smgr import Smgr

# alarms come by themselves
EVENTS = "/events?count=true&limit=1&topics=admins,appliance,audit,tasks,tokens,uc.users,vms"


def traces(d, smgr):
    """All that a change would leave."""
    return (d.root.get("/audit?count=true&limit=1").json["total"], d.root.get(EVENTS).json["total"],
            d.root.get("/admins").json, d.root.get("/tokens").json, d.root.get("/tasks").json,
            smgr.psql("SELECT u.*, t.*, p.* FROM users u LEFT JOIN stations t ON t.user_id = u.id"
                      " LEFT JOIN presence_profiles p ON p.user_id = u.id ORDER BY u.id"),
            smgr.psql("SELECT version FROM replica.counter"))


def plan_of(answer):
    equal(answer.status, 200, answer)
    equal(set(answer.json), {"plan", "warnings"}, answer)
    equal(answer.headers["Location"], None)
    for line in answer.json["plan"]:
        equal(set(line), {"action", "target", "detail"}, answer)
    for line in answer.json["warnings"]:
        equal(set(line), {"code", "detail"}, answer)
    return [(p["action"], p["target"]) for p in answer.json["plan"]], [w["code"] for w in answer.json["warnings"]]


def users(d, smgr):
    body = {"handle": "3001", "name": "Ada", "password": "secret"}
    before = traces(d, smgr)
    steps, warnings = plan_of(d.root.post("/uc/users?dry_run=true", body))
    equal((steps, warnings), ([("create", "uc/users/3001")] * 4, []))
    bare = {"handle": "ann", "name": "Ann", "sip": None, "presence": None}
    equal(plan_of(d.root.post("/uc/users?dry_run=true", bare)), ([("create", "uc/users/ann")], []))
    equal(traces(d, smgr), before)
    made = d.root.post("/uc/users?dry_run=false", body)
    equal(made.status, 201, made)
    before, etag = traces(d, smgr), made.headers["ETag"]
    for wrong, status, code in ((body, 409, "name_taken"), ({"handle": "x y", "name": "X"}, 422, "validation_failed"),
                                (dict(body, handle="3009", station={"extension": "3001"}), 409, "name_taken")):
        answer = d.root.post("/uc/users?dry_run=true", wrong)
        equal((answer.status, answer.code), (status, code), answer)
    answer = d.root.patch("/uc/users/3001?dry_run=true", {"name": "Ada L.", "station": {"appearances": 5},
                                                          "presence": None}, etag)
    equal(plan_of(answer), ([("change", "uc/users/3001")] * 3, []))
    equal({p["detail"] for p in answer.json["plan"]}, {"name: Ada \u2192 Ada L.", "station.appearances: 3 \u2192 5",
                                                      'presence: {"enabled":true} \u2192 none'})
    equal(plan_of(d.root.patch("/uc/users/3001?dry_run=true", {"name": "Ada"}, etag))[0], [("keep", "uc/users/3001")])
    answer = d.root.patch("/uc/users/3001?dry_run=true", {"password": "another secret"}, etag)
    equal(plan_of(answer)[0], [("change", "uc/users/3001"), ("keep", "uc/users/3001")])
    assert b"another secret" not in answer.raw
    equal(d.root.patch("/uc/users/3001?dry_run=true", {"name": "X"}, '"old"').status, 412)
    equal(d.root.patch("/uc/users/3001?dry_run=true", {"name": "X"}).status, 428)
    equal(d.root.patch("/uc/users/3001?dry_run=true", {"handle": "3002"}, etag).status, 422)
    equal(plan_of(d.root.delete("/uc/users/3001?dry_run=true"))[0], [("delete", "uc/users/3001")] * 4)
    equal(d.root.delete("/uc/users/none?dry_run=true").status, 404)
    equal(traces(d, smgr), before)
    equal(d.root.get("/uc/users/3001").headers["ETag"], etag)


def administrators(d, smgr):
    body = {"name": "bea", "role": "operator", "password": PASSWORD}
    before = traces(d, smgr)
    equal(plan_of(d.root.post("/admins?dry_run=true", body)), ([("create", "admins/bea")], []))
    equal(d.root.post("/admins?dry_run=true", dict(body, password="short")).status, 422)
    equal(d.root.post("/admins?dry_run=true", dict(body, name="admin")).code, "name_taken")
    equal(d.root.delete("/admins/admin?dry_run=true").code, "state_conflict")
    equal(traces(d, smgr), before)
    bea = d.admin("bea", "operator")
    before, etag = traces(d, smgr), d.root.get("/admins/bea").headers["ETag"]
    answer = d.root.patch("/admins/bea?dry_run=true", {"role": "auditor", "password": PASSWORD + "!"}, etag)
    equal(plan_of(answer), ([("change", "admins/bea")] * 2, ["sessions_end"]))
    equal(plan_of(d.root.delete("/admins/bea?dry_run=true")), ([("delete", "admins/bea")], ["sessions_end", "tokens_end"]))
    equal(traces(d, smgr), before)
    equal(bea.get("/session").status, 200)  # still logged in
    equal(d.login("bea", PASSWORD + "!").status, 401)


def tokens(d, smgr):
    body = {"name": "t", "scopes": ["vms:read"], "expires_at": None}
    before = traces(d, smgr)
    answer = d.root.post("/tokens?dry_run=true", body)
    equal(plan_of(answer), ([("create", "tokens")], ["never_expires"]))
    assert b"abx_" not in answer.raw
    equal(d.root.post("/tokens?dry_run=true", dict(body, scopes=["all:all"])).status, 422)
    equal(traces(d, smgr), before)
    made = d.root.post("/tokens", body).json
    before = traces(d, smgr)
    equal(d.root.post("/tokens?dry_run=true", body).code, "name_taken")
    equal(plan_of(d.root.delete("/tokens/%s?dry_run=true" % made["id"])), ([("delete", "tokens")], ["token_ends"]))
    equal(traces(d, smgr), before)


def what_has_none_says_so(d, smgr):
    auditor = d.admin("ann", "auditor")
    before = traces(d, smgr)
    for caller, method, path, body in ((d.nobody, "POST", "/session", {"name": "a", "password": PASSWORD}),
                                       (auditor, "DELETE", "/session", None),
                                       (auditor, "POST", "/session/password", {"old_password": PASSWORD,
                                                                               "new_password": PASSWORD + "!"})):
        answer = caller.call(method, path + "?dry_run=true", body)
        equal((answer.status, answer.json["errors"][0]["parameter"]), (422, "dry_run"), answer)
    for value in ("", "yes", "1", "TRUE"):
        answer = d.root.post("/uc/users?dry_run=" + value, {"handle": "3003", "name": "C"})
        equal((answer.status, answer.json["errors"][0]["parameter"]), (422, "dry_run"), answer)
    equal(d.root.get("/uc/users?dry_run=true").status, 422)
    equal(d.root.post("/uc/users?dry_run=true&dry_run=true", {"handle": "3003", "name": "C"}).status, 422)
    equal(auditor.get("/session").status, 200)
    equal(traces(d, smgr)[2:], before[2:])


def who_may_not_change_may_not_plan(d, smgr):
    ann = d.session("ann")
    rows = traces(d, smgr)[0]
    answer = ann.post("/uc/users?dry_run=true", {"handle": "3003", "name": "C"})
    equal((answer.status, answer.code), (403, "forbidden"))
    equal(traces(d, smgr)[0], rows + 1)  # a refusal is a refusal


def every_change_plans_or_fails_but_never_changes(d, smgr):
    """Each change of the document, with an empty body and one that fits nothing."""
    before = traces(d, smgr)
    for path, methods in d.nobody.get("/openapi.json").json["paths"].items():
        for method, operation in methods.items():
            knows = [p["name"] for p in operation["parameters"] if p["name"] == "dry_run"]
            equal(bool(knows), method != "get" and not path.startswith("/api/v1/session"), (method, path))
            equal("x-dry-run" in operation, bool(knows))
            if knows:
                for thing in ("no-such-thing", "0190a0b0-0000-7000-8000-000000000000", "admin", "3001", "sm"):
                    target = "/".join(thing if part.startswith("{") else part for part in path.split("/"))
                    answer = d.root.call(method.upper(), target + "?dry_run=true",
                                         {} if "requestBody" in operation else None, headers={"If-Match": "*"})
                    assert answer.status in (200, 404, 409, 422, 503), (method, target, answer)
    equal(traces(d, smgr), before)


if __name__ == "__main__":
    with Daemon() as daemon, Smgr(daemon) as system_manager:
        for test in (users, administrators, tokens, what_has_none_says_so, who_may_not_change_may_not_plan,
                     every_change_plans_or_fails_but_never_changes):
            print("-", test.__name__.replace("_", " "), flush=True)
            test(daemon, system_manager)
