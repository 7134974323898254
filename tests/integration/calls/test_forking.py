#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
"""Two contacts, CANCEL, busy, no answer: which phone rings, who is told what."""
from one_origin import media
from plane import hang_up, plane, ring, talk
from sip_phone import Timeout
from standalone import run


def the_first_answer_wins_and_the_rest_is_cancelled():
    with plane() as p:
        a, desk, mobile = p.phone("3001"), p.phone("3002"), p.phone("3002", "tcp")
        call = a.invite("3002")
        at_desk, at_mobile = desk.incoming(), mobile.incoming()
        assert at_desk.call_id == at_mobile.call_id
        assert at_desk.invite.branch != at_mobile.invite.branch
        at_desk.ring()
        at_mobile.ring()
        call.expect(180)
        at_mobile.accept_and(call)
        cancel = at_desk.expect_cancel()
        assert cancel.get("Reason") is None or "200" in cancel.get("Reason"), cancel.encode()
        hang_up(call, at_mobile)
        a.never(lambda m: not m.is_request and m.status == 487, 0.3)


def two_answers_at_once_make_one_call():
    with plane() as p:
        a, desk, mobile = p.phone("3001"), p.phone("3002"), p.phone("3002", "tcp")
        call = a.invite("3002")
        rings = [desk.incoming(), mobile.incoming()]
        for r in rings:
            r.phone.reply(r.invite, 200, "OK", r.tag, r.phone.sdp(), [("Contact", r.phone.contact)])
        call.expect(200)
        ended = []
        for r in rings:
            r.expect_ack()
            try:
                r.expect_bye(timeout=1)
                ended.append(r)
            except Timeout:
                pass
        assert len(ended) == 1, "the late answer is acknowledged and ended, the other talks"
        a.never(lambda m: m.is_request and m.method == "BYE", 0.3)
        winner = [r for r in rings if r not in ended][0]
        hang_up(call, winner)


def a_contact_that_is_gone_does_not_hold_up_the_other():
    with plane() as p:
        a, gone, b = p.phone("3001"), p.phone("3002"), p.phone("3002")
        gone.close()
        call, ringing = ring(a, b)
        ringing.accept_and(call)
        hang_up(call, ringing)


def a_long_offer_reaches_a_phone_that_has_only_udp():
    with plane() as p:
        for caller in (p.phone("3001", "tcp"), p.phone("3009", "tcp")):
            b = p.phone("3002")
            offer = caller.sdp() + b"".join(b"a=x-long:%080d\r\n" % i for i in range(20))
            call = caller.invite("3002", body=offer)
            ringing = b.incoming(timeout=3)
            assert ringing.invite.media == media(offer)
            ringing.accept_and(call)
            hang_up(call, ringing)
            b.register(expires=0)


def one_refuses_the_other_answers():
    with plane() as p:
        a, desk, mobile = p.phone("3001"), p.phone("3002"), p.phone("3002")
        call = a.invite("3002")
        at_desk, at_mobile = desk.incoming(), mobile.incoming()
        at_desk.refuse(486, "Busy Here")
        a.never(lambda m: not m.is_request and m.status == 486, 0.2)
        at_mobile.accept_and(call)
        hang_up(call, at_mobile)


def the_best_of_two_refusals_comes_back():
    with plane() as p:
        a, desk, mobile = p.phone("3001"), p.phone("3002"), p.phone("3002")
        call = a.invite("3002")
        at_desk, at_mobile = desk.incoming(), mobile.incoming()
        at_desk.refuse(404, "Not Found")
        at_mobile.refuse(486, "Busy Here")
        call.expect(486)
        p.sm.wait_items("/v1/calls", 0)


def a_decline_ends_the_ringing_everywhere():
    with plane() as p:
        a, desk, mobile = p.phone("3001"), p.phone("3002"), p.phone("3002")
        call = a.invite("3002")
        at_desk, at_mobile = desk.incoming(), mobile.incoming()
        at_desk.ring()
        at_mobile.refuse(603, "Decline")
        at_desk.expect_cancel()
        call.expect(603)


def cancel_reaches_every_phone():
    for transport in ("udp", "tcp"):
        with plane() as p:
            a = p.phone("3001", transport)
            desk, mobile = p.phone("3002"), p.phone("3002", "tcp")
            call = a.invite("3002")
            rings = [desk.incoming(), mobile.incoming()]
            for r in rings:
                r.ring()
            call.expect(180)
            assert call.cancel().status == 200
            for r in rings:
                r.expect_cancel()
            call.expect(487)
            p.sm.wait_items("/v1/calls", 0)


def cancel_before_anything_rings():
    with plane() as p:
        a, b = p.phone("3001"), p.phone("3002")
        call = a.invite("3002")
        assert call.cancel().status == 200
        # The INVITE may be on its way to the phone already: its CANCEL then follows its first answer.
        try:
            ringing = b.incoming(timeout=0.5)
        except Timeout:
            ringing = None
        if ringing:
            ringing.ring()
            ringing.expect_cancel()
        call.expect(487)
        p.sm.wait_items("/v1/calls", 0)


def cancel_of_an_unknown_call_is_481():
    with plane(servers=("sm",)) as p:
        a = p.phone("3009")
        msg = a.send(a.request("CANCEL", "sip:3010@aurabox.internal"))
        assert a.answer_of(msg).status == 481


def a_busy_phone_is_busy():
    with plane() as p:
        a, b = p.phone("3001"), p.phone("3002")
        call = a.invite("3002")
        b.incoming().refuse(486, "Busy Here")
        call.expect(486)


def nobody_answers():
    with plane(servers=("sm",), settings=("sip.timer_c_s=1",)) as p:
        a, b = p.phone("3009"), p.phone("3010")
        call, ringing = ring(a, b)
        ringing.expect_cancel()
        call.expect(408)


def nobody_answers_a_call_through_cm():
    with plane(cm_settings=("call.no_answer_s=5",)) as p:
        a, b = p.phone("3001"), p.phone("3002")
        call, ringing = ring(a, b)
        ringing.expect_cancel(timeout=9)
        call.expect(480, 408, timeout=9)
        p.sm.wait_items("/v1/calls", 0)


def either_side_may_hang_up():
    with plane() as p:
        a, b = p.phone("3001", "tcp"), p.phone("3002")
        call, ringing = talk(a, b)
        bye = b.send(ringing.in_dialog("BYE"))
        call.expect_bye()
        assert b.answer_of(bye).status == 200
        p.sm.wait_items("/v1/calls", 0)


def a_call_is_held_and_taken_back():
    with plane() as p:
        a, b = p.phone("3001"), p.phone("3002", "tcp")
        call, ringing = talk(a, b)
        for body, state in ((a.sdp().replace(b"sendrecv", b"sendonly"), "held"), (a.sdp(), "talking")):
            again = a.send(call.in_dialog("INVITE", body))
            at_b = b.expect(lambda m: m.is_request and m.method == "INVITE" and m.to_tag is not None)
            assert at_b.media == media(body)
            b.reply(at_b, 200, "OK", body=b.sdp(), headers=[("Contact", b.contact)])
            assert a.answer_of(again).status == 200
            ack = call.in_dialog("ACK")
            call.cseq -= 1
            ack.replace("CSeq", f"{call.cseq} ACK")
            a.send(ack)
            b.expect(lambda m: m.is_request and m.method == "ACK")
            assert p.sm.items("/v1/calls")[0]["state"] == state
        hang_up(call, ringing)


if __name__ == "__main__":
    run([the_first_answer_wins_and_the_rest_is_cancelled, two_answers_at_once_make_one_call,
         a_contact_that_is_gone_does_not_hold_up_the_other, a_long_offer_reaches_a_phone_that_has_only_udp,
         one_refuses_the_other_answers,
         the_best_of_two_refusals_comes_back, a_decline_ends_the_ringing_everywhere,
         cancel_reaches_every_phone, cancel_before_anything_rings, cancel_of_an_unknown_call_is_481,
         a_busy_phone_is_busy, nobody_answers, nobody_answers_a_call_through_cm,
         either_side_may_hang_up, a_call_is_held_and_taken_back])
