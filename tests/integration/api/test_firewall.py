#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
"""The SIP firewall by the API: rules and limits reach sm within a second, it tells what it did, and who is in quarantine
can be let out; by the CLI, too; all of it in an export and back."""
import json
import os
import shutil
import socket
import subprocess

from daemon import BIN, Daemon, equal, wait_for  # noqa: E402
from session_manager import SessionManager, folder_for  # noqa: E402
from smgr import Smgr  # noqa: E402

SM = ("127.0.0.1", 5060)
OPTIONS = ("OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {0}:{1};branch=z9hG4bK{2}\r\nMax-Forwards: 70\r\n"
           "From: <sip:t@x>;tag=1\r\nTo: <sip:x@127.0.0.1>\r\nCall-ID: {2}@{0}\r\nCSeq: 1 OPTIONS\r\n"
           "Content-Length: 0\r\n\r\n")


class Source:
    """Somebody at an address of his own."""
    count = 0

    def __init__(self, address):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((address, 0))
        self.sock.settimeout(0.4)

    def asks(self):
        Source.count += 1
        address, port = self.sock.getsockname()
        self.sock.sendto(OPTIONS.format(address, port, "b%d" % Source.count).encode(), SM)
        try:
            return self.sock.recv(2000).startswith(b"SIP/2.0")
        except TimeoutError:
            return False

    def garbage(self, n):
        for i in range(n):
            self.sock.sendto(b"\x16\x03 not SIP %d\r\n\r\n" % i, SM)


def cli(d, *argv, code=0):
    done = subprocess.run([BIN + "/aurabox", "--socket", d.socket, *argv], capture_output=True, text=True, timeout=30)
    equal(done.returncode, code, (argv, done.stdout, done.stderr))
    return done.stdout


def quarantined(d):
    return [q["address"] for q in d.root.get("/uc/firewall").json["quarantined"]]


def rules_are_in_force_at_once(d, source):
    assert source.asks()
    rule = d.root.post("/uc/firewall-rules", {"pattern": "127.0.0.*", "action": "deny", "notes": "who calls all night"})
    equal(rule.status, 201, rule)
    wait_for(lambda: not source.asks(), 5, "the rule")
    state = d.root.get("/uc/firewall").json
    mine, = [r for r in state["rules"] if r["origin"] == "administration"]
    equal((mine["pattern"], mine["action"]), ("127.0.0.*", "deny"))
    assert mine["hits"] >= 1 and state["blocked"]["deny"] >= 1, state
    assert {"pattern": "127.0.0.1", "action": "allow", "origin": "configuration"}.items() <= state["rules"][0].items()
    equal(d.root.post("/uc/firewall-rules", {"pattern": "127.0.0.2", "action": "allow"}).status, 201)
    wait_for(source.asks, 5, "the narrower rule")  # the narrowest decides
    text = cli(d, "firewall", "list")
    assert "127.0.0.*" in text and "who calls all night" in text, text
    for row in json.loads(cli(d, "--json", "firewall", "list"))["items"]:
        cli(d, "firewall", "delete", row["id"])
    wait_for(lambda: len(d.root.get("/uc/firewall").json["rules"]) == 2, 5, "no rule any more")


def limits_are_in_force_at_once(d, source):
    equal(d.root.get("/uc/firewall").json["limits"]["malformed_max"], 20)
    cli(d, "firewall", "limits", "--malformed-max", "3", "--quarantine-s", "600")
    wait_for(lambda: d.root.get("/uc/firewall").json["limits"]["malformed_max"] == 3, 5, "the limit")
    source.garbage(5)
    wait_for(lambda: quarantined(d) == ["127.0.0.2"], 5, "quarantine")
    assert not source.asks()


def who_is_in_quarantine_is_let_out(d, source):
    release = "/uc/firewall/actions/release"
    equal(d.root.post(release, {"address": "no"}).json["errors"][0]["pointer"], "/address")
    plan = d.root.post(release + "?dry_run=true", {"address": "127.0.0.2"}).json["plan"]
    equal([(p["action"], p["detail"]) for p in plan], [("release", "127.0.0.2")])
    equal(quarantined(d), ["127.0.0.2"])
    equal(d.root.post(release, {"address": "192.0.2.1"}).json, {"released": 0})
    auditor = d.admin("fw-auditor", "auditor")
    equal(auditor.post(release, {}).status, 403)
    equal(auditor.get("/uc/firewall").status, 200)
    text = cli(d, "firewall", "status")
    assert "malformed" in text and "127.0.0.2" in text, text
    cli(d, "firewall", "release", "127.0.0.2")
    equal(quarantined(d), [])
    assert source.asks()
    source.garbage(5)
    wait_for(lambda: quarantined(d) == ["127.0.0.2"], 5, "quarantine again")
    equal(d.root.post(release, {}).json, {"released": 1})
    assert source.asks()
    types = [e["type"] for e in d.root.get("/events?topics=uc.firewall&limit=20").json["items"]]
    equal(types.count("firewall.released"), 3, types)
    row = [a for a in d.root.get("/audit?limit=50").json["items"] if "firewall/actions/release" in a["action"] + a["target"]]
    assert row, "no audit of the release"


def an_export_holds_it(d):
    equal(d.root.post("/uc/firewall-rules", {"pattern": "198.51.100.0/24", "action": "deny"}).status, 201)
    document = d.root.get("/uc/export").json
    equal([(r["pattern"], r["action"]) for r in document["firewall_rules"]], [("198.51.100.0/24", "deny")])
    equal(document["settings"]["firewall"]["malformed_max"], 3)
    etag = d.root.get("/uc/settings").headers["ETag"]
    equal(d.root.patch("/uc/settings", {"firewall": None}, etag).status, 200)
    row = d.root.get("/uc/firewall-rules").json["items"][0]
    equal(d.root.delete("/uc/firewall-rules/" + row["id"]).status, 204)
    part = {"schema": 1, "settings": document["settings"],
            "firewall_rules": [{k: v for k, v in r.items() if k not in ("id", "created_at", "updated_at")}
                               for r in document["firewall_rules"]]}
    answer = d.root.post("/uc/import", part)
    equal(answer.status, 200, answer)
    equal(d.root.get("/uc/settings").json["firewall"]["malformed_max"], 3)
    equal(d.root.get("/uc/firewall-rules?action=deny").json["items"][0]["pattern"], "198.51.100.0/24")
    wait_for(lambda: d.root.get("/uc/firewall").json["limits"]["malformed_max"] == 3, 5, "the limit")


def all_of_it():
    folder = folder_for()
    try:
        with Daemon(uc__sm="unix:" + folder + "/sm.sock") as d, Smgr(d) as smgr:
            wait_for(lambda: d.root.get("/uc/users").status == 200, 30, "the database")
            equal(d.root.get("/uc/firewall").code, "unavailable")  # there is no sm yet
            sm = SessionManager(folder, smgr)
            try:
                wait_for(lambda: d.root.get("/uc/firewall").status == 200, 10, "sm")
                source = Source("127.0.0.2")
                rules_are_in_force_at_once(d, source)
                limits_are_in_force_at_once(d, source)
                who_is_in_quarantine_is_let_out(d, source)
                an_export_holds_it(d)
            finally:
                sm.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    all_of_it()
