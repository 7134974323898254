#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 240
"""A user with as many contacts as one may have (registrar.max_contacts): all ring, one answers, or each refuses in its own way."""
import time

from plane import hang_up, plane
from standalone import run

TEN = 10
# Whom to call through what: sm alone, and sm, cm and sm again.
WAYS = (("3009", "3010", ("sm",)), ("3001", "3002", ("sm", "cm")))


def ten_ring(p, caller, callee):
    """The call and its ten ends, all ringing; the caller has heard of it."""
    a = p.phone(caller)
    phones = [p.phone(callee, "tcp" if i % 3 == 2 else "udp") for i in range(TEN)]
    assert len([r for r in p.sm.items("/v1/registrations") if r["handle"] == callee]) == TEN
    call = a.invite(callee)
    rings = [phone.incoming() for phone in phones]
    assert len({r.invite.branch for r in rings}) == TEN and len({r.call_id for r in rings}) == 1
    for r in rings:
        r.ring()
    call.expect(180)
    return call, rings


def answers_to_invite(call):
    return call.phone.received(lambda m: not m.is_request and m.status >= 200 and m.cseq_method == "INVITE"
                               and m.branch == call.invite.branch)


def one_of_ten_answers_and_nine_are_cancelled():
    for caller, callee, servers in WAYS:
        for winner in (0, TEN - 1):
            with plane(servers=servers) as p:
                call, rings = ten_ring(p, caller, callee)
                rings[winner].accept_and(call)
                others = [r for r in rings if r is not rings[winner]]
                for r in others:
                    cancel = r.expect_cancel()  # answered with 200, the INVITE with 487, whose ACK came
                    assert cancel.cseq == r.invite.cseq and cancel.uri == r.invite.uri, cancel.encode()
                # Whoever was cancelled is left in peace, whoever talks is not disturbed.
                time.sleep(1.2)
                for r in others:
                    got = r.phone.received(lambda m: m.is_request and m.method != "OPTIONS")
                    assert [m.method for m in got] == ["INVITE", "CANCEL", "ACK"], got
                got = rings[winner].phone.received(lambda m: m.is_request)
                assert [m.method for m in got] == ["INVITE", "ACK"], got
                finals = answers_to_invite(call)
                assert [m.status for m in finals] == [200] and finals[0].to_tag, finals
                live, = p.sm.items("/v1/calls")
                assert live["state"] == "talking", live
                hang_up(call, rings[winner])
                p.sm.wait_items("/v1/calls", 0)


def best_of(p, caller, callee, statuses):
    """All refuse, one with each status, in this order; what the caller gets."""
    call, rings = ten_ring(p, caller, callee)
    for r, status in zip(rings, statuses):
        assert not answers_to_invite(call), "a final answer came before all had refused"
        r.refuse(status, "No")
    final = call.phone.expect(lambda m: not m.is_request and m.status >= 200 and m.branch == call.invite.branch
                              and m.cseq_method == "INVITE", 3.0, "the best refusal")
    call.phone.ack(call.invite, final)
    p.sm.wait_items("/v1/calls", 0)
    # (re-sent ones are copies of one answer)
    assert {(m.status, m.to_tag) for m in answers_to_invite(call)} == {(final.status, final.to_tag)}
    for r in rings:
        assert [m.method for m in r.phone.received(lambda m: m.is_request)] == ["INVITE", "ACK"]
    return final.status


def the_best_of_ten_refusals_comes_back():
    """RFC 3261 section 16.7 step 6: the lowest class; in 4xx what helps the caller to go on comes first (415, 420, 484),
    then, for us, busy; a 503 of one is not the word of all."""
    cases = (((503, 504, 500, 480, 404, 408, 486, 415, 410, 488), 415),
             ((484, 486, 404, 408, 480, 500, 410, 501, 488, 503), 484),
             ((404, 500, 480, 408, 503, 488, 501, 410, 504, 486), 486),
             ((503, 513, 505, 504, 502, 501, 500, 580, 555, 599), None))
    for statuses, best in cases:
        assert len(set(statuses)) == TEN
        for order in (statuses, statuses[::-1]):
            with plane(servers=("sm",)) as p:
                got = best_of(p, "3009", "3010", order)
                assert got == best or (best is None and 500 <= got <= 599 and got != 503), (order, got)


def the_best_of_ten_refusals_comes_back_through_cm():
    with plane() as p:
        assert best_of(p, "3001", "3002", (503, 504, 500, 480, 404, 408, 488, 486, 410, 501)) == 486


def a_decline_of_the_last_is_above_nine_other_refusals():
    for caller, callee, servers in WAYS:
        with plane(servers=servers) as p:
            assert best_of(p, caller, callee, (484, 486, 404, 408, 480, 500, 410, 501, 488, 603)) == 603


def a_decline_ends_the_ringing_of_nine():
    with plane(servers=("sm",)) as p:
        call, rings = ten_ring(p, "3009", "3010")
        rings[4].refuse(603, "Decline")
        for r in rings[:4] + rings[5:]:
            r.expect_cancel()
        call.expect(603)
        p.sm.wait_items("/v1/calls", 0)


def two_of_ten_that_answer_at_once_make_one_call():
    with plane() as p:
        call, rings = ten_ring(p, "3001", "3002")
        for r in rings[3:5]:
            r.phone.reply(r.invite, 200, "OK", r.tag, r.phone.sdp(), [("Contact", r.phone.contact)])
        call.expect(200)
        for r in rings[:3] + rings[5:]:
            r.expect_cancel()
        for r in rings[3:5]:
            r.expect_ack()
        ended = []
        end = time.monotonic() + 3
        while not ended and time.monotonic() < end:
            ended = [r for r in rings[3:5] if r.phone.received(lambda m: m.is_request and m.method == "BYE")]
            time.sleep(0.02)
        assert len(ended) == 1, "one of two answers is hung up"
        ended[0].expect_bye()
        winner, = [r for r in rings[3:5] if r not in ended]
        hang_up(call, winner)
        p.sm.wait_items("/v1/calls", 0)


if __name__ == "__main__":
    run([one_of_ten_answers_and_nine_are_cancelled, the_best_of_ten_refusals_comes_back,
         the_best_of_ten_refusals_comes_back_through_cm, a_decline_of_the_last_is_above_nine_other_refusals,
         a_decline_ends_the_ringing_of_nine, two_of_ten_that_answer_at_once_make_one_call])
