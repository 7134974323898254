#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 90
"""One origin a dialog (RFC 3264 section 8, RFC 8866 section 5.2): whoever speaks behind cm, a phone hears one that counts.

Every other test here is checked for the same by cm_bench; these say which version is due where."""
from urllib.parse import quote

from cm_bench import DOMAIN, bench
from one_origin import media, origin
from sip_peer import sdp
from standalone import run
from test_offhook import Hook, refused
from test_prack import above, prack_down, prack_up, reliable
from test_refer import Talk, join_up, target_invite

CUT = "multipart/mixed;boundary=\"cut here\""


def parts(description, text=b"hello"):
    return (b"--cut here\r\nContent-Type: text/plain\r\n\r\n" + text + b"\r\n--cut here\r\nContent-Type: application/sdp"
            b"\r\n\r\n" + description + b"\r\n--cut here--\r\n")


def far(port=5000, direction="sendrecv", number=900, who=b"gateway 77"):
    """What a peer behind cm says, who has counted for long."""
    return sdp(port=port, direction=direction, version=number).replace(b"o=- 1", b"o=" + who).replace(
        b"IP4 127.0.0.1\r\ns=", b"IP6 2001:db8::9\r\ns=")


def heard(message, number, body):
    """A description of ours: that version, all else as the far side wrote it. Its origin."""
    ours, is_ = origin(message.body)
    assert is_ == number, (number, message)
    assert ours[0] == b"-" and ours[2] == b"IN IP4 127.0.0.1" and 0 <= ours[1] < 2 ** 53, message
    assert message.media == media(body) and message.body.startswith(b"v=0\r\no="), message
    return ours


def cross(call, side, body, answer_body, numbers):
    """A re-INVITE from one side and its answer; which versions the two hear. Both origins."""
    there_side = "down" if side == "up" else "up"
    call.send(side, "INVITE", body)
    there = call.expect(there_side, "INVITE")
    first = heard(there, numbers[0], body)
    call.b.sm.answer(there, 200, "OK", body=answer_body)
    back = call.expect(side, (200, "INVITE"))
    second = heard(back, numbers[1], answer_body)
    if side == "up":
        call.b.ack(call.up, back, cseq=call.cseq["up"])
    else:
        call.b.in_dialog_down("ACK", call.down, call.tag, call.cseq["down"])
    call.expect(there_side, "ACK")
    return first, second


def hold_and_resume_from_both_sides():
    for phase in ("imsorig", "imsterm"):
        with bench() as b:
            call = Talk(b, phase, body=far(4000))
            below, above_ = heard(call.down, 1, far(4000)), heard(call.answer, 1, sdp(port=5000))
            assert below != above_, "two dialogs, two origins"
            held, holds = far(4000, "sendonly", 901), sdp(port=5000, direction="recvonly", version=2)
            assert cross(call, "up", held, holds, (2, 2)) == (below, above_)
            # once more the same: a session refresh, whatever the phones count
            assert cross(call, "up", far(4000, "sendonly", 950), sdp(port=5000, direction="recvonly", version=7),
                         (2, 2)) == (below, above_)
            assert cross(call, "up", far(4000, number=951), sdp(port=5000), (3, 3)) == (below, above_)
            # now the callee asks: his side hears the answers, the caller's the offers
            assert cross(call, "down", sdp(port=5000, direction="inactive"), far(4000, "inactive"),
                         (4, 4)) == (above_, below)
            assert cross(call, "down", sdp(port=5000), far(4000), (5, 5)) == (above_, below)
            # one may change alone: a new offer, the same answer
            assert cross(call, "up", far(4002), sdp(port=5000), (6, 5)) == (below, above_)
            b.hang_up(call.up, call.answer, call.down)


def refused_by(b, call, side, body, number, status):
    """An offer from one side that the other one refuses; what the other one heard of it."""
    there_side = "down" if side == "up" else "up"
    sent = call.send(side, "INVITE", body)
    there = call.expect(there_side, "INVITE")
    ours = heard(there, number, body)
    b.sm.answer(there, status, "No", body=far() if status == 488 else b"", contact=False)
    call.expect(there_side, "ACK")
    refusal = call.expect(side, (status, "INVITE"))
    b.sm.ack_failure(sent, refusal, b.cm)
    if status == 488:  # what he could do is no session, but it is said in cm's name, too
        assert refusal.media == media(far()) and origin(refusal.body)[0][0] == b"-", refusal
    return ours


def a_version_that_was_refused_is_not_given_twice():
    """The old description is in force again, under a version that nobody has seen yet."""
    with bench() as b:
        call = Talk(b, "imsterm")
        ours = origin(call.answer.body)[0]
        assert refused_by(b, call, "down", sdp(port=5100), 2, 491) == ours
        assert refused_by(b, call, "down", sdp(port=5100), 2, 488) == ours  # the same again
        assert refused_by(b, call, "down", sdp(port=5200), 3, 488) == ours
        # the callee sends the caller elsewhere and goes: what cm holds is what is in force
        call.refer("down")
        call.news("down", 100)
        target = target_invite(b, call)
        call.bye("down")
        hold = call.expect("up", "INVITE")
        assert heard(hold, 4, sdp(port=5000, direction="inactive")) == ours
        b.sm.answer(hold, 200, "OK", body=sdp(direction="inactive"))
        call.expect("up", "ACK")
        # alone, he asks for the same once more
        call.send("up", "INVITE", sdp(direction="inactive"))
        alone = call.expect("up", (200, "INVITE"))
        assert heard(alone, 4, sdp(port=5000, direction="inactive")) == ours
        b.ack(call.up, alone, cseq=call.cseq["up"])
        join_up(b, call, "up", target)
        bye = call.send("up", "BYE")
        assert call.expect("up", (200, "BYE")).cseq == bye.cseq
        b.sm.answer(b.sm.expect("BYE", where=lambda m: m.call_id == target.call_id), 200, "OK")


def blind_transfer():
    """Who stays hears the new party under the origin of the old one; the new party has a dialog of his own."""
    with bench() as b:
        call = Talk(b, "imsterm", body=far(4000))
        ours = origin(call.answer.body)[0]
        call.refer("down")
        call.news("down", 100)
        target = target_invite(b, call)
        b.sm.answer(target, 200, "OK", "new", body=far(7000, number=3))  # an offer, as old as the hills
        again = call.expect("up", "INVITE")
        assert heard(again, 2, far(7000)) == ours
        b.sm.answer(again, 200, "OK", body=far(4444, number=2))
        call.expect("up", "ACK")
        ack = b.sm.expect("ACK", where=lambda m: m.call_id == target.call_id)
        theirs = heard(ack, 1, far(4444))
        assert theirs not in (ours, origin(call.down.body)[0])
        call.news("down", 200)
        call.bye_from_cm("down")
        # and goes on so, in the half that has taken the dialog over
        call.send("up", "INVITE", far(4444, "sendonly"))
        there = b.sm.expect("INVITE", where=lambda m: m.call_id == target.call_id)
        assert heard(there, 2, far(4444, "sendonly")) == theirs
        b.sm.answer(there, 200, "OK", body=far(7000, "recvonly"))
        back = call.expect("up", (200, "INVITE"))
        assert heard(back, 3, far(7000, "recvonly")) == ours
        b.ack(call.up, back, cseq=call.cseq["up"])
        b.sm.expect("ACK", where=lambda m: m.call_id == target.call_id)
        call.bye("up")
        b.sm.answer(b.sm.expect("BYE", where=lambda m: m.call_id == target.call_id), 200, "OK")


def joining(b):
    """Two talks, and the first asks for the second's party: until both sides of the new call have the other's offer.
    The talks, cm's INVITEs to the two, and the origins that they have heard."""
    first = Talk(b, "imsterm", gsid="gsid-1")
    second = Talk(b, "imsorig", gsid="gsid-2", caller="3002", dialled="grace", body=far(4300))
    ours, theirs = origin(first.answer.body)[0], origin(second.down.body)[0]
    to = "sip:grace@%s?Replaces=%s" % (DOMAIN, quote(second.names("up"), safe=""))
    first.refer("down", to)
    first.news("down", 100)
    again = second.expect("down", "INVITE")
    b.sm.answer(again, 200, "OK", body=far(7000))
    kept = first.expect("up", "INVITE")
    assert heard(kept, 2, far(7000)) == ours
    return first, second, again, kept, (ours, theirs)


def transfer_after_consultation():
    with bench() as b:
        first, second, again, kept, (ours, theirs) = joining(b)
        b.sm.answer(kept, 200, "OK", body=far(4444))
        first.expect("up", "ACK")
        ack = second.ack_of("down", again)
        assert heard(ack, 2, far(4444)) == theirs
        first.news("down", 200)
        for call, side in ((first, "down"), (second, "up")):
            call.bye_from_cm(side)
        second.bye("down")
        first.bye_from_cm("up")


def a_join_that_is_refused_takes_nothing_back():
    with bench() as b:
        first, second, again, kept, (ours, theirs) = joining(b)
        b.sm.answer(kept, 488, "Not Acceptable Here", contact=False)
        ack = second.ack_of("down", again)
        assert heard(ack, 1, far(4300)) == theirs, "what she heard before, and nothing has come between"
        first.news("down", 488)
        assert cross(first, "down", sdp(port=5000), sdp(), (3, 1))[0] == ours
        for call in (first, second):
            b.hang_up(call.up, call.answer, call.down)


def forks():
    """Each fork is a dialog of its own on both sides; all below have heard the INVITE, none what another was told."""
    with bench() as b:
        up = b.invite("imsterm", body=far(4000))
        down = b.downstream(up)
        ours = heard(down, 1, far(4000))
        told = {}
        for name, port in (("a", 5001), ("b", 5002)):
            b.sm.answer(down, 183, "Progress", name, [("Allow", "INVITE, UPDATE")], far(port))
            told[name] = b.sm.expect((183, "INVITE"))
        origins = {name: heard(m, 1, far(port)) for (name, m), port in zip(told.items(), (5001, 5002))}
        assert len(set(origins.values())) == 2, origins
        for number in (2, 3):  # the caller tells a something new, twice
            b.in_dialog("UPDATE", up, told["a"], up.cseq + number, far(4000 + number))
            update = b.sm.expect("UPDATE")
            assert update.tag("To") == "a" and heard(update, number, far(4000 + number)) == ours
            b.sm.answer(update, 200, "OK", body=far(5001))
            assert heard(b.sm.expect((200, "UPDATE")), 1, far(5001)) == origins["a"]
        # then b, and one that nobody has heard of before: with them it is the second word
        b.in_dialog("UPDATE", up, told["b"], up.cseq + 1, far(4002))
        update = b.sm.expect("UPDATE")
        assert update.tag("To") == "b" and heard(update, 2, far(4002)) == ours
        b.sm.answer(update, 200, "OK", body=far(5002))
        b.sm.expect((200, "UPDATE"))
        b.sm.answer(down, 183, "Progress", "c", [("Allow", "INVITE, UPDATE")], far(5003))
        told["c"] = b.sm.expect((183, "INVITE"))
        b.in_dialog("UPDATE", up, told["c"], up.cseq + 1, far(4009))
        update = b.sm.expect("UPDATE")
        assert update.tag("To") == "c" and heard(update, 2, far(4009)) == ours
        b.sm.answer(update, 200, "OK", body=far(5003))
        b.sm.expect((200, "UPDATE"))
        # the answer repeats what the 183 had, or not
        b.sm.answer(down, 200, "OK", "b", body=far(5002))
        answer = b.sm.expect((200, "INVITE"))
        assert heard(answer, 1, far(5002)) == origins["b"]
        b.ack(up, answer)
        b.sm.expect("ACK")
        b.hang_up(up, answer, down)


def forks_that_share_one_dialog():
    """Behind the digits of a phone that was off-hook there is one To-tag for all: its version counts over them."""
    with bench() as b:
        hook = Hook(b)
        first = hook.reserve()
        early = hook.progress()
        second = hook.dial(to_tag=early.tag("To"))
        refused(b, first, 484)
        down = b.downstream(second)
        b.sm.answer(down, 183, "Progress", "desk", body=far(5001))
        progress = b.sm.expect((183, "INVITE"))
        ours = heard(progress, 1, far(5001))
        b.sm.answer(down, 200, "OK", "mobile", body=far(5002, number=1))
        answer = b.sm.expect((200, "INVITE"))
        assert answer.tag("To") == progress.tag("To") == early.tag("To")
        assert heard(answer, 2, far(5002)) == ours
        b.ack(second, answer)
        b.sm.expect("ACK", where=lambda m: m.call_id == down.call_id)
        b.hang_up(second, answer, down)


def reliable_answers_and_offers_in_prack():
    with bench() as b:
        up = b.invite(body=far(4000))
        down = b.downstream(up)
        below = heard(down, 1, far(4000))
        b.sm.answer(down, 183, "Progress", "callee", reliable(1) + [("Allow", "INVITE, PRACK, UPDATE")], far(5000))
        b.sm.answer(prack_down(b, down, 1), 200, "OK")
        progress = above(b, up, 183)
        ours = heard(progress, 1, far(5000))
        prack_up(b, up, progress, body=far(4002))
        update = b.sm.expect("UPDATE")
        assert heard(update, 2, far(4002)) == below
        b.sm.answer(update, 200, "OK", body=far(5002))
        assert heard(b.sm.expect((200, "PRACK")), 2, far(5002)) == ours
        # the callee changes his mind, too
        b.in_dialog_down("UPDATE", down, "callee", 1, far(5004))
        update = b.sm.expect("UPDATE")
        assert update.call_id == up.call_id and heard(update, 3, far(5004)) == ours
        b.sm.answer(update, 200, "OK", body=far(4002))
        assert heard(b.sm.expect((200, "UPDATE")), 2, far(4002)) == below
        b.sm.answer(down, 200, "OK", "callee")
        answer = above(b, up, 200)
        assert answer.body == b"", answer
        b.ack(up, answer)
        b.sm.expect("ACK")
        b.hang_up(up, answer, down)


def a_description_overtakes_no_other():
    """A reliable 1xx waits for the PRACK of the one before; what comes after it has a later version and waits, too."""
    with bench() as b:
        up = b.invite()
        down = b.downstream(up)
        for rseq, port in ((1, 0), (2, 5000), (0, 5002)):
            headers = reliable(rseq) if rseq else []
            b.sm.answer(down, 180 if port == 0 else 183, "Progress", "callee", headers, far(port) if port else b"")
            if rseq:
                b.sm.answer(prack_down(b, down, rseq), 200, "OK")
        first = above(b, up, 180)
        b.sm.expect_nothing((183, "INVITE"), 0.2)
        prack_up(b, up, first)
        second = above(b, up, 183)
        ours = heard(second, 1, far(5000))
        b.sm.expect((200, "PRACK"))
        prack_up(b, up, second, cseq=up.cseq + 2)
        third = b.sm.expect((183, "INVITE"), where=lambda m: m.get("RSeq") != second.get("RSeq"))
        assert heard(third, 2, far(5002)) == ours
        prack_up(b, up, third, cseq=up.cseq + 3)
        b.sm.answer(down, 200, "OK", "callee", body=far(5002))
        answer = above(b, up, 200)
        assert heard(answer, 2, far(5002)) == ours
        b.ack(up, answer)
        b.sm.expect("ACK")
        b.hang_up(up, answer, down)


def the_offer_may_come_late():
    with bench() as b:
        up = b.invite(body=b"")
        down = b.downstream(up)
        assert down.body == b"", down
        b.sm.answer(down, 200, "OK", "callee", body=far(5000))
        answer = b.sm.expect((200, "INVITE"))
        ours = heard(answer, 1, far(5000))
        again = b.sm.expect((200, "INVITE"), 1.0)  # no ACK yet: byte for byte
        assert again.encode() == answer.encode()
        b.ack(up, answer, body=far(4000))
        below = heard(b.sm.expect("ACK"), 1, far(4000))
        assert ours != below
        # a re-INVITE without one asks the callee: he may say the same
        b.in_dialog("INVITE", up, answer, 20)
        there = b.sm.expect("INVITE", where=lambda m: m.call_id == down.call_id)
        assert there.body == b"", there
        b.sm.answer(there, 200, "OK", body=far(5000, number=901))
        back = b.sm.expect((200, "INVITE"), where=lambda m: m.cseq == 20)
        assert heard(back, 1, far(5000)) == ours
        b.ack(up, back, body=far(4002), cseq=20)
        assert heard(b.sm.expect("ACK", where=lambda m: m.cseq == there.cseq), 2, far(4002)) == below
        b.hang_up(up, answer, down)


def any_body():
    """In a part of a body it is the same; what is no description, and all that is not o=, passes byte for byte."""
    odd = b"v=0\no=John Doe %s\ns=\nx-y\n\n\tz" % (b"9" * 1000)
    with bench() as b:
        for kind, body, sent in (
                (CUT, parts(far(4000)), parts(b"%s")),
                ("application/sdp", odd, b"%s")):
            up = b.invite(body=body, headers=[("Content-Type", kind), ("MIME-Version", "1.0")])
            down = b.downstream(up)
            assert down.get("Content-Type") == kind and down.get("MIME-Version") == "1.0", down
            ours = down.body[down.body.index(b"o="):].splitlines()[0]
            assert ours.endswith(b" 1 IN IP4 127.0.0.1") and ours.startswith(b"o=- "), down
            theirs = body[body.index(b"o="):].splitlines()[0]
            assert down.body == body.replace(theirs, ours) and sent, down
            b.sm.answer(down, 486, "Busy Here", "x")
            b.sm.ack_failure(up, b.sm.expect((486, "INVITE")), b.cm)
            b.sm.expect("ACK")
        for kind, body in (("application/sdp", b"v=0\r\ns=-\r\n"), ("application/sdp", b"\0\xff"),
                           ("application/sdp", b"v=0\r\no=- 1 1 IN IP4 192.0.2.1"), ("text/plain", far()),
                           ("multipart/mixed;boundary=other", parts(far()))):
            up = b.invite(body=body, headers=[("Content-Type", kind)])
            down = b.downstream(up)
            assert down.body == body and down.get("Content-Type") == kind, down
            b.sm.answer(down, 486, "Busy Here", "x")
            b.sm.ack_failure(up, b.sm.expect((486, "INVITE")), b.cm)
            b.sm.expect("ACK")
        # DTMF in between is not what the side was told last
        call = Talk(b, "imsterm")
        call.send("down", "INFO", b"Signal=1\r\n", [("Content-Type", "application/dtmf-relay")])
        info = call.expect("up", "INFO")
        assert info.body == b"Signal=1\r\n", info
        b.sm.answer(info, 200, "OK")
        call.expect("down", (200, "INFO"))
        call.refer("down")
        call.news("down", 100)
        target = target_invite(b, call)
        call.bye("down")
        hold = call.expect("up", "INVITE")
        heard(hold, 2, sdp(port=5000, direction="inactive"))
        b.sm.answer(hold, 200, "OK", body=sdp(direction="inactive"))
        call.expect("up", "ACK")
        b.sm.answer(target, 486, "Busy Here", "x")
        call.bye_from_cm("up")


def a_hold_takes_the_description_out_of_its_parts():
    with bench() as b:
        call = Talk(b, "imsterm")
        call.send("down", "INVITE", parts(far(5100)), [("Content-Type", CUT), ("MIME-Version", "1.0")])
        offer = call.expect("up", "INVITE")
        assert offer.get("Content-Type") == CUT and b"hello" in offer.body, offer
        b.sm.answer(offer, 200, "OK", body=sdp())
        back = call.expect("down", (200, "INVITE"))
        assert back.get("Content-Type") == "application/sdp", back
        b.in_dialog_down("ACK", call.down, call.tag, call.cseq["down"])
        call.expect("up", "ACK")
        call.refer("down")
        call.news("down", 100)
        target = target_invite(b, call)
        call.bye("down")
        hold = call.expect("up", "INVITE")
        assert hold.get("Content-Type") == "application/sdp", hold
        heard(hold, 3, far(5100, "inactive"))
        b.sm.answer(hold, 200, "OK", body=sdp(direction="inactive"))
        call.expect("up", "ACK")
        b.sm.answer(target, 486, "Busy Here", "x")
        call.bye_from_cm("up")


if __name__ == "__main__":
    run([hold_and_resume_from_both_sides, a_version_that_was_refused_is_not_given_twice, blind_transfer,
         transfer_after_consultation, a_join_that_is_refused_takes_nothing_back, forks, forks_that_share_one_dialog,
         reliable_answers_and_offers_in_prack, a_description_overtakes_no_other, the_offer_may_come_late, any_body,
         a_hold_takes_the_description_out_of_its_parts])
