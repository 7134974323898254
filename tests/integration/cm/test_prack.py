#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
"""Reliable provisional answers (RFC 3262) on each leg by itself, message by message."""
import re
import time

from cm_bench import bench
from one_origin import media
from sip_peer import sdp
from standalone import run


def reliable(rseq):
    return [("Require", "100rel"), ("RSeq", str(rseq))]


def without_100rel(b, phase="imsorig", **kw):
    """An INVITE of a phone that knows no 100rel."""
    send = b.sm.request

    def plain(method, uri, headers, *args, **more):
        return send(method, uri, [h for h in headers if h[0] != "Supported"], *args, **more)

    b.sm.request = plain
    try:
        return b.invite(phase, **kw)
    finally:
        b.sm.request = send


def prack_down(b, down, rseq, body=None):
    """The PRACK that cm sends to the callee; its RAck is that of the leg."""
    prack = b.sm.expect("PRACK", where=lambda m: m.call_id == down.call_id)
    assert prack.get("RAck") == "%d %d INVITE" % (rseq, down.cseq), prack
    assert prack.cseq > down.cseq and prack.get("Contact") is None, prack
    if body is not None:
        assert prack.media == media(body), prack
    return prack


def prack_up(b, up, provisional, rack=None, cseq=None, body=b""):
    """The caller's PRACK for a 1xx that it got."""
    rack = rack or "%s %d INVITE" % (provisional.get("RSeq"), up.cseq)
    return b.in_dialog("PRACK", up, provisional, cseq or up.cseq + 1, body, [("RAck", rack)])


def above(b, up, status):
    return b.sm.expect((status, "INVITE"), where=lambda m: m.call_id == up.call_id)


def each_leg_has_its_own_rseq_and_prack():
    with bench() as b:
        up = b.invite()
        down = b.downstream(up)
        assert "100rel" in down.get("Supported") and down.get("Require") is None, down
        assert "PRACK" in down.get("Allow"), down
        b.sm.answer(down, 180, "Ringing", "callee", reliable(77))
        b.sm.answer(prack_down(b, down, 77, b""), 200, "OK")
        ringing = above(b, up, 180)
        assert ringing.get("Require") == "100rel" and ringing.get("RSeq") == "1", ringing
        b.sm.answer(down, 183, "Progress", "callee", reliable(78))
        b.sm.answer(prack_down(b, down, 78, b""), 200, "OK")
        b.sm.expect_nothing((183, "INVITE"), 0.2)  # one at a time: the first is not acknowledged yet
        prack = prack_up(b, up, ringing)
        assert re.fullmatch(r"1 \d+ INVITE", prack.get("RAck"))
        assert b.sm.expect((200, "PRACK")).call_id == up.call_id
        progress = above(b, up, 183)
        assert progress.get("RSeq") == "2", progress
        prack_up(b, up, progress, cseq=up.cseq + 2)
        b.sm.expect((200, "PRACK"))
        b.sm.answer(down, 200, "OK", "callee", body=sdp(port=5000))
        answer = above(b, up, 200)
        assert answer.get("RSeq") is None and "100rel" not in (answer.get("Require") or ""), answer
        assert answer.tag("To") == ringing.tag("To") == progress.tag("To")
        b.ack(up, answer)
        b.sm.expect("ACK")
        b.hang_up(up, answer, down)


def it_is_repeated_until_its_prack_and_not_passed_twice():
    with bench() as b:
        up = b.invite()
        down = b.downstream(up)
        b.sm.answer(down, 180, "Ringing", "callee", reliable(1))
        prack_down(b, down, 1)
        first = above(b, up, 180)
        b.sm.answer(down, 180, "Ringing", "callee", reliable(1))  # the callee's copy crosses our PRACK
        began = time.monotonic()
        second = above(b, up, 180)
        assert 0.3 < time.monotonic() - began < 0.8, "not T1 apart"
        assert second.get("RSeq") == first.get("RSeq") == "1"
        prack_up(b, up, second)
        b.sm.expect((200, "PRACK"))
        b.sm.expect_nothing((180, "INVITE"), 1.3)
        b.sm.answer(down, 486, "Busy Here", "callee")
        b.sm.ack_failure(up, above(b, up, 486), b.cm)


def a_prack_that_matches_nothing_is_481():
    with bench() as b:
        up = b.invite()
        down = b.downstream(up)
        b.sm.answer(down, 180, "Ringing", "callee")
        ringing = above(b, up, 180)
        assert ringing.get("RSeq") is None and ringing.get("Require") is None, ringing
        prack_up(b, up, ringing, "1 %d INVITE" % up.cseq)
        b.sm.expect((481, "PRACK"))
        b.sm.answer(down, 183, "Progress", "callee", reliable(5))
        prack_down(b, down, 5)
        progress = above(b, up, 183)
        for n, (rack, status) in enumerate((("2 %d INVITE" % up.cseq, 481), ("1 %d INVITE" % (up.cseq + 9), 481),
                                            ("1 %d OPTIONS" % up.cseq, 481), ("one", 400),
                                            ("1 %d INVITE" % up.cseq, 200), ("1 %d INVITE" % up.cseq, 481))):
            prack_up(b, up, progress, rack, up.cseq + 2 + n)
            b.sm.expect((status, "PRACK"))
        assert b.server.items("/v1/calls")[0]["state"] == "ringing"
        b.sm.cancel(up, b.cm)
        b.sm.ack_failure(up, above(b, up, 487), b.cm)


def a_caller_that_demands_it_gets_it_from_any_callee():
    with bench() as b:
        up = b.invite(headers=[("Require", "100Rel")])
        down = b.downstream(up)
        assert down.get("Require") is None, "what the caller demands, cm gives"
        b.sm.answer(down, 180, "Ringing", "callee")
        ringing = above(b, up, 180)
        assert ringing.get("Require") == "100rel" and ringing.get("RSeq") == "1", ringing
        b.sm.expect_nothing("PRACK", 0.2)
        prack_up(b, up, ringing)
        b.sm.expect((200, "PRACK"))
        b.sm.answer(down, 486, "Busy Here", "callee")
        b.sm.ack_failure(up, above(b, up, 486), b.cm)


def a_caller_without_it_has_the_description_in_the_200():
    with bench() as b:
        up = without_100rel(b, "imsterm")
        down = b.downstream(up)
        b.sm.answer(down, 183, "Progress", "callee", reliable(3), body=sdp(port=5000))
        prack_down(b, down, 3, b"")
        progress = above(b, up, 183)
        assert progress.get("RSeq") is None and progress.media == media(sdp(port=5000)), progress
        b.sm.answer(down, 200, "OK", "callee")  # the answer was given reliably: none here
        answer = above(b, up, 200)
        assert answer.media == media(sdp(port=5000)) and answer.get("Content-Type") == "application/sdp", answer
        b.ack(up, answer)
        b.sm.expect("ACK")
        b.hang_up(up, answer, down)


def an_offer_in_the_1xx_is_answered_in_the_prack():
    with bench() as b:
        up = b.invite(body=b"")
        down = b.downstream(up)
        assert down.body == b"" and "100rel" in down.get("Supported"), down
        b.sm.answer(down, 183, "Progress", "callee", reliable(9), body=sdp(port=5000))
        progress = above(b, up, 183)
        assert progress.media == media(sdp(port=5000)) and progress.get("RSeq") == "1", progress
        b.sm.expect_nothing("PRACK", 0.2)  # held: nobody has answered the offer
        prack_up(b, up, progress, body=sdp(port=4000))
        there = prack_down(b, down, 9, sdp(port=4000))
        b.sm.expect_nothing((200, "PRACK"), 0.1)
        b.sm.answer(there, 200, "OK")
        assert b.sm.expect((200, "PRACK")).call_id == up.call_id
        b.sm.answer(down, 200, "OK", "callee")
        answer = above(b, up, 200)
        assert answer.body == b"", answer
        b.ack(up, answer)
        assert b.sm.expect("ACK").body == b""
        b.hang_up(up, answer, down)


def an_offerless_caller_without_it_never_meets_it():
    with bench() as b:
        up = without_100rel(b, body=b"")
        down = b.downstream(up)
        assert "100rel" not in (down.get("Supported") or ""), down
        b.sm.answer(down, 486, "Busy Here", "callee")
        b.sm.ack_failure(up, above(b, up, 486), b.cm)


def no_200_before_the_prack_of_a_description():
    with bench() as b:
        up = b.invite()
        down = b.downstream(up)
        b.sm.answer(down, 183, "Progress", "callee", reliable(1), body=sdp(port=5000))
        prack_down(b, down, 1)
        progress = above(b, up, 183)
        b.sm.answer(down, 200, "OK", "callee")
        b.sm.expect_nothing((200, "INVITE"), 0.3)
        prack_up(b, up, progress)
        b.sm.expect((200, "PRACK"))
        answer = above(b, up, 200)
        b.ack(up, answer)
        b.sm.expect("ACK")
        b.hang_up(up, answer, down)


def without_a_description_the_200_does_not_wait():
    with bench() as b:
        up = b.invite()
        down = b.downstream(up)
        b.sm.answer(down, 180, "Ringing", "callee", reliable(1))
        prack_down(b, down, 1)
        ringing = above(b, up, 180)
        b.sm.answer(down, 200, "OK", "callee", body=sdp(port=5000))
        answer = above(b, up, 200)
        b.ack(up, answer)
        b.sm.expect("ACK")
        prack_up(b, up, ringing)  # it crossed the 200
        b.sm.expect((200, "PRACK"))
        b.sm.expect_nothing((180, "INVITE"), 0.7)
        b.hang_up(up, answer, down)


def a_caller_who_gives_up_before_his_prack():
    with bench() as b:
        up = b.invite()
        down = b.downstream(up)
        b.sm.answer(down, 183, "Progress", "callee", reliable(1), body=sdp(port=5000))
        prack_down(b, down, 1)
        above(b, up, 183)
        b.sm.answer(down, 200, "OK", "callee")
        b.sm.cancel(up, b.cm)
        b.sm.ack_failure(up, above(b, up, 487), b.cm)
        assert b.sm.expect("ACK").call_id == down.call_id
        bye = b.sm.expect("BYE")
        assert bye.call_id == down.call_id, bye
        b.sm.answer(bye, 200, "OK")
        assert b.server.items("/v1/calls") == []


def an_offer_in_the_callers_prack_goes_on_as_update():
    with bench() as b:
        up = b.invite()
        down = b.downstream(up)
        b.sm.answer(down, 183, "Progress", "callee", reliable(1) + [("Allow", "INVITE, PRACK, UPDATE")],
                    body=sdp(port=5000))
        b.sm.answer(prack_down(b, down, 1), 200, "OK")
        progress = above(b, up, 183)
        prack_up(b, up, progress, body=sdp(version=2))
        update = b.sm.expect("UPDATE")
        assert update.call_id == down.call_id and update.media == media(sdp(version=2)), update
        assert update.get("RAck") is None, update
        b.sm.answer(update, 200, "OK", body=sdp(port=5000, version=2))
        assert b.sm.expect((200, "PRACK")).media == media(sdp(port=5000, version=2))
        b.sm.answer(down, 200, "OK", "callee")
        answer = above(b, up, 200)
        b.ack(up, answer)
        b.sm.expect("ACK")
        b.hang_up(up, answer, down)


def forks_count_by_themselves():
    with bench() as b:
        up = b.invite("imsterm")
        down = b.downstream(up)
        seen = {}
        for tag, rseq in (("desk", 11), ("mobile", 22)):
            b.sm.answer(down, 180, "Ringing", tag, reliable(rseq))
            assert prack_down(b, down, rseq).tag("To") == tag
            seen[tag] = above(b, up, 180)
            assert seen[tag].get("RSeq") == "1", seen[tag]
        assert seen["desk"].tag("To") != seen["mobile"].tag("To")
        for n, tag in enumerate(("mobile", "desk")):
            prack_up(b, up, seen[tag], cseq=up.cseq + 1 + n)
            assert b.sm.expect((200, "PRACK")).tag("To") == seen[tag].tag("To")
        b.sm.answer(down, 200, "OK", "mobile", body=sdp(port=5000))
        answer = above(b, up, 200)
        assert answer.tag("To") == seen["mobile"].tag("To")
        b.ack(up, answer)
        b.sm.expect("ACK")
        b.hang_up(up, answer, down)


def one_never_acknowledged_ends_the_call_with_504():
    with bench() as b:
        up = b.invite()
        down = b.downstream(up)
        b.sm.answer(down, 183, "Progress", "callee", reliable(1), body=sdp(port=5000))
        b.sm.answer(prack_down(b, down, 1), 200, "OK")
        began = time.monotonic()
        refused = b.sm.expect((504, "INVITE"), 40)
        assert 31 < time.monotonic() - began < 34
        b.sm.ack_failure(up, refused, b.cm)
        copies = [m for m in b.sm.kept if m.status == 183]
        assert 5 <= len(copies) <= 8, len(copies)
        cancel = b.sm.expect("CANCEL")
        b.sm.answer(cancel, 200, "OK")
        b.sm.answer(down, 487, "Request Terminated", "callee")
        b.sm.expect("ACK")
        assert b.server.items("/v1/calls") == []


if __name__ == "__main__":
    run([each_leg_has_its_own_rseq_and_prack, it_is_repeated_until_its_prack_and_not_passed_twice,
         a_prack_that_matches_nothing_is_481, a_caller_that_demands_it_gets_it_from_any_callee,
         a_caller_without_it_has_the_description_in_the_200, an_offer_in_the_1xx_is_answered_in_the_prack,
         an_offerless_caller_without_it_never_meets_it, no_200_before_the_prack_of_a_description,
         without_a_description_the_200_does_not_wait, a_caller_who_gives_up_before_his_prack,
         an_offer_in_the_callers_prack_goes_on_as_update, forks_count_by_themselves,
         one_never_acknowledged_ends_the_call_with_504])
