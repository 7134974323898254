#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 90
"""REFER (RFC 3515) through a call, Replaces (RFC 3891) into one, Reason (RFC 3326) at its end, offers that cross."""
from cm_bench import DOMAIN, bench
from one_origin import media
from sip_peer import sdp
from standalone import run

FRAG = b"SIP/2.0 200 OK\r\n"


def replaces(call, side="up"):
    """A Replaces that names a side of a call as its phone would: to-tag is cm's."""
    up, answer, down, tag = call
    if side == "up":
        value = "%s;to-tag=%s;from-tag=%s" % (up.call_id, answer.tag("To"), up.tag("From"))
    else:
        value = "%s;to-tag=%s;from-tag=%s" % (down.call_id, down.tag("From"), tag)
    return [("Replaces", value), ("Require", "replaces"), ("Referred-By", "<sip:3001@%s>" % DOMAIN)]


def refer_and_notify_cross():
    """From the side that this half does not serve: it is the served phone's to follow, or not."""
    with bench() as b:
        up, answer, down, tag = b.talk("imsterm")
        to = "<sip:grace@%s?Replaces=abc%%3Bto-tag%%3D1%%3Bfrom-tag%%3D2>" % DOMAIN
        b.in_dialog("REFER", up, answer, up.cseq + 1, headers=[
            ("Refer-To", to), ("Referred-By", "<sip:3001@%s>" % DOMAIN), ("Refer-Sub", "true")])
        there = b.sm.expect("REFER")
        assert there.call_id == down.call_id and there.get("Refer-To") == to, there
        assert there.get("Referred-By") and there.get("Refer-Sub") == "true", there
        b.sm.answer(there, 202, "Accepted", headers=[("Contact", "<sip:3002@%s>" % b.sm.hostport)])
        assert b.sm.expect((202, "REFER")).call_id == up.call_id
        b.in_dialog_down("NOTIFY", down, tag, 1, FRAG, [
            ("Event", "refer"), ("Subscription-State", "terminated;reason=noresource"),
            ("Content-Type", "message/sipfrag")])
        there = b.sm.expect("NOTIFY")
        assert there.call_id == up.call_id and there.body == FRAG and there.get("Event") == "refer", there
        assert there.get("Subscription-State") == "terminated;reason=noresource"
        b.sm.answer(there, 481, "Gone")  # of the subscription, not of the call
        assert b.sm.expect((481, "NOTIFY")).call_id == down.call_id
        assert b.server.items("/v1/calls")[0]["state"] == "talking"
        b.hang_up(up, answer, down)


def a_replaced_caller(side="up"):
    """A call between two; a third takes the place of one, the other stays."""
    with bench() as b:
        old = b.talk(gsid="gsid-old")
        up, answer, down, tag = old
        gone, stays = (up, down) if side == "up" else (down, up)
        new = b.invite(caller="3002", dialled="grace", gsid="gsid-new", headers=replaces(old, side))
        again = b.sm.expect("INVITE", where=lambda m: m.call_id == stays.call_id)
        assert again.media == new.media and again.get("Replaces") is None and again.get("Require") is None, again
        assert again.tag("To") and again.cseq != stays.cseq and "100rel" not in again.get("Supported"), again
        b.sm.answer(again, 180, "Ringing")
        b.sm.expect_nothing((180, "INVITE"), 0.1)
        b.sm.answer(again, 200, "OK", body=sdp(port=6000))
        joined = b.sm.expect((200, "INVITE"), where=lambda m: m.call_id == new.call_id)
        assert joined.media == media(sdp(port=6000)) and joined.tag("To") != answer.tag("To"), joined
        bye = b.sm.expect("BYE")
        assert bye.call_id == gone.call_id, bye
        b.sm.answer(bye, 200, "OK")
        b.ack(new, joined)
        ack = b.sm.expect("ACK")
        assert ack.call_id == stays.call_id and ack.cseq == again.cseq, ack
        live, = b.server.items("/v1/calls")
        assert live["gsid"] == "gsid-new" and live["state"] == "talking" and live["caller"] == "3002", live
        # hold, then the end: from the new one to the one who stayed
        b.in_dialog("INVITE", new, joined, new.cseq + 1, sdp(direction="sendonly", version=2))
        hold = b.sm.expect("INVITE", where=lambda m: m.call_id == stays.call_id)
        b.sm.answer(hold, 200, "OK", body=sdp(port=6000, direction="recvonly"))
        held = b.sm.expect((200, "INVITE"), where=lambda m: m.call_id == new.call_id)
        b.ack(new, held, cseq=new.cseq + 1)
        b.sm.expect("ACK", where=lambda m: m.call_id == stays.call_id)
        assert b.server.items("/v1/calls")[0]["state"] == "held"
        b.in_dialog("BYE", new, joined, new.cseq + 2)
        b.sm.expect((200, "BYE"), where=lambda m: m.call_id == new.call_id)
        bye = b.sm.expect("BYE")
        assert bye.call_id == stays.call_id, bye
        b.sm.answer(bye, 200, "OK")
        assert b.server.items("/v1/calls") == []
        records = b.server.wait_items("/v1/records", 4)
        assert sorted((r["gsid"], r["half"]) for r in records) == [
            ("gsid-new", "call"), ("gsid-new", "orig"), ("gsid-old", "call"), ("gsid-old", "orig")], records
        assert all(r["result"] == "answered" for r in records), records


def a_replaced_callee():
    a_replaced_caller("down")


def a_refusal_leaves_the_call_as_it_was():
    with bench() as b:
        old = b.talk(gsid="gsid-old")
        up, answer, down, _ = old
        new = b.invite(caller="3002", dialled="grace", gsid="gsid-new", headers=replaces(old))
        again = b.sm.expect("INVITE", where=lambda m: m.call_id == down.call_id)
        b.sm.answer(again, 488, "Not Acceptable Here", contact=False)
        b.sm.ack_failure(new, b.sm.expect((488, "INVITE")), b.cm)
        b.sm.expect_nothing("BYE", 0.2)
        live, = b.server.items("/v1/calls")
        assert live["gsid"] == "gsid-old" and live["state"] == "talking", live
        # once more, given up by the new caller this time
        new = b.invite(caller="3002", dialled="grace", gsid="gsid-two", headers=replaces(old))
        again = b.sm.expect("INVITE", where=lambda m: m.call_id == down.call_id)
        b.sm.answer(again, 100, "Trying")
        b.sm.cancel(new, b.cm)
        b.sm.ack_failure(new, b.sm.expect((487, "INVITE")), b.cm)
        b.sm.answer(b.sm.expect("CANCEL"), 200, "OK")
        b.sm.answer(again, 487, "Request Terminated")
        b.sm.expect("ACK", where=lambda m: m.cseq == again.cseq)
        assert b.server.items("/v1/calls")[0]["gsid"] == "gsid-old"
        b.hang_up(up, answer, down)


def the_old_call_ends_first():
    with bench() as b:
        old = b.talk(gsid="gsid-old")
        up, answer, down, tag = old
        new = b.invite(caller="3002", dialled="grace", gsid="gsid-new", headers=replaces(old))
        again = b.sm.expect("INVITE", where=lambda m: m.call_id == down.call_id)
        b.in_dialog_down("BYE", down, tag, 1)
        b.sm.expect((200, "BYE"))
        b.sm.answer(b.sm.expect("BYE"), 200, "OK")
        b.sm.ack_failure(new, b.sm.expect((481, "INVITE")), b.cm)
        b.sm.answer(again, 487, "Request Terminated")
        assert b.server.items("/v1/calls") == []


def what_it_names_decides():
    with bench() as b:
        old = b.talk(gsid="gsid-old")
        up, answer, down, _ = old
        bad = b.invite(caller="3002", dialled="grace", gsid="g1", headers=[("Replaces", "no tags at all")])
        b.sm.ack_failure(bad, b.sm.expect((400, "INVITE")), b.cm)
        early = [(n, v + ";early-only" if n == "Replaces" else v) for n, v in replaces(old)]
        early = b.invite(caller="3002", dialled="grace", gsid="g2", headers=early)
        b.sm.ack_failure(early, b.sm.expect((486, "INVITE")), b.cm)
        # RFC 3911: nothing is mixed here; both at once, or nonsense, is a bad request
        join = [("Join", v) for n, v in replaces(old) if n == "Replaces"]
        for status, headers in ((488, join), (400, join + replaces(old)), (400, [("Join", "nonsense")])):
            bad = b.invite(caller="3002", dialled="grace", gsid="g%d" % len(headers), headers=headers)
            b.sm.ack_failure(bad, b.sm.expect((status, "INVITE"), where=lambda m: m.call_id == bad.call_id), b.cm)
        # none of ours: the phone that it means will know
        foreign = [("Replaces", "elsewhere;to-tag=1;from-tag=2")]
        other = b.invite(caller="3002", dialled="grace", gsid="g3", headers=foreign)
        there = b.sm.expect("INVITE", where=lambda m: m.call_id not in (other.call_id, down.call_id))
        assert there.get("Replaces") == foreign[0][1], there
        b.sm.answer(there, 481, "Call/Transaction Does Not Exist", "x")
        b.sm.ack_failure(other, b.sm.expect((481, "INVITE")), b.cm)
        b.hang_up(up, answer, down)


def the_reason_of_the_end_crosses():
    reason = 'Q.850;cause=16;text="Terminated"'
    with bench() as b:
        up, answer, down, tag = b.talk()
        b.in_dialog("BYE", up, answer, up.cseq + 1, headers=[("Reason", reason)])
        bye = b.sm.expect("BYE", where=lambda m: m.call_id == down.call_id)
        assert bye.get("Reason") == reason, bye
        b.sm.answer(bye, 200, "OK")
        up, answer, down, tag = b.talk()
        b.in_dialog_down("BYE", down, tag, 1, headers=[("Reason", reason)])
        bye = b.sm.expect("BYE", where=lambda m: m.call_id == up.call_id)
        assert bye.get("Reason") == reason, bye
        b.sm.answer(bye, 200, "OK")


def offers_in_updates_do_not_cross():
    with bench() as b:
        up, answer, down, tag = b.talk()
        b.in_dialog("UPDATE", up, answer, up.cseq + 1, sdp(version=2))
        there = b.sm.expect("UPDATE")
        b.in_dialog_down("UPDATE", down, tag, 1, sdp(port=5000, version=2))
        assert b.sm.expect((491, "UPDATE")).call_id == down.call_id
        b.in_dialog("UPDATE", up, answer, up.cseq + 2, sdp(version=3))
        assert b.sm.expect((500, "UPDATE")).get("Retry-After") == "3"
        b.sm.answer(there, 200, "OK", body=sdp(port=5000))
        b.sm.expect((200, "UPDATE"))
        b.in_dialog_down("UPDATE", down, tag, 2, sdp(port=5000, version=3))
        b.sm.answer(b.sm.expect("UPDATE"), 200, "OK", body=sdp(version=3))
        b.sm.expect((200, "UPDATE"))
        b.hang_up(up, answer, down)


if __name__ == "__main__":
    run([refer_and_notify_cross, a_replaced_caller, a_replaced_callee, a_refusal_leaves_the_call_as_it_was,
         the_old_call_ends_first, what_it_names_decides, the_reason_of_the_end_crosses,
         offers_in_updates_do_not_cross])
