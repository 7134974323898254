#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 90
"""Transfer and redirection between phones through sm and cm: REFER that cm carries out, and one that phones do; 302."""
from urllib.parse import quote

from one_origin import media
from plane import DOMAIN, hang_up, plane, talk
from standalone import run


def refer(ringing, to):
    """The callee asks for the transfer; returns the REFER."""
    b = ringing.phone
    msg = b.send(ringing.in_dialog("REFER", headers=[("Refer-To", f"<{to}>"), ("Referred-By", f"<{b.aor}>")]))
    assert b.answer_of(msg).status == 202
    return msg


def news(dialog, status):
    """The next NOTIFY in a dialog says so."""
    phone = dialog.phone
    msg = phone.expect(lambda m: m.is_request and m.method == "NOTIFY" and m.call_id == dialog.call_id, 3, "NOTIFY")
    assert msg.body.startswith(b"SIP/2.0 %d" % status), msg.encode()
    phone.reply(msg, 200, "OK")


def reinvited(dialog, body=None):
    """cm asks a phone that talks: a re-INVITE, with that body or without one; the phone answers."""
    phone = dialog.phone
    again = phone.expect(lambda m: m.is_request and m.method == "INVITE" and m.call_id == dialog.call_id
                         and m.to_tag is not None, 3, "re-INVITE")
    assert again.media == media(body or b""), again.encode()
    phone.reply(again, 200, "OK", body=phone.sdp(), headers=[("Contact", phone.contact)])
    ack = phone.expect(lambda m: m.is_request and m.method == "ACK" and m.call_id == dialog.call_id
                       and m.cseq == again.cseq, 3, "ACK")
    return ack


def blind():
    """b sends a to c, and the phones of a and c have done nothing but answer."""
    with plane() as p:
        a, b, c = p.phone("3001"), p.phone("3002", "tcp"), p.phone("3003")
        call, ringing = talk(a, b)
        refer(ringing, f"sip:3003@{DOMAIN}")
        news(ringing, 100)
        at_c = c.incoming()
        invite = at_c.invite
        assert invite.body == b"" and invite.get("Referred-By") == f"<{b.aor}>", invite.encode()
        assert "3001" in invite.get("From"), invite.encode()
        at_c.ring()
        news(ringing, 180)
        c.reply(invite, 200, "OK", at_c.tag, body=c.sdp(), headers=[("Contact", c.contact)])
        reinvited(call, c.sdp())
        ack = c.expect(lambda m: m.is_request and m.method == "ACK" and m.call_id == at_c.call_id, 3, "ACK")
        assert ack.media == media(a.sdp()), ack.encode()
        news(ringing, 200)
        ringing.expect_bye()
        live, = p.sm.items("/v1/calls")
        assert live["state"] == "talking", live
        live, = p.cm.items("/v1/calls")
        assert live["caller"] == "3001" and [x["handle"] for x in live["legs"]] == ["3001", "3003"], live
        hang_up(call, at_c)
        p.sm.wait_items("/v1/calls", 0)
        assert p.cm.items("/v1/calls") == []
        records = p.cm.wait_items("/v1/records", 5)
        whole, = [r for r in records if r["half"] == "call"]
        assert whole["caller"] == "3001" and whole["callee"] == "3002", whole
        assert sorted(r["half"] for r in records) == ["call", "orig", "orig.2", "term", "term.2"], records
        assert all(r["result"] == "answered" for r in records), records


def attended():
    """a talks to b, who asks c first; then a and c talk, and both of b's calls end."""
    with plane() as p:
        a, b, c = p.phone("3001"), p.phone("3002"), p.phone("3003", "tcp")
        call, ringing = talk(a, b)
        consult, at_c = talk(b, c)
        remote_tag = consult.remote.split(";tag=")[1]
        local_tag = consult.local.split(";tag=")[1]
        value = f"{consult.call_id};to-tag={remote_tag};from-tag={local_tag}"
        refer(ringing, f"sip:3003@{DOMAIN}?Replaces={quote(value, safe='')}")
        again = c.expect(lambda m: m.is_request and m.method == "INVITE" and m.call_id == at_c.call_id
                         and m.to_tag is not None, 3, "re-INVITE at c")
        assert again.body == b"", again.encode()
        c.reply(again, 200, "OK", body=c.sdp(), headers=[("Contact", c.contact)])
        reinvited(call, c.sdp())
        ack = c.expect(lambda m: m.is_request and m.method == "ACK" and m.cseq == again.cseq, 3, "ACK at c")
        assert ack.media == media(a.sdp()), ack.encode()
        consult.expect_bye()
        news(ringing, 100)
        news(ringing, 200)
        ringing.expect_bye()
        bye = a.send(call.in_dialog("BYE"))
        at_c.expect_bye()
        assert a.answer_of(bye).status == 200
        p.sm.wait_items("/v1/calls", 0)
        assert p.cm.items("/v1/calls") == []
        records = p.cm.wait_items("/v1/records", 4 + 3)
        assert all(r["result"] == "answered" for r in records), records


def a_phone_may_take_its_place_itself():
    """INVITE with Replaces from a phone: cm joins the calls."""
    with plane() as p:
        a, b, c = p.phone("3001"), p.phone("3002"), p.phone("3003", "tcp")
        consult, at_c = talk(b, c)
        remote_tag = consult.remote.split(";tag=")[1]
        local_tag = consult.local.split(";tag=")[1]
        value = f"{consult.call_id};to-tag={remote_tag};from-tag={local_tag}"
        second = a.invite("3003", headers=[("Replaces", value), ("Require", "replaces")])
        again = c.expect(lambda m: m.is_request and m.method == "INVITE" and m.call_id == at_c.call_id
                         and m.to_tag is not None, 3, "re-INVITE at c")
        assert again.media == media(a.sdp()) and again.get("Replaces") is None, again.encode()
        c.reply(again, 200, "OK", body=c.sdp(), headers=[("Contact", c.contact)])
        assert second.expect(200).media == media(c.sdp())
        consult.expect_bye()
        bye = a.send(second.in_dialog("BYE"))
        at_c.expect_bye()
        assert a.answer_of(bye).status == 200
        p.sm.wait_items("/v1/calls", 0)
        assert p.cm.items("/v1/calls") == []


def redirected():
    """b's phone says 302: the call goes on to c in b's name, with History-Info."""
    with plane() as p:
        a, b, c = p.phone("3001"), p.phone("3002", "tcp"), p.phone("3003", "tcp")
        call = a.invite("3002")
        ringing = b.incoming()
        b.reply(ringing.invite, 302, "Moved Temporarily", ringing.tag,
                headers=[("Contact", f"<sip:3003@{DOMAIN}>")])
        at_c = c.incoming()
        history = at_c.invite.get("History-Info")
        assert "Reason=SIP%3Bcause%3D302" in history and "index=1.1;mp=1" in history, at_c.invite.encode()
        at_c.ring()
        call.expect(180)
        at_c.accept_and(call)
        live, = p.cm.items("/v1/calls")
        assert [x["handle"] for x in live["legs"]] == ["3001", "3003"], live
        hang_up(call, at_c)
        p.sm.wait_items("/v1/calls", 0)
        assert p.cm.items("/v1/calls") == []
        assert sorted(r["half"] for r in p.cm.wait_items("/v1/records", 4)) == ["call", "orig", "term", "term.2"]


if __name__ == "__main__":
    run([blind, attended, a_phone_may_take_its_place_itself, redirected])
