#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
"""The half-call on the wire: what aura-cm makes of one INVITE, message by message."""

import time

from cm_bench import GSID, HISTORY, bench
from one_origin import media
from sip_peer import sdp
from standalone import run


def the_invite_goes_on_as_a_call_of_its_own():
    for phase, done in (("imsorig", "origdone"), ("imsterm", "termdone")):
        with bench() as b:
            up = b.invite(phase, odi="aB3-x.y")
            down = b.downstream(up)
            assert down.call_id != up.call_id
            assert down.all("Route") == ["<sip:%s;lr;phase=%s;odi=aB3-x.y>" % (b.sm.hostport, done)], down
            assert down.get("Max-Forwards") == "69", down
            assert down.get("Av-Global-Session-ID") == GSID, down
            assert down.get("History-Info") == HISTORY, down
            assert down.get("P-Asserted-Identity") == "<sip:3001@aurabox.internal>", down
            assert down.uri == "sip:3002@aurabox.internal", down
            assert down.addr("From") == "sip:3001@aurabox.internal" and "User 3001" in down.get("From")
            assert down.tag("From") not in (None, up.tag("From"))
            assert down.addr("To") == "sip:3002@aurabox.internal" and down.tag("To") is None
            assert len(down.all("Via")) == 1 and b.cm_hostport in down.get("Via"), down
            assert b.cm_hostport in down.addr("Contact"), down
            assert down.all("Record-Route") == [], down
            assert down.get("Require") is None, "what the caller demands belongs to his leg"
            assert down.media == up.media
            alert = down.get("Alert-Info")
            assert (alert is None) == (phase == "imsorig"), down
            if alert:
                assert "cm-alert-type=internal" in alert, down
            b.sm.answer(down, 486, "Busy Here", "x")
            b.sm.ack_failure(up, b.sm.expect((486, "INVITE")), b.cm)


def a_call_from_invite_to_bye():
    with bench() as b:
        up = b.invite()
        down = b.downstream(up)
        b.sm.answer(down, 180, "Ringing", "callee")
        ringing = b.sm.expect((180, "INVITE"))
        assert ringing.call_id == up.call_id and ringing.tag("To") not in (None, "callee")
        assert ringing.all("Record-Route") == up.all("Record-Route"), ringing
        assert len(ringing.all("Via")) == 2, ringing
        live = b.server.items("/v1/calls")
        assert len(live) == 1 and live[0]["gsid"] == GSID and live[0]["state"] == "ringing", live
        assert live[0]["caller"] == "3001" and live[0]["callee"] == "3002", live
        assert live[0]["answered_at"] is None

        b.sm.answer(down, 200, "OK", "callee", body=sdp(port=5000))
        answer = b.sm.expect((200, "INVITE"))
        assert answer.tag("To") == ringing.tag("To"), answer
        assert answer.media == media(sdp(port=5000)), answer
        assert b.cm_hostport in answer.addr("Contact"), answer
        b.sm.expect_nothing("ACK", 0.1)  # the callee's ACK waits for the caller's
        b.ack(up, answer)
        ack = b.sm.expect("ACK")
        assert ack.call_id == down.call_id and ack.cseq == down.cseq and ack.tag("To") == "callee"
        live = b.server.items("/v1/calls")
        assert live[0]["state"] == "talking" and live[0]["answered_at"], live
        assert {leg["handle"] for leg in live[0]["legs"]} == {"3001", "3002"}, live

        b.in_dialog("BYE", up, answer, 8)
        b.sm.expect((200, "BYE"))
        bye = b.sm.expect("BYE")
        assert bye.call_id == down.call_id and bye.tag("To") == "callee"
        assert bye.cseq == down.cseq + 1, bye
        b.sm.answer(bye, 200, "OK")
        assert b.server.items("/v1/calls") == []


def the_callee_hangs_up():
    with bench() as b:
        up, answer, down, tag = b.talk("imsterm")
        b.in_dialog_down("BYE", down, tag, 1)
        b.sm.expect((200, "BYE"))
        bye = b.sm.expect("BYE")
        assert bye.call_id == up.call_id, bye
        assert bye.uri == up.addr("Contact") and bye.get("Route") == up.get("Record-Route"), bye
        b.sm.answer(bye, 200, "OK")
        assert b.server.items("/v1/calls") == []


def a_late_offer_is_answered_in_the_ack():
    with bench() as b:
        up = b.invite(body=b"")
        down = b.downstream(up)
        assert down.body == b"", down
        b.sm.answer(down, 200, "OK", "callee", body=sdp(port=5000))
        answer = b.sm.expect((200, "INVITE"))
        b.ack(up, answer, body=sdp(port=4000))
        assert b.sm.expect("ACK").media == media(sdp(port=4000))
        b.hang_up(up, answer, down)


def cancel_goes_through():
    with bench() as b:
        up = b.invite()
        down = b.downstream(up)
        b.sm.answer(down, 180, "Ringing", "callee")
        b.sm.expect((180, "INVITE"))
        b.sm.cancel(up, b.cm)
        b.sm.expect((200, "CANCEL"))
        refused = b.sm.expect((487, "INVITE"))
        b.sm.ack_failure(up, refused, b.cm)
        cancel = b.sm.expect("CANCEL")
        assert cancel.call_id == down.call_id and cancel.get("Via") == down.get("Via"), cancel
        assert cancel.get("Route") == down.get("Route"), cancel
        b.sm.answer(cancel, 200, "OK")
        b.sm.answer(down, 487, "Request Terminated", "callee")
        b.sm.expect("ACK")
        assert b.server.items("/v1/calls") == []


def an_answer_that_crosses_the_cancel_is_hung_up():
    with bench() as b:
        up = b.invite()
        down = b.downstream(up)
        b.sm.answer(down, 180, "Ringing", "callee")
        b.sm.expect((180, "INVITE"))
        b.sm.cancel(up, b.cm)
        b.sm.ack_failure(up, b.sm.expect((487, "INVITE")), b.cm)
        b.sm.expect("CANCEL")
        b.sm.answer(down, 200, "OK", "callee", body=sdp(port=5000))
        assert b.sm.expect("ACK").call_id == down.call_id
        bye = b.sm.expect("BYE")
        assert bye.call_id == down.call_id
        b.sm.answer(bye, 200, "OK")
        b.sm.expect_nothing((200, "INVITE"), 0.2)


def refusals_come_back_with_their_reason():
    cases = ((486, 486), (603, 603), (404, 404), (503, 500), (302, 480), (407, 403))
    with bench() as b:
        for below, above in cases:
            up = b.invite(gsid="call-%d" % below)
            down = b.downstream(up)
            b.sm.answer(down, below, "No", "callee", headers=[
                ("Reason", "Q.850;cause=17"), ("Retry-After", "10"), ("Contact", "<mailto:x@192.0.2.9>"),
                ("Proxy-Authenticate", "Digest realm=\"x\", nonce=\"y\"")], contact=False)
            refused = b.sm.expect((above, "INVITE"))
            assert refused.get("Reason") == "Q.850;cause=17", refused
            assert refused.get("Retry-After") is None and refused.get("Proxy-Authenticate") is None
            assert refused.get("Contact") is None, refused
            b.sm.ack_failure(up, refused, b.cm)
            assert b.sm.expect("ACK").call_id == down.call_id


def every_fork_below_has_its_own_tag_above():
    with bench() as b:
        up = b.invite("imsterm")
        down = b.downstream(up)
        tags = {}
        for name in ("a", "b", "c"):
            b.sm.answer(down, 183, "Progress", name, body=sdp(port=5000 + ord(name)))
            progress = b.sm.expect((183, "INVITE"))
            assert progress.media == media(sdp(port=5000 + ord(name)))
            tags[name] = progress.tag("To")
        assert len(set(tags.values())) == 3, tags
        b.sm.answer(down, 180, "Ringing", "b")
        assert b.sm.expect((180, "INVITE")).tag("To") == tags["b"]
        b.sm.answer(down, 200, "OK", "b", body=sdp(port=5000))
        answer = b.sm.expect((200, "INVITE"))
        assert answer.tag("To") == tags["b"], answer
        b.ack(up, answer)
        assert b.sm.expect("ACK").tag("To") == "b"

        # a second phone that answered at the same moment, known or not, is hung up
        for late in ("a", "z"):
            b.sm.answer(down, 200, "OK", late, body=sdp(port=5000))
            assert b.sm.expect("ACK").tag("To") == late
            bye = b.sm.expect("BYE")
            assert bye.tag("To") == late and bye.call_id == down.call_id
            b.sm.answer(bye, 200, "OK")
        b.sm.expect_nothing((200, "INVITE"), 0.2)
        # and a repeated 200 of the one that is talking gets its ACK again
        b.sm.answer(down, 200, "OK", "b", body=sdp(port=5000))
        assert b.sm.expect("ACK").tag("To") == "b"
        assert b.server.items("/v1/calls")[0]["state"] == "talking"
        b.hang_up(up, answer, down)


def ten_early_dialogs_are_followed_and_any_may_answer():
    with bench() as b:
        up = b.invite("imsterm")
        down = b.downstream(up)
        for i in range(10):
            b.sm.answer(down, 180, "Ringing", "tag%d" % i)
            b.sm.expect((180, "INVITE"))
        b.sm.answer(down, 183, "Progress", "tag10", body=sdp())
        b.sm.expect_nothing((183, "INVITE"), 0.3)
        b.sm.answer(down, 200, "OK", "tag10", body=sdp(port=5000))
        answer = b.sm.expect((200, "INVITE"))
        b.ack(up, answer)
        assert b.sm.expect("ACK").tag("To") == "tag10"
        b.hang_up(up, answer, down)


def nobody_answers():
    with bench("call.no_answer_s=1") as b:
        up = b.invite("imsterm")
        down = b.downstream(up)
        b.sm.answer(down, 180, "Ringing", "callee")
        b.sm.expect((180, "INVITE"))
        began = time.monotonic()
        refused = b.sm.expect((480, "INVITE"), 3)
        assert 0.5 < time.monotonic() - began < 2.0
        b.sm.ack_failure(up, refused, b.cm)
        cancel = b.sm.expect("CANCEL")
        b.sm.answer(cancel, 200, "OK")
        b.sm.answer(down, 487, "Request Terminated", "callee")
        records = b.server.wait_items("/v1/records", 2)
        assert {r["result"] for r in records} == {"no_answer"}, records


def a_lost_ack_ends_the_call_with_bye_to_both():
    # The stack waits 64 * T1 for the ACK of a 2xx.
    with bench() as b:
        up = b.invite()
        down = b.downstream(up)
        b.sm.answer(down, 200, "OK", "callee", body=sdp(port=5000))
        b.sm.expect((200, "INVITE"))
        b.sm.expect((200, "INVITE"), 2)  # repeated
        byes = [b.sm.expect("BYE", 40), b.sm.expect("BYE", 5)]
        assert {m.call_id for m in byes} == {up.call_id, down.call_id}
        b.sm.expect("ACK", where=lambda m: m.call_id == down.call_id)
        for bye in byes:
            b.sm.answer(bye, 200, "OK")


def a_retransmitted_invite_is_one_call():
    with bench() as b:
        up = b.invite()
        down = b.downstream(up)
        b.sm.send(up, b.cm)
        b.sm.send(up, b.cm)
        b.sm.answer(down, 180, "Ringing", "callee")
        b.sm.expect((180, "INVITE"))
        b.sm.expect_nothing("INVITE", 0.3)
        assert len(b.server.items("/v1/calls")) == 1
        # the same request by another way round is merged
        via = up.headers[0]
        up.headers[0] = ("Via", b.sm.via())
        b.sm.send(up, b.cm)
        b.sm.expect((482, "INVITE"))
        up.headers[0] = via


if __name__ == "__main__":
    run([the_invite_goes_on_as_a_call_of_its_own, a_call_from_invite_to_bye, the_callee_hangs_up,
         a_late_offer_is_answered_in_the_ack, cancel_goes_through,
         an_answer_that_crosses_the_cancel_is_hung_up, refusals_come_back_with_their_reason,
         every_fork_below_has_its_own_tag_above, ten_early_dialogs_are_followed_and_any_may_answer,
         nobody_answers, a_retransmitted_invite_is_one_call,
         a_lost_ack_ends_the_call_with_bye_to_both])
