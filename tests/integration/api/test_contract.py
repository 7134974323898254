#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
"""Every route of openapi.json: without log-in, with each role, and each answer against its schema."""
import re

from daemon import PASSWORD, Caller, equal, run

ROLES = {
    "admin": None,  # everything
    "operator": {"appliance:read", "templates:read", "vms:read", "vms:write", "vms:act", "tasks:read", "tasks:act",
                 "alarms:read", "alarms:act", "events:read", "tokens:read", "tokens:write", "metrics:read"},
    "telephony": {"appliance:read", "tasks:read", "alarms:read", "alarms:act", "events:read", "tokens:read",
                  "tokens:write", "uc:read", "uc:write", "uc:act"},
    "auditor": {"appliance:read", "templates:read", "vms:read", "tasks:read", "alarms:read", "events:read",
                "admins:read", "tokens:read", "audit:read", "uc:read", "metrics:read", "setup:read"},
    "user": {"tokens:read", "tokens:write"},
}
PUBLIC = {"GET /healthz", "GET /sip", "GET /api/v1/openapi.json", "POST /api/v1/session"}
UUID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
TYPES = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "object": dict, "array": list,
         "null": type(None)}


def check(value, schema, document, at="$"):
    """JSON Schema as far as the document uses it; raises AssertionError."""
    if "$ref" in schema:
        return check(value, document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], document, at)
    if "anyOf" in schema:
        faults = []
        for one in schema["anyOf"]:
            try:
                return check(value, one, document, at)
            except AssertionError as fault:
                faults.append(str(fault))
        raise AssertionError("%s: %s" % (at, faults))
    kind = schema.get("type")
    if kind:
        kinds = kind if isinstance(kind, list) else [kind]
        assert any(isinstance(value, TYPES[k]) and not (isinstance(value, bool) and k in ("integer", "number"))
                   for k in kinds), "%s: %r is no %s" % (at, value, kind)
    if "enum" in schema:
        assert value in schema["enum"], "%s: %r not in %s" % (at, value, schema["enum"])
    if schema.get("format") == "uuid":
        assert UUID.match(value), "%s: %r is no UUIDv7" % (at, value)
    if schema.get("format") == "date-time":
        assert TIME.match(value), "%s: %r is no time" % (at, value)
    if isinstance(value, dict):
        members = schema.get("properties", {})
        for name in schema.get("required", []):
            assert name in value, "%s: %s is missing" % (at, name)
        for name, inner in value.items():
            more = schema.get("additionalProperties", True)
            if name in members:
                check(inner, members[name], document, at + "." + name)
            elif isinstance(more, dict):
                check(inner, more, document, at + "." + name)
            else:
                assert more, "%s: %s is not in the schema" % (at, name)
    if isinstance(value, list) and "items" in schema:
        for i, one in enumerate(value):
            check(one, schema["items"], document, "%s[%d]" % (at, i))
    return None


def routes(document):
    for path, methods in sorted(document["paths"].items()):
        for method, operation in methods.items():
            yield method.upper(), path, operation


def validate(document, operation, answer):
    kind = answer.headers.get("Content-Type", "")
    if answer.status >= 400:
        assert kind == "application/problem+json", (kind, answer)
        check(answer.json, document["components"]["schemas"]["problem"], document)
        if answer.code in document["x-problem-codes"]:
            equal(answer.status, document["x-problem-codes"][answer.code], answer)
        return
    content = operation["responses"].get(str(answer.status), {}).get("content", {})
    if answer.status == 503 or not content:
        return
    assert kind in content or kind.split(";")[0] in content, (kind, content)
    if answer.json is not None:
        check(answer.json, content["application/json"]["schema"], document)


def fill(path):
    return re.sub(r"\{[a-z]+\}", "no-such-thing", path)


def document_is_sound(d):
    document = d.nobody.get("/openapi.json").json
    equal(document["openapi"], "3.1.0")
    seen = set()
    for method, path, operation in routes(document):
        assert operation["operationId"] not in seen and operation["summary"]
        seen.add(operation["operationId"])
        equal("security" in operation, method + " " + path in PUBLIC, path)
        equal([p["name"] for p in operation["parameters"] if p["in"] == "path"], re.findall(r"\{([a-z]+)\}", path))

    def references(node):
        if isinstance(node, dict):
            for key, inner in node.items():
                if key == "$ref":
                    target = document
                    for part in inner[2:].split("/"):
                        target = target[part]
                else:
                    references(inner)
        elif isinstance(node, list):
            for inner in node:
                references(inner)
    references(document)


def without_log_in_nothing_opens(d):
    document = d.nobody.get("/openapi.json").json
    for method, path, operation in routes(document):
        if method + " " + path in PUBLIC:
            continue
        body = {} if "requestBody" in operation else None
        answer = d.nobody.call(method, fill(path), body)
        equal((answer.status, answer.code), (401, "unauthenticated"), method + path)
        validate(document, operation, answer)


def each_role_opens_what_it_may(d):
    document = d.nobody.get("/openapi.json").json
    for role, may in ROLES.items():
        # a caller for each request that would end the session
        name = "role-" + role
        caller = d.admin(name, role)
        got = set(caller.get("/session").json["permissions"])
        if may is not None:
            equal(got, may, role)
        for method, path, operation in routes(document):
            permission = operation.get("x-permission")
            if permission is None or path == "/api/v1/events/stream" or (method, path) == ("DELETE", "/api/v1/session"):
                continue
            body = {} if "requestBody" in operation else None
            answer = caller.call(method, fill(path), body)
            if permission == "*" or may is None or permission in may:
                assert answer.status not in (401, 403), (role, method, path, answer)
            else:
                equal((answer.status, answer.code), (403, "forbidden"), (role, method, path))
            assert answer.status != 500, (method, path, answer)
            validate(document, operation, answer)


def answers_match_their_schemas(d):
    document = d.nobody.get("/openapi.json").json
    s = d.session("role-admin")
    operations = {(m, p): o for m, p, o in routes(document)}

    def run_one(method, path, pattern=None, body=None, want=200, headers=None):
        answer = s.call(method, path, body, headers=headers)
        equal(answer.status, want, "%s %s %r" % (method, path, answer))
        validate(document, operations[(method, "/api/v1" + (pattern or path))], answer)
        return answer

    made = run_one("POST", "/admins", body={"name": "c", "role": "user", "password": PASSWORD}, want=201)
    run_one("GET", "/admins/c", "/admins/{admin}")
    run_one("PATCH", "/admins/c", "/admins/{admin}", {"role": "auditor"},
            headers={"If-Match": made.headers["ETag"]})
    run_one("DELETE", "/admins/c", "/admins/{admin}", want=204)
    made = run_one("POST", "/tokens", body={"name": "c", "scopes": ["vms:read"]}, want=201)
    run_one("GET", "/tokens/" + made.json["id"], "/tokens/{id}")
    for path in ("/tokens", "/admins", "/audit", "/events", "/alarms", "/tasks", "/vms", "/templates", "/session",
                 "/appliance"):
        run_one("GET", path)
    run_one("PATCH", "/appliance", body={"name": "c"}, headers={"If-Match": s.get("/appliance").headers["ETag"]})
    alarm = s.get("/alarms").json["items"][0]["id"]
    run_one("POST", "/alarms/%s/actions/acknowledge" % alarm, "/alarms/{id}/actions/acknowledge")
    equal(s.post("/alarms/%s/actions/acknowledge" % alarm).code, "state_conflict")
    equal(s.get("/alarms/" + alarm).json["acknowledged_by"], "role-admin")
    health = s.get("/healthz").json["components"]
    equal(health["database"], {"status": "ok", "detail": ""})
    hidden = d.nobody.get("/healthz").json["components"]
    equal({n: c["status"] for n, c in hidden.items()}, {n: c["status"] for n, c in health.items()})
    assert health["uc"]["detail"] != hidden["uc"]["detail"], health
    equal({c["detail"] for c in hidden.values()}, {"", "log in to see why"})
    templates = {t["name"] for t in s.get("/templates").json["items"]}
    assert {"smgr", "sm", "cm", "presence"} <= templates, templates
    run_one("GET", "/templates/sm", "/templates/{template}")
    equal(s.get("/templates/nosuch").status, 404)


def unreachable_parts_are_503(d):
    s = d.session("role-admin")
    for method, path, body in (("GET", "/uc/users", None), ("GET", "/uc/export", None),
                               ("POST", "/uc/users", {"handle": "3001", "name": "Ada", "password": "secret-word-1"})):
        answer = s.call(method, path, body)
        equal((answer.status, answer.code), (503, "unavailable"), path)
        assert "Retry-After" in answer.headers
    equal(s.get("/audit?limit=1").json["items"][0]["result"], "unavailable")


def tokens_of_the_local_socket(d):
    made = d.root.post("/tokens", {"name": "from-socket", "scopes": ["vms:read"]})
    equal(made.status, 201)
    equal(Caller(d, headers={"Authorization": "Bearer " + made.json["token"]}).get("/vms").status, 200)


if __name__ == "__main__":
    run([document_is_sound, without_log_in_nothing_opens, each_role_opens_what_it_may, answers_match_their_schemas,
         unreachable_parts_are_503, tokens_of_the_local_socket])
