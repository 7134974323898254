#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
"""The trace of sm and cm through the API of auraboxd: lists, one message, a call as a ladder."""
import contextlib
import http.client
import json
import os
import re
import socket
import subprocess
import threading
import time

from beside import box_beside
from daemon import BIN, equal
from plane import hang_up, plane, talk
from sip_message import param
from standalone import run
from test_tls import tls_plane


def one_call(p, transport="udp"):
    """A whole call; its global session id."""
    ada, bob = p.phone("3001", transport), p.phone("3002", transport)
    call, ringing = talk(ada, bob)
    gsid = p.sm.items("/v1/calls")[0]["gsid"]
    hang_up(call, ringing)
    p.sm.wait_items("/v1/calls", 0)
    return ada, bob, call, gsid


def walk(d, path, limit):
    """All pages of a list."""
    items, cursor = [], None
    while True:
        answer = d.root.get(f"{path}&limit={limit}" + (f"&cursor={cursor}" if cursor else ""))
        assert answer.status == 200, answer
        assert len(answer.json["items"]) <= limit
        items += answer.json["items"]
        cursor = answer.json["next_cursor"]
        if cursor is None:
            return items
        assert len(answer.json["items"]) == limit


def a_list_is_walked_and_filtered():
    with plane(servers=("sm", "cm", "presence")) as p, box_beside(p) as d:
        _, _, call, gsid = one_call(p)
        answer = d.root.get("/uc/trace?limit=500&count=true").json
        everything = answer["items"]
        equal(answer["total"], len(everything))
        equal({n["node"]: n["state"] for n in answer["nodes"]}, {"sm": "ok", "cm": "ok", "presence": "ok"})
        equal([i["at_us"] for i in everything], sorted((i["at_us"] for i in everything), reverse=True))
        equal(len({i["id"] for i in everything}), len(everything))
        equal({i["node"] for i in everything} >= {"sm", "cm"}, True)
        assert not [i for i in everything if i["summary"].startswith("OPTIONS ")], "probes are left out"

        ids = [i["id"] for i in everything]
        for limit in (1, 7, 50):
            equal([i["id"] for i in walk(d, "/uc/trace?sort=-at_us", limit)], ids)
            equal([i["id"] for i in walk(d, "/uc/trace?sort=at_us", limit)], ids[::-1])

        def found(query, test):
            got = [i["id"] for i in d.root.get("/uc/trace?limit=500&" + query).json["items"]]
            wanted = [i["id"] for i in everything if test(i)]
            equal(got, wanted, query)
            assert 0 < len(got) < len(everything), (query, len(got), len(everything))

        found("gsid=" + gsid, lambda i: i["gsid"] == gsid)
        found("call_id=" + call.call_id, lambda i: i["call_id"] == call.call_id)
        found("node=cm", lambda i: i["node"] == "cm")
        found("q=record-ROUTE", lambda i: "record-route" in i["message"].lower())
        phone = "%s:%d" % call.phone.addr
        found("address=" + phone, lambda i: phone in (i["local"], i["remote"]))
        equal(d.root.get("/uc/trace?address=192.0.2.1").json["items"], [])
        equal(d.root.get("/uc/trace?user=300").json["items"], [], "a part of a number is no user")
        named = {i["call_id"] for i in d.root.get("/uc/trace?limit=500&user=3001").json["items"]}
        assert call.call_id in named and len(named) >= 4, "its registration and the three legs"
        middle = everything[len(everything) // 2]["at"]
        found("at.gte=" + middle, lambda i: i["at"] >= middle)
        found("at.lt=" + middle, lambda i: i["at"] < middle)

        one = d.root.get("/uc/trace/messages/" + ids[3]).json
        equal({k: one[k] for k in ("id", "message", "seq")},
              {k: everything[3][k] for k in ("id", "message", "seq")})
        secret = [m for m in p.wire.requests("INVITE", {call.call_id})
                  if m.get("Proxy-Authorization")][0].get("Proxy-Authorization")
        whole = "".join(i["message"] for i in everything)
        assert "Proxy-Authorization: Digest" in whole
        assert param(secret.replace(", ", ";"), "response") not in whole, "a secret is in the trace"


def a_call_is_a_ladder(transport):
    with plane() as p, box_beside(p) as d:
        ada, bob, call, gsid = one_call(p, transport)
        answer = d.root.get(f"/uc/trace/{gsid}/ladder")
        equal(answer.status, 200)
        ladder = answer.json
        names = [x["name"] for x in ladder["participants"]]
        equal(names, ["3001", "sm", "cm", "3002"])
        equal([x["kind"] for x in ladder["participants"]], ["phone", "node", "node", "phone"])
        equal([x["address"] for x in ladder["participants"]],
              ["%s:%d" % ada.addr, None, None, "%s:%d" % bob.addr])
        equal((ladder["gsid"], ladder["truncated"]), (gsid, False))

        messages = ladder["messages"]
        equal([m["offset_us"] for m in messages], sorted(m["offset_us"] for m in messages))
        invites = [m for m in messages if m["method"] == "INVITE" and m["status"] is None]
        ways = [(names[m["from"]], names[m["to"]], m.get("phase")) for m in invites]
        equal(ways, [("3001", "sm", None), ("3001", "sm", None), ("sm", "cm", "imsorig"),
                     ("cm", "sm", "origdone"), ("sm", "cm", "imsterm"), ("cm", "sm", "termdone"),
                     ("sm", "3002", None)])
        assert all(m["sdp"] for m in invites)
        between = [m for m in messages if {names[m["from"]], names[m["to"]]} == {"sm", "cm"}]
        assert all(m["received_id"].split("-")[0] != m["id"].split("-")[0] and m["transit_us"] is not None
                   for m in between), "each hop between our servers is one arrow"
        answered = [m for m in messages if m["label"] == "200 OK" and m["method"] == "INVITE"]
        equal([(names[m["from"]], names[m["to"]]) for m in answered],
              [("3002", "sm"), ("sm", "cm"), ("cm", "sm"), ("sm", "cm"), ("cm", "sm"), ("sm", "3001")])
        equal(len([m for m in messages if m["method"] == "BYE" and m["status"] is None]), 6)
        equal(len(ladder["legs"]), 3)
        equal(ladder["legs"][0], {"call_id": call.call_id, "caller": "3001", "callee": "3002"})

        # The phases follow one another without a hole.
        phases = ladder["phases"]
        equal([x["name"] for x in phases],
              ["setup", "imsorig", "origdone", "imsterm", "termdone", "talk", "release"])
        equal(phases[0]["first"], 0)
        equal(phases[-1]["last"], len(messages) - 1)
        for x, y in zip(phases, phases[1:]):
            equal(x["last"] + 1, y["first"])
        equal(messages[phases[-1]["first"]]["method"], "BYE")

        # What is drawn is what the wire carried: as much, and towards the caller in that order.
        seen = [m for m in p.wire.messages if m.call_id == call.call_id]
        traced = [m for m in messages if m["leg"] == 0]

        def label(m):
            return m.method if m.is_request else m.start.split(" ", 1)[1]

        equal(sorted(m["label"] for m in traced), sorted(map(label, seen)))
        equal([m["label"] for m in traced if names[m["to"]] == "3001"],
              [label(m) for m in seen if m.dest == ada.addr])


def a_call_of_udp_phones_is_a_ladder():
    a_call_is_a_ladder("udp")


def a_call_of_tcp_phones_is_a_ladder():
    a_call_is_a_ladder("tcp")


def bad_questions_are_refused():
    with plane() as p, box_beside(p) as d:
        for query, parameter in (("address=nowhere", "address"), ("node=mars", "node"), ("limit=0", "limit"),
                                 ("limit=501", "limit"), ("at.gte=yesterday", "at.gte"), ("colour=red", "colour"),
                                 ("sort=message", "sort"), ("cursor=x", "cursor")):
            answer = d.root.get("/uc/trace?" + query)
            equal((answer.status, answer.json["errors"][0]["parameter"]), (422, parameter), query)
        for path in ("/uc/trace/messages/sm-1", "/uc/trace/messages/mars-1", "/uc/trace/messages/sm-",
                     "/uc/trace/messages/sm-99999999999999999999", "/uc/trace/nothing/ladder"):
            equal((d.root.get(path).status, d.root.get(path).code), (404, "not_found"), path)
        equal(d.nobody.get("/uc/trace").status, 401)


def a_node_that_is_away_is_told():
    with plane() as p, box_beside(p) as d:
        *_, gsid = one_call(p)
        p.cm.stop()
        answer = d.root.get("/uc/trace?limit=500").json
        equal({n["node"]: n["state"] for n in answer["nodes"]},
              {"sm": "ok", "cm": "unreachable", "presence": "absent"})
        equal({i["node"] for i in answer["items"]}, {"sm"})
        ladder = d.root.get(f"/uc/trace/{gsid}/ladder").json
        equal([x["name"] for x in ladder["participants"]][:3], ["3001", "sm", "cm"],
              "the entity's address says who it was")
        p.sm.stop()
        time.sleep(0.1)
        equal(d.root.get("/uc/trace").status, 503)


def tshark(path, *more):
    return subprocess.run(["tshark", "-r", path, *more], capture_output=True, text=True, check=True,
                          env=dict(os.environ, HOME=os.path.dirname(path))).stdout


def a_capture_opens_in_tshark(transport):
    with plane() as p, box_beside(p) as d:
        ada, _, call, gsid = one_call(p, transport)
        ladder = d.root.get(f"/uc/trace/{gsid}/ladder").json["messages"]
        answer = d.root.get("/uc/trace/export.pcapng?gsid=" + gsid)
        equal((answer.status, answer.headers["Content-Type"]), (200, "application/octet-stream"))
        assert 'filename="trace.pcapng"' in answer.headers["Content-Disposition"]
        path = d.dir + "/trace.pcapng"
        with open(path, "wb") as out:
            out.write(answer.raw)
        fields = ["ip.src", "udp.srcport", "tcp.srcport", "ip.dst", "udp.dstport", "tcp.dstport", "sip.Method",
                  "sip.Status-Code", "sip.Call-ID", "frame.interface_name", "frame.comment", "ip.checksum.status",
                  "udp.checksum.status", "tcp.checksum.status", "frame.time_epoch"]
        checks = ["-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE"]
        lines = tshark(path, *checks, "-T", "fields", *[x for f in fields for x in ("-e", f)]).splitlines()
        rows = [dict(zip(fields, line.split("\t"))) for line in lines]
        equal([r["sip.Method"] or r["sip.Status-Code"] for r in rows],
              [m["method"] if m["status"] is None else str(m["status"]) for m in
               sorted(ladder, key=lambda m: int(m["id"].split("-")[1]))], "each message once, dissected")
        equal({r["ip.checksum.status"] for r in rows}, {"1"})
        equal({r["udp.checksum.status"] or r["tcp.checksum.status"] for r in rows}, {"1"})
        equal({r["frame.interface_name"] for r in rows}, {"sm", "cm"})
        first = rows[0]
        equal((first["ip.src"], int(first[transport + ".srcport"])), ada.addr)
        equal((first["ip.dst"], int(first[transport + ".dstport"])), ("127.0.0.1", 5060))
        assert all(gsid in r["frame.comment"] for r in rows)
        equal(tshark(path, "-Y", "_ws.malformed or tcp.analysis.retransmission or tcp.analysis.lost_segment"), "")
        assert call.call_id in {r["sip.Call-ID"] for r in rows}
        assert all(abs(float(r["frame.time_epoch"]) - time.time()) < 60 for r in rows)


def a_capture_of_udp_opens_in_tshark():
    a_capture_opens_in_tshark("udp")


def a_capture_of_tcp_opens_in_tshark():
    a_capture_opens_in_tshark("tcp")


def what_tls_hides_on_the_wire_is_in_the_trace():
    with tls_plane() as p, box_beside(p) as d:
        *_, gsid = one_call(p)
        ladder = d.root.get(f"/uc/trace/{gsid}/ladder").json
        equal([x["name"] for x in ladder["participants"]], ["3001", "sm", "cm", "3002"])
        between = [m for m in ladder["messages"] if m["transport"] == "tls"]
        assert len(between) > 20 and all(m["transit_us"] is not None for m in between)
        path = d.dir + "/trace.pcapng"
        with open(path, "wb") as out:
            out.write(d.root.get("/uc/trace/export.pcapng?gsid=" + gsid).raw)
        equal(len(tshark(path, "-Y", "tcp && sip").splitlines()), len(between))


def texts_and_pages_tell_the_call():
    with plane() as p, box_beside(p) as d:
        *_, gsid = one_call(p)
        count = len(d.root.get(f"/uc/trace/{gsid}/ladder").json["messages"])
        text = d.root.get("/uc/trace/export.txt?gsid=" + gsid).raw.decode()
        equal(len(re.findall("(?m)^--- ", text)), count)
        assert f"SIP trace, {count} messages\n" in text and "3001 (127.0.0.1:" in text
        assert ", the newest of more" in d.root.get("/uc/trace/export.txt?limit=3").raw.decode()
        page = d.root.get("/uc/trace/export.html?gsid=" + gsid).raw.decode()
        equal((page.count("<details "), page.count("<path ")), (count, count))
        assert "<script" not in page and "&lt;sip:3001@" in page and "<sip:" not in page
        for query, parameter in (("limit=5001", "limit"), ("cursor=x", "cursor"), ("address=x", "address")):
            answer = d.root.get("/uc/trace/export.txt?" + query)
            equal((answer.status, answer.json["errors"][0]["parameter"]), (422, parameter), query)


class Stream:
    """What GET /uc/trace?follow sends."""

    def __init__(self, d, query="", headers=None):
        self.events = []
        self.connection = d.root.connection()
        self.connection.request("GET", "/api/v1/uc/trace?follow" + query, headers=headers or {})
        self.socket = self.connection.sock
        self.response = self.connection.getresponse()
        self.status = self.response.status
        if self.status == 200:
            self.thread = threading.Thread(target=self.read, daemon=True)
            self.thread.start()

    def read(self):
        event = {}
        with contextlib.suppress(http.client.HTTPException, OSError):
            for line in self.response:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if not name and event.get("data"):
                    self.events.append(event)
                event = {} if not name and not value else {**event, name: value}

    def items(self):
        return [json.loads(e["data"]) for e in self.events if e["event"] == "trace.message"]

    def wait(self, test, seconds=8):
        end = time.monotonic() + seconds
        while not test(self.items()):
            assert time.monotonic() < end, [(i["node"], i["summary"]) for i in self.items()]
            time.sleep(0.02)
        return self.items()

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.connection.close()


def the_trace_is_followed_live():
    with plane() as p, box_beside(p) as d:
        p.phone("3003")
        time.sleep(0.5)  # a stream begins a moment before it is asked for
        everything, one = Stream(d), Stream(d, "&user=3009")
        equal((everything.status, one.status), (200, 200))
        time.sleep(0.5)
        *_, gsid = one_call(p, "tcp")

        def wanted():
            listed = d.root.get("/uc/trace?limit=500&gsid=" + gsid).json["items"]
            return {i["id"] for i in listed}

        items = everything.wait(lambda items: {i["id"] for i in items} >= wanted())
        equal(len({i["id"] for i in items}), len(items), "each once")
        assert not [i for i in items if "3003" in i["message"]], "what was before is not live"
        ends = {(i["from"], i["to"]) for i in items if i["summary"].startswith("INVITE ")}
        assert ends >= {("3001", "sm"), ("sm", "cm"), ("cm", "sm"), ("sm", "3002")}, ends
        equal(one.items(), [])
        p.phone("3009")
        one.wait(lambda items: len(items) == 4)  # REGISTER, 401, REGISTER, 200
        ids = [int(e["id"]) for e in everything.events if "id" in e]
        equal(ids, sorted(set(ids)))

        # Away and back: what was missed comes.
        last = everything.events[-1]["id"]
        everything.close()
        p.phone("3010")
        again = Stream(d, headers={"Last-Event-ID": last})
        again.wait(lambda items: len([i for i in items if "3010" in i["summary"] + i["message"]]) >= 4)
        again.close()
        one.close()


def followers_are_bounded_and_checked():
    with plane(servers=("sm",)) as p, box_beside(p) as d:
        for query, parameter in (("&limit=5", "limit"), ("&sort=at_us", "sort"), ("&address=x", "address")):
            answer = d.root.get("/uc/trace?follow" + query)
            equal((answer.status, answer.json["errors"][0]["parameter"]), (422, parameter), query)
        equal(d.root.get("/uc/trace?follow", headers={"Last-Event-ID": "soon"}).status, 422)
        equal(d.nobody.get("/uc/trace?follow").status, 401)
        streams = [Stream(d) for _ in range(16)]
        equal({s.status for s in streams}, {200})
        equal(d.root.get("/uc/trace?follow").status, 429)
        p.phone("3009")
        for s in streams:
            s.wait(lambda items: len(items) == 4)
            s.close()


def bytes_of_any_kind_are_listed():
    body = b"\x00\xff\x00binary"
    with plane(servers=("sm",)) as p, box_beside(p) as d, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        peer.settimeout(5)
        peer.sendto(b"OPTIONS sip:aurabox.internal SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%d;rport;branch=z9hG4bKb1\r\n"
                    b"Max-Forwards: 70\r\nFrom: <sip:odd@x>;tag=1\r\nTo: <sip:aurabox.internal>\r\nCall-ID: binary\r\n"
                    b"CSeq: 1 OPTIONS\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n%s"
                    % (peer.getsockname()[1], len(body), body), ("127.0.0.1", 5060))
        peer.recv(65535)
        items = d.root.get("/uc/trace?call_id=binary").json["items"]
        equal([i["encoding"] for i in items], ["utf-8", "latin-1"])
        assert items[1]["message"].endswith("\u2400\u00ff\u2400binary"), items[1]
        assert body in d.root.get("/uc/trace/export.pcapng?call_id=binary").raw
        assert re.search(rb"(?m)^aura_trace_messages_total [1-9]", p.sm.get("/metrics"))


def command_line(d, *arguments, status=0, text=True):
    done = subprocess.run([os.path.join(BIN, "aurabox"), "--socket", d.socket, *arguments], capture_output=True,
                          text=text, timeout=60, check=False)
    assert done.returncode == status, (arguments, done)
    return done.stdout


def the_command_line_draws_it():
    with plane() as p, box_beside(p) as d:
        with subprocess.Popen([os.path.join(BIN, "aurabox"), "--socket", d.socket, "trace", "follow"],
                              stdout=subprocess.PIPE, text=True) as live:
            time.sleep(1)
            *_, gsid = one_call(p, "tcp")
            ladder = d.root.get(f"/uc/trace/{gsid}/ladder").json
            time.sleep(1.5)
            live.terminate()
            drawn = live.stdout.read().splitlines()
        invites = [line for line in drawn if " INVITE " in line]
        # before the Call-ID's session was known, two INVITEs of the phone; each hop is drawn once
        equal(len(invites), 7, "\n".join(drawn))
        assert any(re.search(r"3001\s+sm\b", line) for line in drawn), "\n".join(drawn)
        assert any(re.match(r"\d\d:\d\d:\d\d\.\d{3}", line) for line in drawn)

        lines = command_line(d, "trace", "ladder", gsid).splitlines()
        equal(lines[2].split(), ["3001", "sm", "cm", "3002"])
        arrows = [line for line in lines if "--" in line]
        equal(len(arrows), len(ladder["messages"]))
        equal([line.split()[0] for line in lines[3:] if line[:1].isalpha()], [x["name"] for x in ladder["phases"]])
        for line, message in zip(arrows, ladder["messages"]):
            assert (">" in line) == (message["from"] < message["to"]), line
            assert message["label"][:8] in line, (line, message)

        listed = json.loads(command_line(d, "--json", "trace", "list", "--gsid", gsid))["items"]
        equal([i["id"] for i in listed],
              [i["id"] for i in d.root.get("/uc/trace?limit=500&gsid=" + gsid).json["items"]])
        assert "INVITE" in command_line(d, "trace", "list", "--user", "3001")
        one = listed[0]
        assert one["message"].replace("\r", "") in command_line(d, "trace", "show", one["id"])
        equal(command_line(d, "trace", "export", "pcapng", "--gsid", gsid, text=False),
              d.root.get("/uc/trace/export.pcapng?gsid=" + gsid).raw)
        command_line(d, "trace", "ladder", "nothing", status=3)
        command_line(d, "trace", "export", "pdf", status=3)
        command_line(d, "trace", "export", "txt", "--address", "x", status=1)


if __name__ == "__main__":
    run([a_list_is_walked_and_filtered, a_call_of_udp_phones_is_a_ladder, a_call_of_tcp_phones_is_a_ladder,
         bad_questions_are_refused, a_node_that_is_away_is_told, a_capture_of_udp_opens_in_tshark,
         a_capture_of_tcp_opens_in_tshark, what_tls_hides_on_the_wire_is_in_the_trace,
         texts_and_pages_tell_the_call, the_trace_is_followed_live,
         followers_are_bounded_and_checked, bytes_of_any_kind_are_listed, the_command_line_draws_it])
