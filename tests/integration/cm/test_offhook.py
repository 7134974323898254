#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
"""Off-hook line reservation in cm alone: 183, PUBLISH, digits, 484; and every way that it ends without."""
import re
import time

import sip_peer
from cm_bench import DOMAIN, GSID, bench
from one_origin import media
from sip_peer import sdp
from standalone import run


class Hook:
    """A phone that goes off-hook, as sm passes its INVITEs on."""

    def __init__(self, b, user="3001", call_id=None):
        self.b, self.user = b, user
        self.call_id, self.tag = call_id or sip_peer.token(), sip_peer.token()
        self.first = self.early = None

    def send(self, uri, to, cseq, body=b"", headers=(), contact="", require=None):
        b = self.b
        lines = [
            ("Via", "SIP/2.0/UDP %s;branch=%s;rport" % (b.sm.hostport, sip_peer.token("z9hG4bK"))),
            ("Route", "<sip:%s;lr;phase=imsorig>" % b.cm_hostport),
            ("Route", "<sip:%s;lr;phase=origdone;odi=TOKEN>" % b.sm.hostport),
            ("Record-Route", "<sip:%s;lr>" % b.sm.hostport),
            ("From", "<sip:%s@%s>;tag=%s" % (self.user, DOMAIN, self.tag)), ("To", to),
            ("Call-ID", self.call_id), ("CSeq", "%d INVITE" % cseq),
            ("Contact", "<sip:%s@%s>%s" % (self.user, b.sm.hostport, contact)),
            ("Supported", "100rel,eventlist,feature-ref,replaces,tdialog"),
            ("Av-Global-Session-ID", GSID), ("P-Asserted-Identity", "<sip:%s@%s>" % (self.user, DOMAIN))]
        return b.sm.request("INVITE", uri, lines + list(headers), body, to=b.cm)

    def reserve(self, cseq=1, line=None, expires=None, headers=()):
        uri = "sip:%s@%s;avaya-cm-fnu=off-hook" % (self.user, DOMAIN)
        more = [("Expires", str(expires))] if expires else []
        self.first = self.send(uri, "<%s>" % uri, cseq, headers=more + list(headers),
                               contact=";+avaya-cm-line=%d" % line if line else "")
        return self.first

    def progress(self):
        self.early = self.b.sm.expect((183, "INVITE"), where=lambda m: m.call_id == self.call_id)
        return self.early

    def dial(self, number="3002", cseq=2, to_tag=None):
        uri = "sip:%s@%s" % (number, DOMAIN)
        return self.send(uri, "<%s>%s" % (uri, ";tag=" + to_tag if to_tag else ""), cseq, sdp())


def published(b, **answer):
    """The next PUBLISH, answered; its document and itself."""
    msg = b.sm.expect("PUBLISH")
    assert msg.get("Event") == "dialog", msg
    etag = answer.get("etag", sip_peer.token())
    b.sm.answer(msg, answer.get("status", 200), "X",
                headers=[("SIP-ETag", etag), ("Expires", msg.get("Expires"))] if etag else [])
    if msg.body:
        assert msg.get("Content-Type") == "application/dialog-info+xml", msg
    return msg.body.decode(), msg, etag


def lines_of(text):
    """{line: (state, direction, call-id, peer)} of a dialog-info document."""
    out = {}
    for attributes, inner in re.findall(r"<dialog ([^>]*)>(.*?)</dialog>", text, re.S):
        number = int(re.search(r'pname="\+avaya-cm-line" pval="(\d+)"', inner).group(1))
        peer = re.search(r"<remote><identity>([^<]*)", inner)
        call_id = re.search(r'call-id="([^"]*)"', attributes)
        out[number] = (re.search(r"<state>([^<]*)", inner).group(1),
                       re.search(r'direction="([^"]*)"', attributes).group(1),
                       call_id and call_id.group(1), peer and peer.group(1))
    return out


def refused(b, invite, status):
    final = b.sm.expect((status, "INVITE"), where=lambda m: m.cseq == invite.cseq and m.call_id == invite.call_id)
    b.sm.ack_failure(invite, final, b.cm)
    return final


def the_whole_flow(with_tag=False):
    with bench() as b:
        hook = Hook(b)
        first = hook.reserve(line=2, expires=30)
        early = hook.progress()
        assert early.body == b"" and early.tag("To") and early.get("RSeq") is None, early
        text, msg, etag = published(b)
        assert msg.uri == "sip:3001@" + DOMAIN and msg.get("SIP-If-Match") is None, msg
        assert 'entity="sip:3001@%s"' % DOMAIN in text and 'state="full"' in text, text
        assert lines_of(text) == {2: ("early", "initiator", hook.call_id, None)}, text
        assert 'local-tag="%s"' % hook.tag in text and 'remote-tag="%s"' % early.tag("To") in text, text
        assert b.server.items("/v1/calls") == [], "a reserved line is no call"
        b.sm.expect_nothing("INVITE", 0.1)

        second = hook.dial(to_tag=early.tag("To") if with_tag else None)
        assert refused(b, first, 484).tag("To") == early.tag("To")
        down = b.downstream(second)
        assert down.uri == "sip:3002@" + DOMAIN and down.media == media(sdp()) and down.tag("To") is None, down
        assert down.all("Route") == ["<sip:%s;lr;phase=origdone;odi=TOKEN>" % b.sm.hostport], down
        assert down.get("Av-Global-Session-ID") == GSID
        text, msg, _ = published(b)
        assert msg.get("SIP-If-Match") == etag, msg
        assert lines_of(text)[2][0] == "trying" and lines_of(text)[2][3] == "sip:3002@" + DOMAIN, text

        b.sm.answer(down, 180, "Ringing", "callee")
        ringing = b.sm.expect((180, "INVITE"))
        assert ringing.cseq == 2 and (ringing.tag("To") == early.tag("To")) == with_tag, ringing
        assert lines_of(published(b)[0])[2][0] == "early"
        b.sm.answer(down, 200, "OK", "callee", body=sdp(port=5000))
        answer = b.sm.expect((200, "INVITE"))
        b.ack(second, answer)
        b.sm.expect("ACK", where=lambda m: m.call_id == down.call_id)
        text, _, etag = published(b)
        assert lines_of(text)[2][0] == "confirmed" and 'remote-tag="%s"' % answer.tag("To") in text, text
        b.hang_up(second, answer, down)
        text, msg, _ = published(b)
        assert text == "" and msg.get("Expires") == "0" and msg.get("SIP-If-Match") == etag, msg
        b.sm.expect_nothing("PUBLISH", 0.2)
        records = b.server.items("/v1/records")
        assert sorted(r["half"] for r in records) == ["call", "orig"], records
        assert all(r["callee"] == "3002" and r["result"] == "answered" for r in records), records


def the_whole_flow_with_a_to_tag():
    the_whole_flow(with_tag=True)


def forks_share_the_tag_of_the_dialled_invite():
    with bench() as b:
        hook = Hook(b)
        first = hook.reserve()
        early = hook.progress()
        second = hook.dial(to_tag=early.tag("To"))
        refused(b, first, 484)
        down = b.downstream(second)
        for tag in ("desk", "mobile"):
            b.sm.answer(down, 180, "Ringing", tag)
        assert b.sm.expect((180, "INVITE")).tag("To") == early.tag("To")
        b.sm.expect_nothing((180, "INVITE"), 0.2)
        b.sm.answer(down, 200, "OK", "mobile", body=sdp(port=5000))
        answer = b.sm.expect((200, "INVITE"))
        assert answer.tag("To") == early.tag("To") and answer.media == media(sdp(port=5000)), answer
        b.ack(second, answer)
        assert b.sm.expect("ACK", where=lambda m: m.call_id == down.call_id).tag("To") == "mobile"
        b.hang_up(second, answer, down)


def cancel_and_bye_give_the_line_back():
    with bench() as b:
        for end in ("CANCEL", "BYE"):
            hook = Hook(b, "grace")  # one appearance
            first = hook.reserve()
            hook.progress()
            published(b)
            busy = Hook(b, "grace")
            refused(b, busy.reserve(), 486)
            if end == "CANCEL":
                b.sm.cancel(first, b.cm)
            else:
                b.in_dialog("BYE", first, hook.early, 2)
            b.sm.expect((200, end))
            refused(b, first, 487)
            text, msg, _ = published(b)
            assert text == "" and msg.get("Expires") == "0", msg
            late = hook.dial(to_tag=hook.early.tag("To"), cseq=3)
            refused(b, late, 481)
        assert b.server.items("/v1/calls") == [] and b.server.items("/v1/records") == []


def a_number_that_nobody_has_gives_the_line_back():
    with bench() as b:
        hook = Hook(b, "grace")
        first = hook.reserve()
        hook.progress()
        second = hook.dial("3999")
        refused(b, first, 484)
        refused(b, second, 404)
        again = Hook(b, "grace")
        again.reserve()
        again.progress()


def the_line_is_the_one_that_the_phone_shows():
    with bench() as b:
        for wanted, got in ((3, 3), (3, 1), (9, 2)):
            hook = Hook(b)
            hook.reserve(line=wanted)
            hook.progress()
            state = lines_of(published(b)[0])
            assert [n for n, l in state.items() if l[2] == hook.call_id] == [got], (wanted, state)
        refused(b, Hook(b).reserve(), 486)
        up = b.invite("imsterm", caller="3002", dialled="3001")  # no line is left for a call, too
        b.sm.ack_failure(up, b.sm.expect((486, "INVITE")), b.cm)


def who_has_no_station_has_no_line():
    with bench() as b:
        refused(b, Hook(b, "3009").reserve(), 403)
        refused(b, Hook(b, "4711").reserve(), 403)


def one_that_demands_100rel_gets_a_reliable_183():
    with bench() as b:
        hook = Hook(b)
        first = hook.reserve(headers=[("Require", "100rel")])
        early = hook.progress()
        assert early.get("RSeq") == "1" and early.get("Require") == "100rel", early
        b.in_dialog("PRACK", first, early, 2, headers=[("RAck", "1 1 INVITE")])
        b.sm.expect((200, "PRACK"))
        second = hook.dial(cseq=3)
        refused(b, first, 484)
        b.sm.answer(b.downstream(second), 486, "Busy Here", "x")
        refused(b, second, 486)


def a_publication_that_sm_forgot_begins_anew():
    with bench() as b:
        hook = Hook(b)
        first = hook.reserve()
        hook.progress()
        _, _, etag = published(b)
        second = hook.dial()
        refused(b, first, 484)
        down = b.downstream(second)
        _, msg, _ = published(b, status=412, etag=None)
        assert msg.get("SIP-If-Match") == etag, msg
        text, msg, _ = published(b)
        assert msg.get("SIP-If-Match") is None and lines_of(text)[1][0] == "trying", msg
        b.sm.answer(down, 486, "Busy Here", "x")
        refused(b, second, 486)
        assert published(b)[1].get("Expires") == "0"


def changes_while_one_is_on_its_way_go_together():
    with bench() as b:
        hook = Hook(b)
        first = hook.reserve()
        hook.progress()
        waiting = b.sm.expect("PUBLISH")
        second = hook.dial()
        refused(b, first, 484)
        down = b.downstream(second)
        b.sm.answer(down, 180, "Ringing", "callee")
        b.sm.expect((180, "INVITE"))
        b.sm.expect_nothing("PUBLISH", 0.2)
        b.sm.answer(waiting, 200, "OK", headers=[("SIP-ETag", "one"), ("Expires", "3600")])
        text, msg, _ = published(b)
        assert msg.get("SIP-If-Match") == "one" and lines_of(text)[1][0] == "early", text
        b.sm.expect_nothing("PUBLISH", 0.2)
        b.sm.answer(down, 486, "Busy Here", "x")
        refused(b, second, 486)


def calls_of_plain_phones_are_published_only_on_request():
    with bench() as b:
        up, answer, down, _ = b.talk()
        b.sm.expect_nothing("PUBLISH", 0.2)
        b.hang_up(up, answer, down)
    with bench("call.dialog_state_all=yes") as b:
        up = b.invite("imsterm")
        text, msg, _ = published(b)
        assert msg.uri == "sip:3002@" + DOMAIN
        assert lines_of(text)[1][:2] == ("trying", "recipient"), text
        b.sm.answer(b.downstream(up), 486, "Busy Here", "x")
        refused(b, up, 486)
        assert published(b)[1].get("Expires") == "0"


def what_is_not_used_ends_after_its_time():
    with bench() as b:
        hook = Hook(b)
        first = hook.reserve(expires=5)  # at least 30 s
        hook.progress()
        began = time.monotonic()
        final = b.sm.expect((487, "INVITE"), 35)
        assert 29 < time.monotonic() - began < 32
        assert "Nothing was dialled" in final.get("Reason"), final
        b.sm.ack_failure(first, final, b.cm)


if __name__ == "__main__":
    run([the_whole_flow, the_whole_flow_with_a_to_tag, forks_share_the_tag_of_the_dialled_invite,
         cancel_and_bye_give_the_line_back, a_number_that_nobody_has_gives_the_line_back,
         the_line_is_the_one_that_the_phone_shows, who_has_no_station_has_no_line,
         one_that_demands_100rel_gets_a_reliable_183, a_publication_that_sm_forgot_begins_anew,
         changes_while_one_is_on_its_way_go_together, calls_of_plain_phones_are_published_only_on_request,
         what_is_not_used_ends_after_its_time])
