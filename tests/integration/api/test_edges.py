#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 240
"""The edges of HTTP: framing, URLs, methods, media types, sizes, JSON, deadlines, floods, half-open connections."""
import json
import os
import socket
import ssl
import threading
import time

from daemon import PASSWORD, equal, run


def dial(d, tls=True):
    s = socket.create_connection(("127.0.0.1", d.port), timeout=20)
    return d.tls.wrap_socket(s, server_hostname="localhost") if tls else s


def hear(s, until=None, seconds=20):
    """Bytes until the peer closes or `until` is seen; and whether it closed."""
    out, end = b"", time.monotonic() + seconds
    s.settimeout(seconds)
    while until is None or until not in out:
        try:
            s.settimeout(max(0.01, end - time.monotonic()))
            part = s.recv(65536)
        except (TimeoutError, ssl.SSLWantReadError):
            return out, False
        except (ConnectionError, ssl.SSLError):
            return out, True
        if not part:
            return out, True
        out += part
    return out, False


def status(answer):
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


def ask(d, text, seconds=20):
    s = dial(d)
    s.sendall(text)
    out, closed = hear(s, b"\r\n\r\n", seconds)
    s.close()
    return status(out), closed, out


def framing_is_refused_and_closed(d):
    smuggled = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for head in (b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", b"Content-Length: 4\r\nContent-Length: 5\r\n",
                 b"Content-Length: 4\r\nContent-Length: 4\r\n", b"Transfer-Encoding: gzip, chunked\r\n",
                 b"Content-Length: -1\r\n", b"Content-Length: 4x\r\n", b"Host: other\r\n"):
        s = dial(d)
        s.sendall(b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\n" + head + b"\r\n0\r\n\r\n" + smuggled)
        out, closed = hear(s, seconds=8)
        assert 400 <= status(out) < 500, (head, out)
        assert closed, ("stays open", head)
        assert b"HTTP/1.1 200" not in out, ("a smuggled request was served", head, out)
        s.close()
    got, _, out = ask(d, b"GET /healthz HTTP/1.1\r\n\r\n")
    equal(got, 400, out)
    got, _, out = ask(d, b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
    assert b" 200 " in out[:16], out


def urls_have_one_meaning(d):
    for path in (b"/api/v1/vms%00", b"/api/v1/vms%00x", b"/api/v1/vms%2fx", b"/api/v1/../v1/vms", b"/api/v1/%2e%2e/vms",
                 b"/api/v1/vms/%0a", b"/api/v1/vms/a%7f", b"//api/v1/vms", b"/api/v1//vms", b"/api/v1/vms/%zz",
                 b"/api/v1/vms/%", b"/api/v1/vms/%c3", b"/api/v1/vms\\x", b"/assets/../index.html",
                 b"/assets/%2e%2e/index.html", b"http://localhost/api/v1/vms", b"*", b"/" + b"a" * 5000):
        got, _, out = ask(d, b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert got in (400, 404, 414), (path, out)
    got, _, out = ask(d, b"GET /api/v1/vms\x01 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert got in (400, 404) or not out, out


def methods_and_media_types(d):
    for method, path, allow in (("PUT", "/vms", "GET, POST, HEAD"), ("DELETE", "/session/password", "POST"),
                                ("OPTIONS", "/vms", "GET, POST, HEAD"), ("TRACE", "/healthz", "GET, HEAD"),
                                ("POST", "/healthz", "GET, HEAD")):
        answer = d.root.call(method, path)
        equal((answer.status, answer.code, answer.headers["Allow"]), (405, "method_not_allowed", allow), method + path)
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/json-patch+json", ""):
        answer = d.root.post("/vms", raw=b"{}", headers={"Content-Type": kind})
        equal((answer.status, answer.code), (415, "unsupported_media_type"), kind)
    equal(d.root.post("/vms", {}, headers={"Content-Type": "Application/JSON; charset=utf-8"}).status, 422)
    equal(d.root.post("/vms", {}, headers={"Content-Type": "application/merge-patch+json"}).status, 415)
    head = d.root.call("HEAD", "/vms")
    equal((head.status, head.raw), (200, b""))


def sizes_are_limited(d):
    big = b"{" + b" " * (2 * 1024 * 1024)
    answer = d.root.post("/session", raw=big)
    equal((answer.status, answer.code), (413, "body_too_large"))
    s = dial(d)
    s.sendall(b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
              b"Content-Length: 2000000\r\n\r\n")
    out, _ = hear(s, b"\r\n\r\n", 5)
    equal(status(out), 413, "at once")
    s.close()
    # chunked over the limit: read on for the answer, but not for ever
    for size, allowed in ((2 << 20, (413,)), (64 << 20, (413, 0))):
        s = dial(d)
        s.sendall(b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                  b"Transfer-Encoding: chunked\r\n\r\n")
        sent = 0
        try:
            while sent < size:
                s.sendall(b"10000\r\n" + b" " * 65536 + b"\r\n")
                sent += 65536
            s.sendall(b"0\r\n\r\n")
        except (ConnectionError, ssl.SSLError):
            pass
        out, _ = hear(s, b"\r\n\r\n", 5)
        assert status(out) in allowed, (size, out)
        s.close()
    got, _, out = ask(d, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 60000 + b"\r\n\r\n")
    assert got in (431, 400, 413), out[:100]


BAD_JSON = [b"", b" ", b"{", b"{}x", b"nul", b'{"name":1,"name":2}', b'\xef\xbb\xbf{}', b'{"name":"\xff"}',
            b'{"name":"a\x00b"}', b"{'name':1}", b'{"name":1,}', b'{"name":NaN}', b'{"a":' + b"[" * 2000]
ODD_JSON = [b'{"name":"\\ud800"}', b'{"name":"a\\u0000b"}', b'{"cpus":99999999999999999999}', b'{"cpus":1e400}',
            b'{"a":' + b"[" * 70 + b"]" * 70 + b"}"]


def json_is_read_strictly(d):
    for raw in BAD_JSON:
        answer = d.root.post("/vms", raw=raw)
        equal((answer.status, answer.code), (400, "json_invalid"), raw[:40])
    for raw in ODD_JSON:
        assert d.root.post("/vms", raw=raw).status in (400, 422), raw[:40]
    for raw in (b"[]", b'"x"', b"1", b"null", b"true"):
        answer = d.root.post("/vms", raw=raw)
        equal((answer.status, answer.code, answer.json["errors"][0]["pointer"]), (422, "validation_failed", ""), raw)
    for body, pointer in (({}, "/template"), ({"template": "sm", "colour": 1}, "/colour"),
                          ({"template": "sm", "cpus": 0}, "/cpus"), ({"template": "sm", "cpus": 1.5}, "/cpus"),
                          ({"template": "sm", "cpus": 2 ** 40}, "/cpus"), ({"template": "sm", "cpus": "2"}, "/cpus"),
                          ({"template": 7}, "/template"), ({"template": None}, "/template"),
                          ({"template": "sm", "a/b~c": 1}, "/a~1b~0c"), ({"template": "nosuch"}, "/template")):
        answer = d.root.post("/vms", body)
        equal((answer.status, answer.code, answer.json["errors"][0]["pointer"]),
              (422, "validation_failed", pointer), body)
        for member in ("type", "title", "status", "detail", "resolution", "request_id"):
            assert answer.json[member], answer
        equal(answer.headers["Content-Type"], "application/problem+json")
        equal(answer.headers["X-Request-Id"], answer.json["request_id"])


def queries_are_not_clamped(d):
    for path, parameter in (("/vms?limit=0", "limit"), ("/vms?limit=501", "limit"), ("/vms?limit=x", "limit"),
                            ("/vms?limit=-1", "limit"), ("/vms?nosuch=1", "nosuch"), ("/tasks?state=odd", "state"),
                            ("/vms?limit=1&limit=2", "limit"), ("/events/stream?topics=nosuch", "topics"),
                            ("/uc/users?sort=colour", "sort")):
        answer = d.root.get(path)
        equal((answer.status, answer.json["errors"][0].get("parameter")), (422, parameter), path)
    answer = d.root.post("/session/password?dry_run=true", {"old_password": "x" * 12, "new_password": "y" * 12})
    equal((answer.status, answer.json["errors"][0]["parameter"]), (422, "dry_run"),
          "a dry run that is not there must not become a change")
    equal(d.root.post("/vms?dry_run=yes", {"template": "sm"}).json["errors"][0]["parameter"], "dry_run")
    names, page = [], d.root.get("/templates?limit=1&count=true").json
    equal(page["total"], 4)
    while True:
        names += [t["name"] for t in page["items"]]
        if page["next_cursor"] is None:
            break
        page = d.root.get("/templates?limit=1&cursor=" + page["next_cursor"]).json
    equal(names, ["cm", "presence", "sm", "smgr"])
    equal(d.root.get("/vms?limit=500").json, {"items": [], "next_cursor": None})


def every_answer_has_its_headers(d):
    for path in ("/healthz", "/vms", "/nosuch", "/", "/openapi.json"):
        answer = d.nobody.get(path)
        equal(answer.headers["X-Content-Type-Options"], "nosniff", path)
        equal(answer.headers["Cross-Origin-Resource-Policy"], "same-origin", path)
        assert "max-age" in answer.headers["Strict-Transport-Security"], path
    equal(d.nobody.get("/openapi.json").headers["Cache-Control"], "no-store")
    equal(d.nobody.get("/api/v1/nosuch").code, "not_found")


def only_modern_tls(d):
    for version, cipher, good in ((ssl.TLSVersion.TLSv1_3, None, True),
                                  (ssl.TLSVersion.TLSv1_2, "ECDHE+AESGCM", True),
                                  (ssl.TLSVersion.TLSv1_2, "ECDHE+AES+SHA256:!AESGCM:!AESCCM", False),
                                  (ssl.TLSVersion.TLSv1_2, "AES128-GCM-SHA256", False),
                                  (ssl.TLSVersion.TLSv1_1, "ALL:@SECLEVEL=0", False)):
        context = ssl.create_default_context(cafile=d.dir + "/var/lib/aurabox/pki/ca.pem")
        context.minimum_version = context.maximum_version = version
        context.set_alpn_protocols(["h2", "http/1.1"])
        try:
            if cipher:
                context.set_ciphers(cipher)
            with context.wrap_socket(socket.create_connection(("127.0.0.1", d.port), timeout=10),
                                     server_hostname="localhost") as s:
                equal(s.selected_alpn_protocol(), "http/1.1")
                ok = True
        except (ssl.SSLError, ConnectionError):
            ok = False
        equal(ok, good, (version, cipher))


def plain_http_on_the_tls_port(d):
    s = dial(d, tls=False)
    s.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    out, closed = hear(s, seconds=8)
    assert closed and b"200 OK" not in out, out
    s.close()


def half_open_connections_leave_others_served(d):
    idle = []
    for _ in range(200):
        try:
            idle.append(dial(d, tls=False))
        except OSError:
            break
    began = time.monotonic()
    equal(d.root.get("/healthz").status, 200)
    took = time.monotonic() - began
    assert took < 1, took
    # another address is served over TLS as well
    s = socket.socket()
    s.bind(("127.0.0.2", 0))
    began = time.monotonic()
    s.connect(("127.0.0.1", d.port))
    with d.tls.wrap_socket(s, server_hostname="localhost") as t:
        t.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        out, _ = hear(t, b"\r\n\r\n", 5)
    assert status(out) == 200 and time.monotonic() - began < 1, out
    for s in idle:
        s.close()
    time.sleep(0.3)


def slow_clients_meet_deadlines(d):
    """Header 10 s, JSON body 30 s, whoever keeps dribbling: three clients at once."""
    took = {}

    def dribble(name, start, byte, limit):
        s = dial(d)
        began = time.monotonic()
        s.sendall(start)
        s.settimeout(0.5)
        while time.monotonic() - began < limit + 8:
            try:
                s.sendall(byte)
                if not s.recv(4096):
                    break
            except (TimeoutError, ssl.SSLWantReadError):
                continue
            except (ConnectionError, ssl.SSLError):
                break
        took[name] = time.monotonic() - began
        s.close()

    body = (b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 1000\r\n\r\n{")
    threads = [threading.Thread(target=dribble, args=a) for a in
               (("header", b"GET /healthz HTTP/1.1\r\n", b"X: y\r\n", 10), ("nothing", b"\r\n", b"", 10),
                ("body", body, b" ", 30))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for name, limit in (("header", 10), ("nothing", 10), ("body", 30)):
        assert limit - 1 < took[name] < limit + 5, took


def connections_of_one_address_are_limited(d):
    held = []
    for _ in range(128):
        s = dial(d)
        held.append(s)
    s = dial(d, tls=False)
    _, closed = hear(s, seconds=3)
    assert closed, "the 129th was not refused"
    for s in held:
        s.close()
    time.sleep(0.5)
    equal(d.nobody.get("/healthz").status, 200)


def keep_alive_and_pipelining(d):
    s = dial(d)
    s.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 5)
    out = b""
    while out.count(b'"status"') < 5 * 4:
        part, closed = hear(s, b"}", 5)
        out += part
        assert not closed and part, out
    equal(out.count(b"HTTP/1.1 200"), 5)
    s.close()


def an_ended_client_does_not_end_the_daemon(d):
    for _ in range(50):
        s = dial(d)
        s.sendall(b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n")
        s.close()
    for _ in range(20):
        s = dial(d, tls=False)
        s.sendall(os.urandom(300))
        s.close()
    equal(d.root.get("/healthz").status, 200)


def secrets_do_not_reach_the_log(d):
    d.login("admin", PASSWORD + "-typed-wrongly")
    d.root.post("/admins", {"name": "q", "role": "nosuch", "password": "my-very-secret-word"})
    assert "typed-wrongly" not in d.log() and "my-very-secret-word" not in d.log()
    assert json.dumps("x")


if __name__ == "__main__":
    run([framing_is_refused_and_closed, urls_have_one_meaning, methods_and_media_types, sizes_are_limited,
         json_is_read_strictly, queries_are_not_clamped, every_answer_has_its_headers, only_modern_tls,
         plain_http_on_the_tls_port, half_open_connections_leave_others_served, connections_of_one_address_are_limited,
         keep_alive_and_pipelining, an_ended_client_does_not_end_the_daemon, secrets_do_not_reach_the_log,
         slow_clients_meet_deadlines])
