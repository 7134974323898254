#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 90
"""Transfer between phones through sm and cm: REFER to the other phone, which calls the third, with Replaces or without."""
from urllib.parse import quote, unquote

from plane import DOMAIN, hang_up, plane, talk
from sip_message import uri_of
from standalone import run


def refer(ringing, to):
    """The callee asks the caller to call somebody; the NOTIFY that it is done comes back to it."""
    b = ringing.phone
    msg = b.send(ringing.in_dialog("REFER", headers=[("Refer-To", f"<{to}>"),
                                                     ("Referred-By", f"<{b.aor}>")]))
    return msg


def take_refer(a, call):
    """The caller's phone: accepts, and follows; returns the target and a Replaces, if there is one."""
    there = a.expect(lambda m: m.is_request and m.method == "REFER" and m.call_id == call.call_id, 3, "REFER")
    assert there.get("Referred-By"), there.encode()
    a.reply(there, 202, "Accepted", headers=[("Contact", a.contact)])
    uri = uri_of(there.get("Refer-To"))
    target, _, headers = uri.partition("?")
    replaces = unquote(headers[len("Replaces="):]) if headers.startswith("Replaces=") else None
    return target, replaces


def done(call, ringing):
    """The news of success crosses to the one who asked; then he hangs up."""
    a, b = call.phone, ringing.phone
    msg = call.in_dialog("NOTIFY", b"SIP/2.0 200 OK\r\n", [
        ("Event", "refer"), ("Subscription-State", "terminated;reason=noresource")])
    msg.replace("Content-Type", "message/sipfrag")
    a.send(msg)
    news = b.expect(lambda m: m.is_request and m.method == "NOTIFY" and m.call_id == ringing.call_id, 3, "NOTIFY")
    assert news.body == b"SIP/2.0 200 OK\r\n" and news.get("Event") == "refer", news.encode()
    b.reply(news, 200, "OK")
    assert a.answer_of(msg).status == 200
    bye = b.send(ringing.in_dialog("BYE"))
    call.expect_bye()
    assert b.answer_of(bye).status == 200


def blind():
    with plane() as p:
        a, b, c = p.phone("3001"), p.phone("3002", "tcp"), p.phone("3003")
        call, ringing = talk(a, b)
        sent = refer(ringing, f"sip:3003@{DOMAIN}")
        target, replaces = take_refer(a, call)
        assert b.answer_of(sent).status == 202 and replaces is None
        second = a.invite("3003", uri=target, headers=[("Referred-By", f"<{b.aor}>")])
        at_c = c.incoming()
        assert at_c.invite.get("Referred-By") == f"<{b.aor}>", at_c.invite.encode()
        at_c.ring()
        second.expect(180)
        at_c.accept_and(second)
        done(call, ringing)
        live, = p.sm.items("/v1/calls")
        assert live["caller"] == "3001" and live["callee"] == "3003", live
        hang_up(second, at_c)
        p.sm.wait_items("/v1/calls", 0)
        assert p.cm.items("/v1/calls") == []


def attended():
    with plane() as p:
        a, b, c = p.phone("3001"), p.phone("3002"), p.phone("3003", "tcp")
        call, ringing = talk(a, b)      # a talks to b
        consult, at_c = talk(b, c)      # b asks c
        remote_tag = consult.remote.split(";tag=")[1]
        local_tag = consult.local.split(";tag=")[1]
        value = f"{consult.call_id};to-tag={remote_tag};from-tag={local_tag}"
        sent = refer(ringing, f"sip:3003@{DOMAIN}?Replaces={quote(value, safe='')}")
        target, replaces = take_refer(a, call)
        assert b.answer_of(sent).status == 202 and replaces == value, replaces
        second = a.invite("3003", uri=target, headers=[("Replaces", replaces), ("Require", "replaces")])

        # c hears it as a re-INVITE inside the call that it has
        again = c.expect(lambda m: m.is_request and m.method == "INVITE" and m.call_id == at_c.call_id
                         and m.to_tag is not None, 3, "re-INVITE at c")
        assert again.body == a.sdp() and again.get("Replaces") is None, again.encode()
        c.reply(again, 200, "OK", body=c.sdp(), headers=[("Contact", c.contact)])
        answer = second.expect(200)
        assert answer.body == c.sdp(), answer.encode()
        c.expect(lambda m: m.is_request and m.method == "ACK" and m.cseq == again.cseq, 3, "ACK at c")
        consult.expect_bye()
        done(call, ringing)

        bye = a.send(second.in_dialog("BYE"))
        at_c.expect_bye()
        assert a.answer_of(bye).status == 200
        p.sm.wait_items("/v1/calls", 0)
        assert p.cm.items("/v1/calls") == []
        records = p.cm.wait_items("/v1/records", 3 + 3 + 2)
        assert all(r["result"] == "answered" for r in records), records


if __name__ == "__main__":
    run([blind, attended])
