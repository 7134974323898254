#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 60
"""Requests inside a call: hold, retrieve, UPDATE, INFO, glare, what is not understood."""

from cm_bench import GSID, bench
from one_origin import media
from sip_peer import sdp
from standalone import run


def state(b):
    return b.server.items("/v1/calls")[0]["state"]


def relay_reinvite(b, message, other_call_id, ack_with, body):
    """The re-INVITE's way to the other side and back; returns the counterpart."""
    there = b.sm.expect("INVITE", where=lambda m: m.call_id == other_call_id)
    assert there.media == message.media, there
    assert there.get("Av-Global-Session-ID") == GSID, there
    assert there.get("Max-Forwards") == "69", there
    b.sm.answer(there, 200, "OK", body=body)
    back = b.sm.expect((200, "INVITE"), where=lambda m: m.call_id == message.call_id)
    assert back.media == media(body), back
    ack_with(back)
    assert b.sm.expect("ACK").call_id == other_call_id
    return there


def hold_and_retrieve_from_the_caller():
    with bench() as b:
        up, answer, down, tag = b.talk()
        cseq = up.cseq + 1
        hold = b.in_dialog("INVITE", up, answer, cseq, sdp(direction="sendonly", version=2))
        there = relay_reinvite(b, hold, down.call_id, lambda back: b.ack(up, back, cseq=cseq),
                               sdp(port=5000, direction="recvonly"))
        assert there.tag("To") == tag and there.cseq == down.cseq + 1, there
        assert state(b) == "held"
        again = b.in_dialog("INVITE", up, answer, cseq + 1, sdp(version=3))
        relay_reinvite(b, again, down.call_id, lambda back: b.ack(up, back, cseq=cseq + 1),
                       sdp(port=5000))
        assert state(b) == "talking"
        b.hang_up(up, answer, down)


def hold_from_the_callee():
    with bench() as b:
        up, answer, down, tag = b.talk("imsterm")
        hold = b.in_dialog_down("INVITE", down, tag, 1, sdp(port=5000, direction="inactive", version=2))

        def ack(back):
            lines = [("From", hold.get("From")), ("To", hold.get("To")), ("Call-ID", down.call_id),
                     ("CSeq", "1 ACK")]
            b.sm.request("ACK", down.addr("Contact"), lines, to=b.cm)

        there = relay_reinvite(b, hold, up.call_id, ack, sdp(direction="inactive"))
        assert there.uri == up.addr("Contact") and there.get("Route") == up.get("Record-Route"), there
        assert state(b) == "held"
        b.hang_up(up, answer, down)


def a_refused_offer_changes_nothing():
    with bench() as b:
        up, answer, down, _ = b.talk()
        cseq = up.cseq + 1
        again = b.in_dialog("INVITE", up, answer, cseq, sdp(direction="sendonly", version=2))
        there = b.sm.expect("INVITE", where=lambda m: m.call_id == down.call_id)
        b.sm.answer(there, 488, "Not Acceptable Here", contact=False)
        back = b.sm.expect((488, "INVITE"))
        b.sm.ack_failure(again, back, b.cm)
        b.sm.expect("ACK", where=lambda m: m.call_id == down.call_id)
        assert state(b) == "talking"
        # and the next one is free to come
        again = b.in_dialog("INVITE", up, answer, cseq + 1, sdp(version=3))
        relay_reinvite(b, again, down.call_id, lambda m: b.ack(up, m, cseq=cseq + 1), sdp(port=5000))
        b.hang_up(up, answer, down)


def offers_that_cross_are_491():
    with bench() as b:
        up, answer, down, tag = b.talk()
        b.in_dialog("INVITE", up, answer, up.cseq + 1, sdp(version=2))
        there = b.sm.expect("INVITE", where=lambda m: m.call_id == down.call_id)
        cross = b.in_dialog_down("INVITE", down, tag, 1, sdp(port=5000, version=2))
        glare = b.sm.expect((491, "INVITE"))
        assert glare.call_id == down.call_id, glare
        b.sm.ack_failure(cross, glare, b.cm)
        b.sm.answer(there, 200, "OK", body=sdp(port=5000))
        back = b.sm.expect((200, "INVITE"), where=lambda m: m.call_id == up.call_id)
        b.ack(up, back, cseq=up.cseq + 1)
        b.sm.expect("ACK", where=lambda m: m.call_id == down.call_id)
        b.hang_up(up, answer, down)


def update_and_info_cross():
    with bench() as b:
        up, answer, down, tag = b.talk()
        b.in_dialog("UPDATE", up, answer, up.cseq + 1, sdp(direction="sendonly", version=2))
        there = b.sm.expect("UPDATE")
        assert there.call_id == down.call_id and there.media == media(sdp(direction="sendonly", version=2))
        b.sm.answer(there, 200, "OK", body=sdp(port=5000, direction="recvonly"))
        back = b.sm.expect((200, "UPDATE"))
        assert back.call_id == up.call_id and back.media == media(sdp(port=5000, direction="recvonly"))
        assert state(b) == "held"

        b.in_dialog_down("INFO", down, tag, 1, b"Signal=5\r\n",
                         headers=[("Content-Type", "application/dtmf-relay")])
        there = b.sm.expect("INFO")
        assert there.call_id == up.call_id and there.get("Content-Type") == "application/dtmf-relay"
        b.sm.answer(there, 200, "OK")
        assert b.sm.expect((200, "INFO")).call_id == down.call_id
        b.hang_up(up, answer, down)


def update_in_an_early_dialog_goes_to_its_fork():
    with bench() as b:
        up = b.invite("imsterm")
        down = b.downstream(up)
        early = {}
        for name in ("a", "b"):
            b.sm.answer(down, 183, "Progress", name, body=sdp(port=5000))
            early[name] = b.sm.expect((183, "INVITE"))
        b.in_dialog("UPDATE", up, early["b"], up.cseq + 1, sdp(version=2))
        there = b.sm.expect("UPDATE")
        assert there.tag("To") == "b", there
        b.sm.answer(there, 200, "OK", body=sdp(port=5000))
        b.sm.expect((200, "UPDATE"))
        b.sm.answer(down, 486, "Busy Here", "b")
        b.sm.ack_failure(up, b.sm.expect((486, "INVITE")), b.cm)


def a_request_of_a_fork_that_lost_ends_with_it():
    with bench() as b:
        up = b.invite("imsterm")
        down = b.downstream(up)
        for name in ("a", "b"):
            b.sm.answer(down, 183, "Progress", name, body=sdp(port=5000))
            b.sm.expect((183, "INVITE"))
        b.in_dialog_down("UPDATE", down, "a", 1, sdp(port=5000, version=2))
        there = b.sm.expect("UPDATE", where=lambda m: m.call_id == up.call_id)
        b.sm.answer(down, 200, "OK", "b", body=sdp(port=5001))
        answer = b.sm.expect((200, "INVITE"))
        b.sm.expect((487, "UPDATE"), where=lambda m: m.call_id == down.call_id)
        b.ack(up, answer)
        b.sm.expect("ACK", where=lambda m: m.call_id == down.call_id)
        # Its late answer meets nobody.
        b.sm.answer(there, 200, "OK", body=sdp())
        b.sm.expect_nothing((200, "UPDATE"), 0.3)
        assert state(b) == "talking"
        b.hang_up(up, answer, down)


def what_is_not_understood_is_said_so():
    with bench() as b:
        up, answer, down, _ = b.talk()
        b.in_dialog("MESSAGE", up, answer, up.cseq + 1)
        assert "INVITE" in b.sm.expect((405, "MESSAGE")).get("Allow")
        b.in_dialog("PRACK", up, answer, up.cseq + 2, headers=[("RAck", "1 1 INVITE")])
        b.sm.expect((481, "PRACK"))
        b.in_dialog("OPTIONS", up, answer, up.cseq + 3)
        b.sm.expect((200, "OPTIONS"))
        b.hang_up(up, answer, down)


def a_dead_dialog_on_one_side_ends_the_call():
    with bench() as b:
        up, answer, down, _ = b.talk()
        b.in_dialog("UPDATE", up, answer, up.cseq + 1, sdp(version=2))
        b.sm.answer(b.sm.expect("UPDATE"), 481, "Gone", contact=False)
        b.sm.expect((481, "UPDATE"))
        byes = [b.sm.expect("BYE"), b.sm.expect("BYE")]
        assert {m.call_id for m in byes} == {up.call_id, down.call_id}
        for bye in byes:
            b.sm.answer(bye, 200, "OK")
        assert b.server.wait_items("/v1/calls", 0) == []


def a_cancelled_reinvite_leaves_the_call_alone():
    with bench() as b:
        up, answer, down, _ = b.talk()
        again = b.in_dialog("INVITE", up, answer, up.cseq + 1, sdp(version=2))
        there = b.sm.expect("INVITE", where=lambda m: m.call_id == down.call_id)
        b.sm.answer(there, 180, "Ringing")
        b.sm.expect((180, "INVITE"))
        b.sm.cancel(again, b.cm)
        b.sm.expect((200, "CANCEL"))
        b.sm.answer(b.sm.expect("CANCEL"), 200, "OK")
        b.sm.answer(there, 487, "Request Terminated", contact=False)
        back = b.sm.expect((487, "INVITE"))
        b.sm.ack_failure(again, back, b.cm)
        assert state(b) == "talking"
        b.hang_up(up, answer, down)


def a_call_that_a_phone_has_forgotten_ends():
    with bench("call.audit_s=1") as b:
        up, answer, down, tag = b.talk("imsterm", dialled="3003")
        for forgets in (False, True):
            probes = {m.call_id: m for m in (b.sm.expect("OPTIONS"), b.sm.expect("OPTIONS"))}
            assert set(probes) == {up.call_id, down.call_id}, probes
            assert probes[down.call_id].tag("To") == tag
            # whoever answers at all is there
            b.sm.answer(probes[up.call_id], 405, "Method Not Allowed")
            if not forgets:
                b.sm.answer(probes[down.call_id], 200, "OK")
                assert state(b) == "talking"
        b.sm.answer(probes[down.call_id], 481, "Call Does Not Exist")
        byes = [b.sm.expect("BYE"), b.sm.expect("BYE")]
        assert {m.call_id for m in byes} == {up.call_id, down.call_id}
        for bye in byes:
            b.sm.answer(bye, 200, "OK")
        b.server.wait_items("/v1/calls", 0)
        again = b.invite("imsterm", dialled="3003")
        b.sm.answer(b.downstream(again), 486, "Busy Here", "x")
        b.sm.ack_failure(again, b.sm.expect((486, "INVITE")), b.cm)


def requests_for_no_call_are_481():
    with bench() as b:
        lines = [("From", "<sip:a@aurabox.internal>;tag=a"), ("To", "<sip:b@aurabox.internal>;tag=b"),
                 ("Call-ID", "nothing")]
        for method in ("BYE", "UPDATE", "INFO"):
            b.sm.request(method, "sip:%s" % b.cm_hostport, lines + [("CSeq", "2 " + method)])
            b.sm.expect((481, method))


if __name__ == "__main__":
    run([hold_and_retrieve_from_the_caller, hold_from_the_callee, a_refused_offer_changes_nothing,
         offers_that_cross_are_491, update_and_info_cross, update_in_an_early_dialog_goes_to_its_fork,
         a_request_of_a_fork_that_lost_ends_with_it,
         what_is_not_understood_is_said_so, a_dead_dialog_on_one_side_ends_the_call,
         a_cancelled_reinvite_leaves_the_call_alone,
         a_call_that_a_phone_has_forgotten_ends, requests_for_no_call_are_481])
