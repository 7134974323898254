#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
"""What Avaya phones do beside plain calls, through sm and cm: PRACK end to end, off-hook before dialling."""
import re
import uuid
import xml.etree.ElementTree as ET

from plane import CM, DOMAIN, hang_up, plane
from sip_message import param, uri_of
from sip_phone import Call
from standalone import run
from test_events import DLG, Watch

OFF_HOOK = f"sip:3001@{DOMAIN};avaya-cm-fnu=off-hook"


def prack(call, provisional):
    """The caller's PRACK, in the early dialog that the 1xx made."""
    call.remote, call.target = provisional.get("To"), uri_of(provisional.get("Contact"))
    call.routes = list(reversed(provisional.all("Record-Route")))
    msg = call.in_dialog("PRACK", headers=[("RAck", f"{provisional.get('RSeq')} {call.invite.cseq} INVITE")])
    msg.drop("Contact")
    call.phone.send(msg)
    return call.phone.answer_of(msg)


def prack_from_phone_to_phone():
    for transport in ("udp", "tcp"):
        with plane() as p:
            a, b = p.phone("3001", transport), p.phone("3002", transport)
            call = a.invite("3002", headers=[("Supported", "100Rel")])
            ringing = b.incoming()
            assert "100rel" in ringing.invite.get("Supported").lower(), ringing.invite.encode()
            b.reply(ringing.invite, 180, "Ringing", ringing.tag,
                    headers=[("Contact", b.contact), ("Require", "100Rel"), ("Rseq", "1")])
            there = b.expect(lambda m: m.is_request and m.method == "PRACK", 3, "PRACK at the callee")
            assert there.get("RAck") == f"1 {ringing.invite.cseq} INVITE", there.encode()
            b.reply(there, 200, "OK")
            first = call.expect(180)
            assert first.get("RSeq") == "1" and first.get("Require").lower() == "100rel", first.encode()
            assert prack(call, first).status == 200
            ringing.accept_and(call)
            ok = [m for m in a.received() if m.status == 200 and m.cseq_method == "INVITE"][0]
            assert ok.get("RSeq") is None and "100rel" not in (ok.get("Require") or ""), ok.encode()
            # Each of the four legs beside sm's own hops has its own: callee's, two between, caller's.
            seen = {(m.call_id, m.get("RAck")) for m in p.wire.requests("PRACK")}
            assert len(seen) == 3, seen  # three dialogs: a-cm, cm-cm, cm-b
            assert all(re.match(r"1 \d+ INVITE$", rack) for _, rack in seen), seen
            hang_up(call, ringing)
            p.sm.wait_items("/v1/calls", 0)


class OffHook:
    """A phone that reserves a line, then dials."""

    def __init__(self, phone):
        self.phone, self.call_id, self.tag = phone, uuid.uuid4().hex, uuid.uuid4().hex[:8]
        self.first, self.early, self.cseq = None, None, 1

    def send(self, uri, to_tag=None, body=b"", headers=()):
        msg = self.phone.request("INVITE", uri, call_id=self.call_id, from_tag=self.tag, cseq=self.cseq,
                                 to_tag=to_tag, body=body, headers=headers)
        msg.replace("Contact", self.phone.contact + ";+avaya-cm-line=1")
        self.phone.send(msg)
        challenge = self.phone.answer_of(msg)
        assert challenge.status == 407, challenge.encode()
        again = self.phone.answer_challenge(msg, challenge)
        self.phone.send(again)
        self.cseq = again.cseq + 1
        return again

    def reserve(self):
        self.first = self.send(OFF_HOOK, headers=[("Supported", "100rel,eventlist,feature-ref,replaces,tdialog"),
                                                  ("Expires", "30")])
        self.early = self.answer(self.first, 183)
        return self.early

    def answer(self, invite, status):
        return self.phone.expect(lambda m: not m.is_request and m.status == status and m.branch == invite.branch,
                                 3, f"{status} at {self.phone.user}")

    def dial(self, number, to_tag=None):
        second = self.send(f"sip:{number}@{DOMAIN}", to_tag, self.phone.sdp())
        final = self.answer(self.first, 484)
        self.phone.ack(self.first, final)
        return Call(self.phone, second)


def shown(watch):
    """(state, line) of every dialog in the next NOTIFY."""
    root = ET.fromstring(watch.notify().body)
    out = []
    for dialog in root.findall(DLG + "dialog"):
        line = dialog.find(f"{DLG}local/{DLG}target/{DLG}param")
        out.append((dialog.find(DLG + "state").text, line.get("pname"), line.get("pval")))
    return out


def off_hook_then_digits(with_tag=False):
    for transport in ("udp", "tcp"):
        with plane() as p:
            a, b = p.phone("3001", transport), p.phone("3002")
            watch = Watch(a, "dialog")
            assert shown(watch) == []
            hook = OffHook(a)
            early = hook.reserve()
            assert early.body == b"" and early.to_tag, early.encode()
            assert shown(watch) == [("early", "+avaya-cm-line", "1")]
            assert p.sm.items("/v1/calls") == [] and p.cm.items("/v1/calls") == []
            reserved = [m for m in p.wire.requests("INVITE", {hook.call_id}) if m.dest == CM]
            assert len(reserved) == 1 and "off-hook" in reserved[0].uri and reserved[0].body == b""
            assert param(uri_of(reserved[0].all("Route")[0]), "phase") == "imsorig"
            # Nothing is passed on before there are digits.
            assert [m for m in p.wire.requests("INVITE") if m.call_id != hook.call_id] == []

            call = hook.dial("3002", early.to_tag if with_tag else None)
            ringing = b.incoming()
            ringing.ring()
            call.expect(180)
            states = shown(watch)
            while states[0][0] == "trying":
                states = shown(watch)
            assert states == [("early", "+avaya-cm-line", "1")], states
            ringing.accept_and(call)
            assert shown(watch) == [("confirmed", "+avaya-cm-line", "1")]
            passes = [m for m in p.wire.requests("INVITE") if m.dest == CM or m.source == CM]
            second = [m for m in passes if m.call_id == hook.call_id]
            assert [m.cseq for m in second] == [hook.first.cseq, call.invite.cseq], second
            assert [bool(m.body) for m in second] == [False, True]
            assert len({m.from_tag for m in second}) == 1
            gsids = {m.get("Av-Global-Session-ID") for m in passes}
            assert len(gsids) == 1 and None not in gsids, gsids
            live, = p.sm.items("/v1/calls")
            assert live["callee"] == "3002" and live["state"] == "talking" and live["gsid"] in gsids, live
            hang_up(call, ringing)
            assert shown(watch) == []
            p.sm.wait_items("/v1/calls", 0)
            records = p.cm.wait_items("/v1/records", 3)
            assert sorted(r["half"] for r in records) == ["call", "orig", "term"], records


def off_hook_then_digits_in_the_early_dialog():
    off_hook_then_digits(with_tag=True)


def off_hook_and_down_again():
    with plane() as p:
        a = p.phone("3001")
        watch = Watch(a, "dialog")
        shown(watch)
        hook = OffHook(a)
        hook.reserve()
        shown(watch)
        assert Call(a, hook.first).cancel().status == 200
        a.ack(hook.first, hook.answer(hook.first, 487))
        assert shown(watch) == []
        assert p.cm.items("/v1/calls") == [] and p.cm.items("/v1/records") == []
        p.sm.wait_items("/v1/calls", 0)


def a_wrong_number_after_off_hook():
    with plane() as p:
        a, b = p.phone("3001"), p.phone("3002")
        hook = OffHook(a)
        hook.reserve()
        call = hook.dial("3999")
        call.expect(404)
        again = OffHook(a)  # the line is free again, and the next call goes through
        again.reserve()
        call = again.dial("3002")
        ringing = b.incoming()
        ringing.ring()
        call.expect(180)
        ringing.accept_and(call)
        hang_up(call, ringing)
        p.sm.wait_items("/v1/calls", 0)


if __name__ == "__main__":
    run([prack_from_phone_to_phone, off_hook_then_digits, off_hook_then_digits_in_the_early_dialog,
         off_hook_and_down_again, a_wrong_number_after_off_hook])
