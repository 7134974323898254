#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
"""A 180 or 183 that comes after the final answer on its branch, or on another branch of the call, goes no further: the
client transaction takes none (RFC 3261 section 17.1.1.2, RFC 6026 section 7.2), a proxy forwards none once a final
answer has been sent (RFC 3261 section 16.7 step 5)."""
from plane import SM, hang_up, plane, ring
from standalone import run

# Whom to call through what: sm alone, and sm, cm and sm again.
WAYS = (("3009", "3010", ("sm",)), ("3001", "3002", ("sm", "cm")))


LATE = "Too Late"  # the reason phrase tells these from those that came in time


def is_late(msg):
    return not msg.is_request and msg.start.endswith(LATE)


def none_after(p, call, callees):
    """What the callee said late reached sm, and nobody beyond heard of it."""
    p.wire.settle()
    sources = {phone.addr for phone in callees}
    seen = [m for m in p.wire.messages if is_late(m)]
    arrived = [m for m in seen if m.source in sources and m.dest == SM]
    assert len(arrived) == len([m for phone in callees for d, m in phone.log if d == "out" and is_late(m)]), arrived
    assert {m.status for m in arrived} == {180, 183}, arrived
    beyond = [m for m in seen if m not in arrived]
    assert not beyond, [(m, m.source, m.dest) for m in beyond]
    # Whatever it is called: at the caller none is behind the final one.
    order = [m.status for m in call.phone.received(lambda m: not m.is_request and m.cseq_method == "INVITE"
                                                   and m.branch == call.invite.branch)]
    final = next(i for i, status in enumerate(order) if status >= 200)
    assert all(status >= 200 for status in order[final:]), order


def late(phone, ringing):
    """Both kinds, twice."""
    for status in (180, 183, 180, 183):
        phone.reply(ringing.invite, status, LATE, ringing.tag, phone.sdp() if status == 183 else b"",
                    [("Contact", phone.contact)])


def settled(p, *phones):
    """Whatever sm, and cm behind it, would do with what was sent before, they have done."""
    for _ in range(2):
        for phone in phones:
            msg = phone.send(phone.request("OPTIONS", "sip:aurabox.internal"))
            assert phone.answer_of(msg).status == 200
        p.sm.items("/v1/calls")
        if p.cm:
            p.cm.items("/v1/calls")
    phones[0].never(is_late, 0.5)


def none_comes_after_a_200():
    for caller, callee, servers in WAYS:
        for rang in (True, False):
            with plane(servers=servers) as p:
                a, b = p.phone(caller), p.phone(callee)
                if rang:
                    call, ringing = ring(a, b)
                else:
                    call = a.invite(callee)
                    ringing = b.incoming()
                b.reply(ringing.invite, 200, "OK", ringing.tag, b.sdp(), [("Contact", b.contact)])
                late(b, ringing)  # right behind it
                call.expect(200)
                ringing.expect_ack()
                late(b, ringing)  # in the talk
                settled(p, a, b)
                none_after(p, call, [b])
                live, = p.sm.items("/v1/calls")
                assert live["state"] == "talking", live
                hang_up(call, ringing)
                late(b, ringing)  # after it
                settled(p, a, b)
                none_after(p, call, [b])
                p.sm.wait_items("/v1/calls", 0)


def none_comes_after_a_refusal():
    for caller, callee, servers in WAYS:
        with plane(servers=servers) as p:
            a, b = p.phone(caller), p.phone(callee)
            call, ringing = ring(a, b)
            b.reply(ringing.invite, 486, "Busy Here", ringing.tag)
            late(b, ringing)
            call.expect(486)
            ringing.expect_ack()
            late(b, ringing)
            settled(p, a, b)
            none_after(p, call, [b])
            p.sm.wait_items("/v1/calls", 0)


def none_comes_from_another_branch_after_a_200():
    """One answers; the other has not heard of it yet and begins to ring."""
    for caller, callee, servers in WAYS:
        with plane(servers=servers) as p:
            a, desk, mobile = p.phone(caller), p.phone(callee), p.phone(callee)
            call = a.invite(callee)
            at_desk, at_mobile = desk.incoming(), mobile.incoming()
            at_desk.ring()
            at_mobile.ring()
            call.expect(180)
            at_mobile.accept_and(call)
            late(desk, at_desk)
            at_desk.expect_cancel()
            settled(p, a, desk, mobile)
            none_after(p, call, [desk])
            live, = p.sm.items("/v1/calls")
            assert live["state"] == "talking", live
            assert all(leg["state"] == "talking" for leg in live["legs"] if leg["handle"] == caller), live
            hang_up(call, at_mobile)
            p.sm.wait_items("/v1/calls", 0)


if __name__ == "__main__":
    run([none_comes_after_a_200, none_comes_after_a_refusal, none_comes_from_another_branch_after_a_200])
