#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
# beside: others
"""What a browser is told to forbid, on every kind of answer that auraboxd gives over TLS; no guests needed."""
import http.client
import os
import re
import socket
import subprocess
import sys

TOP = os.environ.get("AURA_TOP") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, TOP + "/tests/integration/api")
from daemon import PASSWORD, Caller, Daemon, equal  # noqa: E402  (the path is set just above)

EVERYWHERE = {"x-content-type-options": "nosniff", "cross-origin-resource-policy": "same-origin"}
PAGES = ("/", "/index.html", "/people", "/people/3001", "/calls", "/machines/sm", "/system/audit?result=ok", "/setup",
         "/no/such/page", "/%3Cscript%3E", "/vms/x.js")


def headers_of(answer):
    return {name.lower(): value for name, value in answer.headers.items()}


def hardened(answer, what):
    """Holds on each answer, whatever it is."""
    got = headers_of(answer)
    for name, value in EVERYWHERE.items():
        equal(got.get(name), value, "%s: %s" % (what, name))
    age = re.fullmatch(r"max-age=(\d+)(; includeSubDomains)?", got.get("strict-transport-security", ""))
    assert age and int(age.group(1)) >= 15552000, (what, got)
    allowed = [name for name in got if name.startswith("access-control-allow")]
    equal(allowed, [], what)
    for name in ("server", "x-powered-by"):
        assert name not in got, (what, name)
    return got


def policy_of(got, what):
    """The Content-Security-Policy as {directive: [sources]}."""
    parts = [part.split() for part in got.get("content-security-policy", "").split(";") if part.strip()]
    policy = {part[0]: part[1:] for part in parts}
    equal(len(policy), len(parts), "%s: a directive stands once" % what)
    return policy


def pages_are_locked_down(d):
    for path in PAGES:
        answer = raw(d, "GET", path)
        got = hardened(answer, path)
        equal((answer.status, got["content-type"]), (200, "text/html; charset=utf-8"), path)
        policy = policy_of(got, path)
        equal(policy["default-src"], ["'self'"], path)
        equal(policy["frame-ancestors"], ["'none'"], path)
        for directive, sources in policy.items():
            for source in sources:
                assert source in ("'self'", "'none'", "data:"), (path, directive, source)
            assert "data:" not in sources or directive == "img-src", (path, directive)
        for directive in ("base-uri", "form-action", "object-src"):
            assert policy.get(directive, policy["default-src"] if directive == "object-src" else None) in (
                ["'self'"], ["'none'"]), (path, directive, policy)
        equal(got["cross-origin-opener-policy"], "same-origin", path)
        equal(got["cache-control"], "no-cache", path)
        equal(got.get("referrer-policy"), "no-referrer", path)
        assert got["etag"], path
        same = raw(d, "GET", path, {"If-None-Match": got["etag"]})
        equal((same.status, same.raw), (304, b""), path)
        hardened(same, path + " 304")
        hardened(raw(d, "HEAD", path), "HEAD " + path)


def assets_are_kept_for_ever_and_small(d):
    index = raw(d, "GET", "/").raw.decode()
    assets = sorted(set(re.findall(r'(?:src|href)="(/assets/[^"]+)"', index)))
    assert any(a.endswith(".js") for a in assets) and any(a.endswith(".css") for a in assets), index
    chunks = os.listdir(TOP + "/webui/dist/assets")
    assets += ["/assets/" + c for c in sorted(chunks) if not c.endswith((".br", ".gz"))]
    for path in sorted(set(assets)):
        plain = raw(d, "GET", path)
        got = hardened(plain, path)
        equal((plain.status, got["cache-control"]), (200, "public, max-age=31536000, immutable"), path)
        kind = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}.get(path.rsplit(".", 1)[1])
        assert kind is None or got["content-type"].startswith(kind), (path, got)
        for encoding in ("br", "gzip"):
            if not os.path.exists(TOP + "/webui/dist%s.%s" % (path, {"gzip": "gz"}.get(encoding, encoding))):
                continue
            small = raw(d, "GET", path, {"Accept-Encoding": encoding})
            told = hardened(small, path)
            equal((told.get("content-encoding"), told.get("vary")), (encoding, "Accept-Encoding"), path)
            assert len(small.raw) < len(plain.raw), path
    gone = raw(d, "GET", "/assets/none.js")
    equal(gone.status, 404)
    hardened(gone, "a missing asset")


def answers_of_the_api(d):
    s = d.session("admin")
    secret = s.post("/tokens", {"name": "metrics", "scopes": ["metrics"]}).json["token"]
    metrics = Caller(d, headers={"Authorization": "Bearer " + secret})
    big = b'{"name":"' + b"x" * (2 << 20) + b'"}'
    cases = (
        ("json", 200, lambda: s.get("/vms")),
        ("document", 200, lambda: d.nobody.get("/openapi.json")),
        ("created", 201, lambda: s.post("/admins", {"name": "hd", "role": "auditor", "password": PASSWORD})),
        ("no content", 204, lambda: s.delete("/admins/hd")),
        ("healthz", (200, 503), lambda: d.nobody.get("/healthz")),
        ("metrics", 200, lambda: metrics.get("/metrics")),
        ("metrics refused", 401, lambda: d.nobody.get("/metrics")),
        ("not JSON", 400, lambda: s.post("/admins", raw=b"{")),
        ("nobody", 401, lambda: d.nobody.get("/vms")),
        ("wrong log-in", 401, lambda: d.login("admin", "not the password at all")),
        ("forbidden", 403, lambda: metrics.get("/vms")),
        ("no token of the page", 403, lambda: s.post("/tokens", {}, headers={"X-CSRF-Token": None})),
        ("foreign origin", 403, lambda: s.post("/tokens", {}, headers={"Origin": "https://evil.example"})),
        ("not there", 404, lambda: s.get("/vms/none")),
        ("no such route", 404, lambda: s.get("/none")),
        ("method", 405, lambda: s.call("PUT", "/vms", {})),
        ("too large", 413, lambda: s.post("/admins", raw=big)),
        ("media type", 415, lambda: s.post("/admins", raw=b"{}", headers={"Content-Type": "text/plain"})),
        ("content", 422, lambda: s.post("/admins", {"colour": "red"})),
        ("precondition needed", 428, lambda: s.patch("/admins/admin", {"role": "admin"})),
        ("precondition failed", 412, lambda: s.patch("/admins/admin", {"role": "admin"}, '"stale"')),
    )
    for what, status, ask in cases:
        answer = ask()
        got = hardened(answer, what)
        assert answer.status in (status if isinstance(status, tuple) else (status,)), (what, answer)
        if answer.raw and what not in ("metrics", "document"):
            assert "no-store" in got.get("cache-control", "") or "no-cache" in got.get("cache-control", ""), (what, got)
        if answer.status >= 400 and what not in ("healthz",):
            equal(got["content-type"], "application/problem+json", what)
        elif answer.raw:
            equal(got["content-type"], "text/plain; version=0.0.4" if what == "metrics" else "application/json", what)
        if answer.status == 401:
            assert got.get("www-authenticate"), what
        if answer.status == 405:
            assert "GET" in got.get("allow", ""), got


def the_event_stream(d):
    s = d.session("admin")
    connection = s.connection()
    connection.request("GET", "/api/v1/events/stream", headers=dict(s.headers))
    response = connection.getresponse()
    got = hardened(response, "event stream")
    equal((response.status, got["content-type"].split(";")[0]), (200, "text/event-stream"))
    assert "no-" in got["cache-control"], got
    connection.close()


def a_cookie_is_the_browser_s_alone(d):
    cookie = d.login("admin", PASSWORD).headers["Set-Cookie"]
    parts = [part.strip() for part in cookie.split(";")]
    assert parts[0].startswith("__Host-aurabox="), cookie
    for part in ("Secure", "HttpOnly", "SameSite=Strict", "Path=/"):
        assert part in parts, cookie
    assert not any(part.lower().startswith("domain") for part in parts), cookie


def forged_requests_change_nothing(d):
    """As a page of another origin could make a browser send them: with the cookie."""
    s = d.session("admin")
    before = sorted(a["name"] for a in s.get("/admins").json["items"])
    body = {"name": "forged", "role": "admin", "password": PASSWORD}
    form = b"name=forged&role=admin&password=forged+password+0"
    disguised = b'{"name":"forged","role":"admin","password":"forged password 0","x":"=y"}'
    own = "https://localhost:%d" % d.port
    attempts = (
        ("foreign origin", dict(body=body, headers={"Origin": "https://evil.example"})),
        ("another port", dict(body=body, headers={"Origin": "https://localhost:%d" % (d.port + 1)})),
        ("another scheme", dict(body=body, headers={"Origin": "http://localhost:%d" % d.port})),
        ("a name that begins alike", dict(body=body, headers={"Origin": own + ".evil.example"})),
        ("null origin", dict(body=body, headers={"Origin": "null"})),
        ("no token", dict(body=body, headers={"X-CSRF-Token": None, "Origin": own})),
        ("empty token", dict(body=body, headers={"X-CSRF-Token": "", "Origin": own})),
        ("a guess", dict(body=body, headers={"X-CSRF-Token": "A" * 43, "Origin": own})),
        ("another's token", dict(body=body, headers={"X-CSRF-Token": d.session("admin").headers["X-CSRF-Token"]})),
        ("a form", dict(raw=form, headers={"Content-Type": "application/x-www-form-urlencoded", "X-CSRF-Token": None,
                                           "Origin": "https://evil.example"})),
        ("JSON as text", dict(raw=disguised, headers={"Content-Type": "text/plain", "X-CSRF-Token": None,
                                                     "Origin": "https://evil.example"})),
        ("JSON as text, no origin", dict(raw=disguised, headers={"Content-Type": "text/plain"})),
        ("method override", dict(body=body, headers={"X-CSRF-Token": None, "X-HTTP-Method-Override": "GET"})),
    )
    for what, request in attempts:
        answer = s.call("POST", "/admins", **request)
        assert answer.status in (403, 415), (what, answer)
        if answer.status == 403:
            equal(answer.code, "csrf_failed", what)
    for path in ("/events/stream", "/events/stream?topics=vms"):
        equal(s.get(path, headers={"Origin": "https://evil.example"}).code, "csrf_failed", path)
    equal(d.login("admin", PASSWORD, headers={"Origin": "https://evil.example"}).code, "csrf_failed", "log-in")
    for method in ("DELETE", "PATCH"):
        equal(s.call(method, "/admins/admin", headers={"Origin": "https://evil.example"}, body={}).code,
              "csrf_failed", method)
    equal(sorted(a["name"] for a in s.get("/admins").json["items"]), before)
    equal(s.get("/session").status, 200, "the session itself goes on")


def plain_http_is_not_spoken(d):
    with socket.create_connection(("127.0.0.1", d.port), timeout=10) as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        try:
            heard = s.recv(4096)
        except ConnectionError:
            heard = b""
    assert b"200" not in heard and b"<html" not in heard, heard


class Raw:
    """An answer outside the API."""

    def __init__(self, response):
        self.status, self.headers, self.raw = response.status, response.headers, response.read()


def raw(d, method, path, headers=None):
    connection = http.client.HTTPSConnection("localhost", d.port, timeout=30, context=d.tls)
    try:
        connection.request(method, path, headers=headers or {})
        return Raw(connection.getresponse())
    finally:
        connection.close()


def main():
    subprocess.run([TOP + "/packaging/build-console"], check=True, stdout=subprocess.DEVNULL)
    with Daemon() as d:
        first = d.initial_password()
        fresh = d.session("admin", first)
        equal(fresh.post("/session/password", {"old_password": first, "new_password": PASSWORD}).status, 204)
        for test in (pages_are_locked_down, assets_are_kept_for_ever_and_small, answers_of_the_api, the_event_stream,
                     a_cookie_is_the_browser_s_alone, forged_requests_change_nothing, plain_http_is_not_spoken):
            print("-", test.__name__.replace("_", " "), flush=True)
            test(d)
    return 0


if __name__ == "__main__":
    sys.exit(main())
