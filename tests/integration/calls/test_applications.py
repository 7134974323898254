#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
"""Sequences of two live applications: cm, a back-to-back user agent, and behind it one that passes each INVITE on as a proxy."""
import contextlib
import time
import uuid

import plane as calls
from plane import CM, DOMAIN, SM, hang_up, plane, talk
from sip_message import Message, param, uri_of
from sip_phone import Endpoint
from standalone import run

SCREEN = ("127.0.0.1", 5095)


class Screen(Endpoint):
    """A proxy that stays in no dialog: an INVITE goes back to sm by the Route that it came with, answers go back by their Via."""

    def __init__(self):
        self.refuse = None  # status of new calls
        self.passed = []    # INVITEs as they came
        super().__init__("udp", SCREEN, SM)

    def _store(self, data, source):
        super()._store(data, source)
        msg = Message.parse(data)
        if not msg.is_request:
            self._answered(msg)
        elif msg.method == "OPTIONS":
            self._reply(msg, 200)
        elif msg.method == "INVITE" and self.refuse:
            self._reply(msg, self.refuse)
        elif msg.method in ("INVITE", "CANCEL", "ACK"):
            self._forward(msg)

    def _reply(self, request, status):
        answer = Message(f"SIP/2.0 {status} X")
        answer.headers = [(n, v) for n, v in request.headers if n.lower() in ("via", "from", "call-id", "cseq")]
        self.send(answer.add("To", request.get("To") + ";tag=screen"), SM)

    def _forward(self, msg):
        if msg.method == "INVITE":
            self.passed.append(Message.parse(msg.encode()))
        elif "Route" not in [n for n, _ in msg.headers]:
            return  # the ACK of an own refusal
        routes = msg.all("Route")[1:]  # the first names this application
        branch = "z9hG4bK" + uuid.uuid5(uuid.NAMESPACE_OID, msg.branch).hex[:16]  # CANCEL and ACK have their INVITE's
        hops = int(msg.get("Max-Forwards")) - 1
        msg.drop("Route").replace("Max-Forwards", str(hops))
        for route in routes:
            msg.add("Route", route)
        msg.headers.insert(0, ("Via", f"SIP/2.0/UDP {SCREEN[0]}:{SCREEN[1]};branch={branch}"))
        self.send(msg, SM)

    def _answered(self, msg):
        if msg.status == 100:
            return
        vias = msg.all("Via")[1:]
        msg.drop("Via")
        msg.headers = [("Via", v) for v in vias] + msg.headers
        self.send(msg, SM)


@contextlib.contextmanager
def two_applications(mandatory=True, live=True):
    """(plane, the second application)"""
    document = calls.document

    def both(transport="tcp", cm_mandatory=True):
        made = document(transport, cm_mandatory)
        made["sip_entities"].append({"name": "screen", "type": "other", "address": SCREEN[0], "port": SCREEN[1],
                                     "transport": "udp", "monitoring": {"proactive_s": 1, "reactive_s": 1, "retries": 0}})
        made["entity_links"] = [{"entity": "screen", "transport": "udp", "port": SCREEN[1], "trusted": True}]
        made["application_sequences"][0]["entities"].append({"name": "screen", "mandatory": mandatory})
        return made

    calls.document = both
    screen = Screen() if live else None
    try:
        with plane() as p:
            p.wait_link("screen", "up" if live else "down", 10)
            yield p, screen
    finally:
        calls.document = document
        if screen:
            screen.close()


def way_of(p, call):
    """Whom each INVITE of the call went to, the challenged one left out."""
    begin = [m for m in p.wire.requests("INVITE", {call.call_id}) if m.get("Proxy-Authorization")][0].at
    return [m for m in p.wire.requests("INVITE") if m.at >= begin]


def both_applications_of_both_halves_are_passed_in_their_order():
    with two_applications() as (p, screen):
        a, b = p.phone("3001"), p.phone("3002")
        call, ringing = talk(a, b)
        seen = way_of(p, call)
        places = {SM: "sm", CM: "cm", SCREEN: "screen", b.addr: "phone"}
        assert [places[m.dest] for m in seen] == ["sm", "cm", "sm", "screen", "sm", "cm", "sm", "screen", "sm", "phone"], seen
        assert [[param(uri_of(r), "phase") for r in m.all("Route")] for m in screen.passed] == [
            ["imsorig", "origdone"], ["imsterm", "termdone"]], screen.passed
        assert {m.get("Av-Global-Session-ID") for m in screen.passed} == {p.sm.items("/v1/calls")[0]["gsid"]}
        for m in screen.passed:
            assert f"<sip:3001@{DOMAIN}>" in m.get("P-Asserted-Identity"), m
        odis = [param(uri_of(m.all("Route")[1]), "odi") for m in screen.passed]
        assert len(set(odis)) == 2 and all(odis), odis
        assert seen[-1].media == seen[0].media
        hang_up(call, ringing)
        p.sm.wait_items("/v1/calls", 0)


def a_call_that_is_cancelled_ends_behind_both():
    with two_applications() as (p, _):
        a, b = p.phone("3001"), p.phone("3002")
        call = a.invite("3002")
        ringing = b.incoming()
        ringing.ring()
        call.expect(180)
        call.cancel()
        assert call.expect(487)
        ringing.expect_cancel()
        p.sm.wait_items("/v1/calls", 0)


def one_that_refuses_decides():
    with two_applications() as (p, screen):
        a, b = p.phone("3001"), p.phone("3002")
        screen.refuse = 403
        call = a.invite("3002")
        assert call.expect(403)
        b.never(lambda m: m.is_request, 0.3)
        p.sm.wait_items("/v1/calls", 0)


def one_that_is_dead_stops_calls_only_when_it_is_mandatory():
    with two_applications(mandatory=False, live=False) as (p, _):
        call, ringing = talk(p.phone("3001"), p.phone("3002"))
        assert SCREEN not in [m.dest for m in way_of(p, call)]
        hang_up(call, ringing)
    with two_applications(mandatory=True, live=False) as (p, _):
        a, b = p.phone("3001"), p.phone("3002")
        began = time.monotonic()
        final = a.invite("3002").expect(500)
        assert final.get("Retry-After") is None and time.monotonic() - began < 1, final
        b.never(lambda m: m.is_request, 0.3)


if __name__ == "__main__":
    run([both_applications_of_both_halves_are_passed_in_their_order, a_call_that_is_cancelled_ends_behind_both,
         one_that_refuses_decides, one_that_is_dead_stops_calls_only_when_it_is_mandatory])
