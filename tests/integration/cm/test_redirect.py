#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 60
"""A 3xx from below is followed by cm with the served station's rights; History-Info tells of it (RFC 7044)."""
from cm_bench import DOMAIN, bench
from sip_peer import sdp
from standalone import run


def moved(b, down, *contacts, status=302):
    b.sm.answer(down, status, "Moved Temporarily", "callee", contact=False,
                headers=[("Contact", c) for c in contacts])
    b.sm.expect("ACK", where=lambda m: m.call_id == down.call_id)


def the_callee_s_phone_sends_the_caller_elsewhere():
    with bench() as b:
        up = b.invite("imsterm")
        down = b.downstream(up)
        b.sm.answer(down, 180, "Ringing", "callee")
        b.sm.expect((180, "INVITE"))
        moved(b, down, "<sip:3009@%s>;q=0.2" % DOMAIN, "<sip:3003@%s>;q=0.7" % DOMAIN)
        new = b.sm.expect("INVITE", where=lambda m: m.call_id not in (up.call_id, down.call_id))
        assert new.uri == "sip:grace@" + DOMAIN and new.media == up.media, new  # who has 3003
        assert new.get("Route") == "<sip:%s;transport=udp;lr;phase=origdone;served=3002>" % b.sm.hostport, new
        assert new.all("History-Info") == [
            "<sip:3002@%s?Reason=SIP%%3Bcause%%3D302>;index=1" % DOMAIN,
            "<sip:grace@%s>;index=1.1;mp=1" % DOMAIN], new.all("History-Info")
        assert new.get("P-Asserted-Identity") == "<sip:3001@%s>" % DOMAIN and new.get("To") == down.get("To")
        assert new.get("Av-Global-Session-ID") == up.get("Av-Global-Session-ID")
        # the line of who sent it away is free, and he is in no call
        assert all(leg["handle"] != "3002" for leg in b.server.items("/v1/calls")[0]["legs"])
        b.sm.answer(new, 180, "Ringing", "other")
        assert b.sm.expect((180, "INVITE")).tag("To")
        b.sm.answer(new, 200, "OK", "other", body=sdp(port=5000))
        answer = b.sm.expect((200, "INVITE"), where=lambda m: m.call_id == up.call_id)
        b.ack(up, answer)
        b.sm.expect("ACK", where=lambda m: m.call_id == new.call_id)
        b.hang_up(up, answer, new)
        records = b.server.wait_items("/v1/records", 2)
        assert {(r["half"], r["result"]) for r in records} == {("call", "answered"), ("term", "answered")}, records


def what_is_refused_there_counts():
    with bench() as b:
        up = b.invite()
        down = b.downstream(up)
        moved(b, down, "<sip:grace@%s>" % DOMAIN)
        new = b.sm.expect("INVITE", where=lambda m: m.call_id not in (up.call_id, down.call_id))
        assert new.get("Route").endswith("served=3001>"), new
        b.sm.answer(new, 486, "Busy Here", "other")
        b.sm.ack_failure(up, b.sm.expect((486, "INVITE")), b.cm)
        assert b.server.wait_items("/v1/records", 2)[0]["result"] == "busy"


def the_caller_gives_up_while_it_is_elsewhere():
    with bench() as b:
        up = b.invite("imsterm")
        down = b.downstream(up)
        moved(b, down, "<sip:grace@%s>" % DOMAIN)
        new = b.sm.expect("INVITE", where=lambda m: m.call_id not in (up.call_id, down.call_id))
        b.sm.answer(new, 180, "Ringing", "other")
        b.sm.expect((180, "INVITE"))
        b.sm.cancel(up, b.cm)
        b.sm.ack_failure(up, b.sm.expect((487, "INVITE")), b.cm)
        cancel = b.sm.expect("CANCEL")
        assert cancel.call_id == new.call_id
        b.sm.answer(cancel, 200, "OK")
        b.sm.answer(new, 487, "Request Terminated", "other")
        assert b.server.items("/v1/calls") == []


def where_it_may_not_go_it_ends_with_480():
    long = ", ".join("<sip:%d@%s>;index=1%s;mp=1" % (n, DOMAIN, ".1" * n) for n in range(10))
    cases = (("<sip:3999@%s>" % DOMAIN, []),            # nobody has it
             ("<mailto:ada@%s>" % DOMAIN, []),          # no call
             ("<sip:grace@%s>" % DOMAIN, [("History-Info", long)]))  # ten times is enough
    with bench() as b:
        for n, (contact, headers) in enumerate(cases):
            up = b.invite("imsterm", gsid="gsid-%d" % n, headers=headers)
            down = b.downstream(up)
            moved(b, down, contact)
            b.sm.ack_failure(up, b.sm.expect((480, "INVITE")), b.cm)
            b.sm.kept.clear()
        # round and round: three diversions in one half at most
        up = b.invite("imsterm", gsid="gsid-x")
        known = [up.call_id]
        for _ in range(4):
            new = b.sm.expect("INVITE", where=lambda m: m.call_id not in known)
            known.append(new.call_id)
            moved(b, new, "<sip:grace@%s>" % DOMAIN)
        b.sm.ack_failure(up, b.sm.expect((480, "INVITE")), b.cm)
        assert b.server.items("/v1/calls") == []


if __name__ == "__main__":
    run([the_callee_s_phone_sends_the_caller_elsewhere, what_is_refused_there_counts,
         the_caller_gives_up_while_it_is_elsewhere, where_it_may_not_go_it_ends_with_480])
