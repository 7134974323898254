#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 150
"""Transfer that cm carries out (RFC 3515, 3891, 3892, 5589): blind, attended, refused, crossed; re-INVITEs of its own."""
import time
from urllib.parse import quote

from cm_bench import DOMAIN, bench
from one_origin import media, version
from sip_peer import sdp
from standalone import run

FRAG = "SIP/2.0 %d"


class Talk:
    """A call that talks, seen from both sides of cm; side "up" is the caller's."""

    def __init__(self, b, phase="imsorig", gsid="gsid-1", **kw):
        self.b, self.gsid = b, gsid
        self.up, self.answer, self.down, self.tag = b.talk(phase, gsid=gsid, **kw)
        self.cseq = {"up": self.up.cseq, "down": 0}

    def call_id(self, side):
        return (self.up if side == "up" else self.down).call_id

    def send(self, side, method, body=b"", headers=()):
        self.cseq[side] += 1
        if side == "up":
            return self.b.in_dialog(method, self.up, self.answer, self.cseq[side], body, headers)
        return self.b.in_dialog_down(method, self.down, self.tag, self.cseq[side], body, headers)

    def names(self, side):
        """A Replaces that names this side's dialog, as cm must read it: to-tag is cm's."""
        if side == "up":
            return "%s;to-tag=%s;from-tag=%s" % (self.up.call_id, self.answer.tag("To"), self.up.tag("From"))
        return "%s;to-tag=%s;from-tag=%s" % (self.down.call_id, self.down.tag("From"), self.tag)

    def expect(self, side, what, timeout=2.0):
        return self.b.sm.expect(what, timeout, where=lambda m: m.call_id == self.call_id(side))

    def refer(self, side, to="sip:grace@" + DOMAIN, headers=(), status=202):
        sent = self.send(side, "REFER", headers=[("Refer-To", "<%s>" % to)] + list(headers))
        answer = self.expect(side, (status, "REFER"))
        return sent, answer

    def news(self, side, status, ends=None):
        msg = self.expect(side, "NOTIFY", 3)
        assert msg.body.decode().startswith(FRAG % status), (status, msg)
        assert msg.get("Event").startswith("refer;id=") and msg.get("Content-Type").startswith("message/sipfrag"), msg
        state = msg.get("Subscription-State")
        assert state == "terminated;reason=noresource" if status >= 200 else state.startswith("active;expires="), msg
        self.b.sm.answer(msg, 200, "OK")
        return msg

    def ack_of(self, side, invite):
        """The ACK of that INVITE, not of one before."""
        ack = self.expect(side, "ACK", 3)
        while ack.cseq != invite.cseq:
            ack = self.expect(side, "ACK")
        return ack

    def bye_from_cm(self, side, timeout=2.0):
        bye = self.expect(side, "BYE", timeout)
        self.b.sm.answer(bye, 200, "OK")
        return bye

    def bye(self, side):
        self.send(side, "BYE")
        self.expect(side, (200, "BYE"))


def other(side):
    return "down" if side == "up" else "up"


def target_invite(b, *known):
    ids = {c.call_id(s) for c in known for s in ("up", "down")}
    return b.sm.expect("INVITE", where=lambda m: m.call_id not in ids)


def join_up(b, call, kept, target, port=7000):
    """The target answers with an offer; the kept side gets it, and its answer goes into the ACK."""
    b.sm.answer(target, 200, "OK", "new", body=sdp(port=port))
    again = call.expect(kept, "INVITE")
    assert again.media == media(sdp(port=port)), again
    b.sm.answer(again, 200, "OK", body=sdp(port=4444))
    assert call.expect(kept, "ACK").cseq == again.cseq
    ack = b.sm.expect("ACK", where=lambda m: m.call_id == target.call_id)
    assert ack.media == media(sdp(port=4444)) and ack.cseq == target.cseq, ack


def blind(phase, asker):
    kept = other(asker)
    with bench() as b:
        call = Talk(b, phase)
        sent, _ = call.refer(asker, headers=[("Referred-By", "<sip:boss@%s>" % DOMAIN)])
        first = call.news(asker, 100)
        assert first.get("Event") == "refer;id=%d" % sent.cseq
        target = target_invite(b, call)
        assert target.body == b"" and target.uri == "sip:grace@" + DOMAIN, target
        heard, pays = ("3001", "3002") if kept == "up" else ("3002", "3001")
        assert "sip:%s@" % heard in target.get("From") and target.get("Referred-By") == "<sip:boss@%s>" % DOMAIN
        assert target.get("P-Asserted-Identity") == "<sip:%s@%s>" % (heard, DOMAIN), target
        assert target.get("Av-Global-Session-ID") == "gsid-1"
        assert target.get("Route") == "<sip:%s;transport=udp;lr;phase=origdone;served=%s>" % (b.sm.hostport, pays)
        b.sm.answer(target, 180, "Ringing", "new")
        call.news(asker, 180)
        join_up(b, call, kept, target)
        call.news(asker, 200)
        call.bye_from_cm(asker)
        live, = b.server.items("/v1/calls")
        assert live["gsid"] == "gsid-1" and live["state"] == "talking", live
        assert {leg["handle"] for leg in live["legs"]} == {heard, "grace"}, live
        # what the two say goes to and fro
        call.send(kept, "INVITE", sdp(direction="sendonly", version=2))
        hold = b.sm.expect("INVITE", where=lambda m: m.call_id == target.call_id)
        b.sm.answer(hold, 200, "OK", body=sdp(port=7000, direction="recvonly"))
        held = call.expect(kept, (200, "INVITE"))
        assert held.media == media(sdp(port=7000, direction="recvonly"))
        if kept == "up":
            b.ack(call.up, held, cseq=call.cseq["up"])
        else:
            b.in_dialog_down("ACK", call.down, call.tag, call.cseq["down"])
        b.sm.expect("ACK", where=lambda m: m.call_id == target.call_id)
        call.bye(kept)
        bye = b.sm.expect("BYE", where=lambda m: m.call_id == target.call_id)
        b.sm.answer(bye, 200, "OK")
        assert b.server.items("/v1/calls") == []
        first = "orig" if phase == "imsorig" else "term"
        records = b.server.wait_items("/v1/records", 3)
        halves = {r["half"]: r for r in records}
        assert set(halves) == {first, "orig.2" if phase == "imsorig" else "orig", "call"}, records
        new = halves["orig.2" if phase == "imsorig" else "orig"]
        assert new["caller"] == heard and new["callee"] == "grace" and new["handle"] == pays, new
        assert all(r["result"] == "answered" for r in records), records


def blind_by_the_caller():
    blind("imsorig", "up")


def blind_by_the_callee():
    blind("imsterm", "down")


def attended():
    with bench() as b:
        first = Talk(b, "imsterm", gsid="gsid-1")                                   # 3001 calls 3002
        second = Talk(b, "imsorig", gsid="gsid-2", caller="3002", dialled="grace")  # who asks grace
        first.refer("down", "sip:grace@%s?Replaces=%s" % (DOMAIN, quote(second.names("up"), safe="")))
        first.news("down", 100)
        again = second.expect("down", "INVITE")
        assert again.body == b"" and again.tag("To"), again
        b.sm.answer(again, 200, "OK", body=sdp(port=7000))
        kept = first.expect("up", "INVITE")
        assert kept.media == media(sdp(port=7000))
        b.sm.answer(kept, 200, "OK", body=sdp(port=4444))
        assert first.expect("up", "ACK").cseq == kept.cseq
        ack = second.expect("down", "ACK")
        assert ack.media == media(sdp(port=4444)) and ack.cseq == again.cseq, ack
        second.bye_from_cm("up")
        first.news("down", 200)
        first.bye_from_cm("down")
        live, = b.server.items("/v1/calls")
        assert live["gsid"] == "gsid-1" and {x["handle"] for x in live["legs"]} == {"3001", "grace"}, live
        second.bye("down")  # grace hangs up
        first.bye_from_cm("up")
        assert b.server.items("/v1/calls") == []
        records = b.server.wait_items("/v1/records", 5)
        assert sorted((r["gsid"], r["half"]) for r in records) == [
            ("gsid-1", "call"), ("gsid-1", "orig"), ("gsid-1", "term"), ("gsid-2", "call"), ("gsid-2", "orig")], records
        assert all(r["result"] == "answered" for r in records), records


def an_attended_transfer_that_the_target_refuses_leaves_both_calls():
    with bench() as b:
        first = Talk(b, "imsterm", gsid="gsid-1")
        second = Talk(b, "imsorig", gsid="gsid-2", caller="3002", dialled="grace")
        to = "sip:grace@%s?Replaces=%s" % (DOMAIN, quote(second.names("up"), safe=""))
        first.refer("down", to)
        first.news("down", 100)
        b.sm.answer(second.expect("down", "INVITE"), 488, "Not Acceptable Here", contact=False)
        first.news("down", 488)
        # once more: this time the side that would stay refuses, and the target hears what it heard before
        first.refer("down", to)
        first.news("down", 100)
        again = second.expect("down", "INVITE")
        b.sm.answer(again, 200, "OK", body=sdp(port=7000))
        b.sm.answer(first.expect("up", "INVITE"), 488, "Not Acceptable Here", contact=False)
        ack = second.ack_of("down", again)
        assert ack.media == second.up.media, ack
        first.news("down", 488)
        assert len(b.server.items("/v1/calls")) == 2
        for call in (first, second):
            b.hang_up(call.up, call.answer, call.down)


def a_target_that_refuses_gives_the_call_back():
    with bench() as b:
        call = Talk(b, "imsterm")
        call.refer("down")
        call.news("down", 100)
        target = target_invite(b, call)
        b.sm.answer(target, 486, "Busy Here", "new")
        call.news("down", 486)
        b.sm.expect_nothing("BYE", 0.2)
        call.send("down", "INVITE", sdp(port=5000, version=2))  # he resumes
        b.sm.answer(call.expect("up", "INVITE"), 200, "OK", body=sdp())
        b.in_dialog_down("ACK", call.down, call.tag, call.cseq["down"])
        assert call.expect("down", (200, "INVITE")).media == media(sdp())
        call.expect("up", "ACK")
        call.refer("down", "sip:3999@" + DOMAIN)                # a number that nobody has
        call.news("down", 100)
        call.news("down", 404)
        b.hang_up(call.up, call.answer, call.down)
        records = b.server.wait_items("/v1/records", 4)
        assert sorted((r["half"], r["result"]) for r in records) == [
            ("call", "answered"), ("orig", "busy"), ("orig.2", "failed"), ("term", "answered")], records


def who_transfers_may_hang_up_at_once():
    with bench() as b:
        call = Talk(b, "imsterm")
        call.refer("down")
        call.news("down", 100)
        target = target_invite(b, call)
        call.bye("down")
        hold = call.expect("up", "INVITE")
        assert b"a=inactive" in hold.body and version(hold.body) == 2, hold
        b.sm.answer(hold, 200, "OK", body=sdp(direction="inactive"))
        call.expect("up", "ACK")
        # alone, the side that waits may refresh its session
        call.send("up", "UPDATE", headers=[("Session-Expires", "1800"), ("Supported", "timer")])
        call.expect("up", (200, "UPDATE"))
        call.send("up", "INVITE", sdp(version=5))
        alone = call.expect("up", (200, "INVITE"))
        assert b"a=inactive" in alone.body, alone
        b.ack(call.up, alone, cseq=call.cseq["up"])
        assert b.server.items("/v1/calls")[0]["state"] in ("held", "ringing")
        join_up(b, call, "up", target)
        msg = call.expect("down", "NOTIFY")
        assert msg.body.startswith(b"SIP/2.0 200")
        b.sm.answer(msg, 481, "Gone")
        call.bye("up")
        b.sm.answer(b.sm.expect("BYE", where=lambda m: m.call_id == target.call_id), 200, "OK")
        b.sm.expect_nothing("BYE", 0.2)
        assert b.server.items("/v1/calls") == []
        assert len(b.server.wait_items("/v1/records", 3)) == 3


def nobody_is_left_when_the_target_refuses_then():
    with bench() as b:
        call = Talk(b, "imsterm")
        call.refer("down")
        call.news("down", 100)
        target = target_invite(b, call)
        call.bye("down")
        b.sm.answer(call.expect("up", "INVITE"), 200, "OK", body=sdp(direction="inactive"))
        call.expect("up", "ACK")
        b.sm.answer(target, 486, "Busy Here", "new")
        call.bye_from_cm("up")
        assert b.server.items("/v1/calls") == []


def the_held_one_hangs_up_meanwhile():
    for answered in (False, True):
        with bench() as b:
            call = Talk(b, "imsterm")
            call.refer("down")
            call.news("down", 100)
            target = target_invite(b, call)
            b.sm.answer(target, 180, "Ringing", "new")
            call.news("down", 180)
            if answered:  # the re-INVITE is under way
                b.sm.answer(target, 200, "OK", "new", body=sdp(port=7000))
                again = call.expect("up", "INVITE")
            call.bye("up")
            if answered:
                b.sm.answer(again, 487, "Request Terminated", contact=False)
                b.sm.expect("ACK", where=lambda m: m.call_id == target.call_id)
                b.sm.answer(b.sm.expect("BYE", where=lambda m: m.call_id == target.call_id), 200, "OK")
            else:
                b.sm.answer(b.sm.expect("CANCEL"), 200, "OK")
                b.sm.answer(target, 487, "Request Terminated", "new")
            call.news("down", 487)
            call.bye_from_cm("down")
            assert b.server.items("/v1/calls") == []
            assert len({r["half"] for r in b.server.wait_items("/v1/records", 3)}) == 3


def the_new_one_hangs_up_before_he_is_joined():
    with bench() as b:
        call = Talk(b, "imsterm")
        call.refer("down")
        call.news("down", 100)
        target = target_invite(b, call)
        b.sm.answer(target, 200, "OK", "new", body=sdp(port=7000))
        again = call.expect("up", "INVITE")
        b.sm.answer(again, 100, "Trying")
        b.in_dialog_down("BYE", target, "new", 1)
        b.sm.expect((200, "BYE"), where=lambda m: m.call_id == target.call_id)
        b.sm.answer(call.expect("up", "CANCEL"), 200, "OK")
        call.news("down", 487)
        # the CANCEL comes too late: who has said yes is told what he heard before
        b.sm.answer(again, 200, "OK", body=sdp(port=4444))
        call.expect("up", "ACK")
        back = call.expect("up", "INVITE")
        assert back.media == media(sdp(port=5000)), back
        b.sm.answer(back, 200, "OK", body=sdp())
        call.expect("up", "ACK")
        b.hang_up(call.up, call.answer, call.down)


def a_reinvite_of_ours_meets_another_one():
    with bench() as b:
        call = Talk(b, "imsterm")
        call.refer("down")
        call.news("down", 100)
        target = target_invite(b, call)
        b.sm.answer(target, 200, "OK", "new", body=sdp(port=7000))
        again = call.expect("up", "INVITE")
        # his own crosses it: each refuses the other's, and ours comes again
        call.send("up", "INVITE", sdp(version=2))
        b.sm.ack_failure(_last(b, call), call.expect("up", (491, "INVITE")), b.cm)
        b.sm.answer(again, 491, "Request Pending", contact=False)
        call.expect("up", "ACK")
        start = time.monotonic()
        once_more = call.expect("up", "INVITE", 5)
        # cm is not the owner of this Call-ID: 0 to 2 s
        assert time.monotonic() - start < 2.5 and once_more.media == media(sdp(port=7000))
        b.sm.answer(once_more, 200, "OK", body=sdp(port=4444))
        call.expect("up", "ACK")
        b.sm.expect("ACK", where=lambda m: m.call_id == target.call_id)
        call.news("down", 200)
        call.bye_from_cm("down")
        call.bye("up")
        b.sm.answer(b.sm.expect("BYE", where=lambda m: m.call_id == target.call_id), 200, "OK")


def _last(b, call):
    """The INVITE that we sent last in the caller's dialog."""
    return [m for _, way, m in b.sm.log if way == ">" and m.is_request and m.method == "INVITE" and
            m.call_id == call.up.call_id][-1]


def refer_while_a_reinvite_is_open():
    with bench() as b:
        call = Talk(b, "imsterm")
        sent = call.send("down", "INVITE", sdp(port=5000, direction="sendonly", version=2))
        hold = call.expect("up", "INVITE")
        call.refer("down")  # he does not wait for the answer
        call.news("down", 100)
        target = target_invite(b, call)
        b.sm.answer(target, 200, "OK", "new", body=sdp(port=7000))
        time.sleep(0.4)
        assert not [m for m in b.sm.kept if m.method == "INVITE" and m.call_id == call.up.call_id]
        b.sm.answer(hold, 200, "OK", body=sdp(direction="recvonly"))
        b.in_dialog_down("ACK", call.down, call.tag, sent.cseq)
        call.expect("up", "ACK")
        again = call.expect("up", "INVITE")  # now it is our turn
        b.sm.answer(again, 200, "OK", body=sdp(port=4444))
        call.expect("up", "ACK")
        b.sm.expect("ACK", where=lambda m: m.call_id == target.call_id)
        call.news("down", 200)
        call.bye_from_cm("down")
        call.bye("up")
        b.sm.answer(b.sm.expect("BYE", where=lambda m: m.call_id == target.call_id), 200, "OK")


def what_a_refer_may_say():
    with bench() as b:
        call = Talk(b, "imsterm")
        other_call = Talk(b, "imsorig", gsid="gsid-2", caller="3001", dialled="grace")
        call.send("down", "REFER")
        call.expect("down", (400, "REFER"))
        call.refer("down", "tel:+49123", status=416)
        call.refer("down", "sip:grace@%s;method=BYE" % DOMAIN, status=603)
        call.refer("down", "sip:grace@%s?Replaces=%%ff%%00" % DOMAIN, status=202)
        call.news("down", 100)
        call.news("down", 400)
        # somebody else's call is not his to take
        call.refer("down", "sip:grace@%s?Replaces=%s" % (DOMAIN, quote(other_call.names("up"), safe="")))
        call.news("down", 100)
        call.news("down", 403)
        # RFC 4488: no news, please; and one transfer at a time
        _, answer = call.refer("down", headers=[("Refer-Sub", "false")])
        assert answer.get("Refer-Sub") == "false", answer
        target = target_invite(b, call, other_call)
        call.refer("down", status=491)
        b.sm.answer(target, 486, "Busy Here", "new")
        b.sm.expect_nothing("NOTIFY", 0.3)
        # a dialog of nobody here: the phone that it means will know
        call.refer("down", "sip:grace@%s?Replaces=%s" % (DOMAIN, quote("x;to-tag=1;from-tag=2", safe="")))
        call.news("down", 100)
        target = target_invite(b, call, other_call)
        assert target.get("Replaces") == "x;to-tag=1;from-tag=2" and target.get("Require") == "replaces", target
        assert target.get("Referred-By") == "<sip:3002@%s>" % DOMAIN, target
        b.sm.answer(target, 481, "Gone", "new")
        call.news("down", 481)
        for c in (call, other_call):
            b.hang_up(c.up, c.answer, c.down)


if __name__ == "__main__":
    run([blind_by_the_caller, blind_by_the_callee, attended,
         an_attended_transfer_that_the_target_refuses_leaves_both_calls, a_target_that_refuses_gives_the_call_back,
         who_transfers_may_hang_up_at_once, nobody_is_left_when_the_target_refuses_then,
         the_held_one_hangs_up_meanwhile, the_new_one_hangs_up_before_he_is_joined,
         a_reinvite_of_ours_meets_another_one, refer_while_a_reinvite_is_open, what_a_refer_may_say])
