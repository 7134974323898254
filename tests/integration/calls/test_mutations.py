#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 240
"""10,000 changed messages through the whole stack of sm, cm and presence under ASan and UBSan: always alive, no report."""
import os
import time

from mutator import Mutator
from plane import DOMAIN, SM, document, password, plane
from sip_phone import Incoming
from standalone import Server, run
from steady_phone import SteadyPhone

COUNT = int(os.environ.get("AURA_COUNT", "10000"))
SEED = int(os.environ.get("AURA_SEED", str(time.time_ns() % 1000000)))


def sm_lives_through_them():
    print(f"seed {SEED}")
    with plane(servers=("sm",), settings=["sip.wss_listen=127.0.0.1:5443"]) as p:
        p.wire.close()  # it would keep everything
        steady = [SteadyPhone(u, password(u), domain=DOMAIN, transport=t, server=SM)
                  for u, t in (("3009", "udp"), ("3010", "tcp"))]
        p.phones += steady
        for phone in steady:
            phone.served()
        m = Mutator(SEED, ws_port=5443)
        try:
            m.run(COUNT)
        finally:
            m.close()
        print(f"{m.sent} messages, {m.answers} answers")
        assert m.sent >= COUNT and m.answers > COUNT / 100, "hardly anything was answered"
        # Whoever is well-behaved is served as before: over the port and the connection that he had all the time.
        for phone in steady:
            phone.served()
            phone.close()
        phones = [p.phone("3009"), p.phone("3010", "tcp")]
        call = phones[0].invite("3010")
        ringing = Incoming(phones[1], phones[1].expect(
            lambda m: m.is_request and m.method == "INVITE" and m.call_id == call.call_id))
        ringing.ring()
        call.expect(180)
        ringing.accept_and(call)
        bye = phones[0].send(call.in_dialog("BYE"))
        ringing.expect_bye()
        assert phones[0].answer_of(bye).status == 200


def a_line_that_goes_on_is_no_length():
    """What looks like Content-Length in a folded field must not put the next hop's stream out of step."""
    with plane(servers=("sm",)) as p:
        caller, callee = p.phone("3009"), p.phone("3010", "tcp")
        call = caller.invite("3010", headers=[("Subject", "a\r\n Content-Length: 5000\r\n\tl: 7")])
        ringing = callee.incoming()
        assert ringing.invite.media == call.invite.media
        ringing.ring()
        call.expect(180)
        assert callee.register().status == 200
        ringing.refuse(486, "Busy Here")
        call.expect(486)


def cm_lives_through_them():
    with Server("aura-cm", document(), "127.0.0.1:5070"):
        m = Mutator(SEED + 1, target=("127.0.0.1", 5070), ports=(0, 5060))
        try:
            m.run(COUNT // 5)
        finally:
            m.close()
        assert m.answers > 10


def presence_lives_through_them():
    with Server("aura-presence", document(), "127.0.0.1:5080"):
        m = Mutator(SEED + 2, target=("127.0.0.1", 5080), ports=(0, 5060))
        try:
            m.run(COUNT // 5)
        finally:
            m.close()
        assert m.answers > 10


if __name__ == "__main__":
    run([sm_lives_through_them, a_line_that_goes_on_is_no_length, cm_lives_through_them, presence_lives_through_them])
