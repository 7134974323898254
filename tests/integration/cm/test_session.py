#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 150
"""Session timers (RFC 4028) on each leg by itself: agreed, refreshed, expired; UPDATE (RFC 3311)."""
import time

from cm_bench import bench
from one_origin import media
from sip_peer import sdp
from standalone import run


def with_headers(b, drop=(), change=()):
    """Every INVITE from outside of dialogs loses and gets fields."""
    send = type(b.sm).request.__get__(b.sm)

    def changed(method, uri, headers, *args, **more):
        if method == "INVITE":
            headers = [h for h in headers if h[0] not in drop] + list(change)
        return send(method, uri, headers, *args, **more)

    b.sm.request = changed


def answer(b, up, down, headers=()):
    b.sm.answer(down, 200, "OK", "callee", headers, sdp(port=5000))
    ok = b.sm.expect((200, "INVITE"), where=lambda m: m.call_id == up.call_id)
    b.ack(up, ok)
    b.sm.expect("ACK", where=lambda m: m.call_id == down.call_id)
    return ok


def each_leg_agrees_by_itself():
    cases = (  # what the caller says -> what our 2xx says
        ([], "1800;refresher=uac", "timer"),
        ([("Session-Expires", "600")], "600;refresher=uac", "timer"),
        ([("Session-Expires", "600;refresher=uac")], "600;refresher=uac", "timer"),
        ([("Session-Expires", "600;refresher=uas")], "600;refresher=uas", None),
        ([("Session-Expires", "600"), ("Min-SE", "900")], "900;refresher=uac", "timer"))
    with bench() as b:
        for said, expires, require in cases:
            up = b.invite(headers=said)
            down = b.downstream(up)
            assert down.get("Session-Expires") == "1800;refresher=uas", down
            assert down.get("Min-SE") is None and "timer" in down.get("Supported"), down
            ok = answer(b, up, down, [("Session-Expires", "1800;refresher=uas"), ("Require", "timer")])
            assert ok.get("Session-Expires") == expires and ok.get("Require") == require, (said, ok)
            b.hang_up(up, ok, down)


def who_knows_no_timers_gets_none():
    with bench() as b:
        with_headers(b, drop=("Supported",))
        up = b.invite()
        down = b.downstream(up)
        ok = answer(b, up, down)
        assert ok.get("Session-Expires") is None and ok.get("Require") is None, ok
        b.hang_up(up, ok, down)
        # somebody on the way asked for one: then it is up to us
        up = b.invite(headers=[("Session-Expires", "600")])
        down = b.downstream(up)
        ok = answer(b, up, down)
        assert ok.get("Session-Expires") == "600;refresher=uas" and ok.get("Require") is None, ok
        b.hang_up(up, ok, down)


def too_small_is_422_and_says_how_much():
    with bench() as b:
        up = b.invite(headers=[("Session-Expires", "60")])
        refused = b.sm.expect((422, "INVITE"))
        assert refused.get("Min-SE") == "90", refused
        b.sm.ack_failure(up, refused, b.cm)
        assert b.server.items("/v1/calls") == []
        up, ok, down, _ = b.talk()
        b.in_dialog("UPDATE", up, ok, up.cseq + 1, headers=[("Session-Expires", "30"), ("Supported", "timer")])
        assert b.sm.expect((422, "UPDATE")).get("Min-SE") == "90"
        b.hang_up(up, ok, down)


def a_callee_that_asks_for_more_gets_it():
    with bench() as b:
        up = b.invite()
        down = b.downstream(up)
        b.sm.answer(down, 422, "Session Interval Too Small", "x", [("Min-SE", "3600")])
        b.sm.expect("ACK")
        again = b.downstream(up)
        assert again.call_id == down.call_id and again.cseq == down.cseq + 1, again
        assert again.get("Session-Expires") == "3600;refresher=uas" and again.get("Min-SE") == "3600", again
        assert again.body == down.body and again.all("Route") == down.all("Route")
        ok = answer(b, up, again)
        b.hang_up(up, ok, again)
        # but only once; and the caller never sees it
        up = b.invite()
        for _ in range(2):
            b.sm.answer(b.downstream(up), 422, "Session Interval Too Small", "x", [("Min-SE", "3600")])
        b.sm.ack_failure(up, b.sm.expect((500, "INVITE")), b.cm)


def a_refresh_stays_on_its_leg():
    with bench() as b:
        up, ok, down, tag = b.talk(headers=[("Session-Expires", "600;refresher=uac")])
        b.in_dialog("UPDATE", up, ok, up.cseq + 1,
                    headers=[("Session-Expires", "700;refresher=uac"), ("Supported", "timer")])
        fresh = b.sm.expect((200, "UPDATE"))
        assert fresh.get("Session-Expires") == "700;refresher=uac" and fresh.get("Require") == "timer", fresh
        b.in_dialog_down("UPDATE", down, tag, 1, headers=[("Session-Expires", "800;refresher=uac"),
                                                          ("Supported", "timer")])
        assert b.sm.expect((200, "UPDATE")).get("Session-Expires") == "800;refresher=uac"
        b.sm.expect_nothing("UPDATE", 0.2)
        # a description crosses, the interval does not
        b.in_dialog("UPDATE", up, ok, up.cseq + 2, sdp(version=2),
                    headers=[("Session-Expires", "700;refresher=uac"), ("Supported", "timer")])
        there = b.sm.expect("UPDATE")
        assert there.call_id == down.call_id and there.media == media(sdp(version=2)), there
        assert there.get("Session-Expires") == "800;refresher=uas", there
        b.sm.answer(there, 200, "OK", headers=[("Session-Expires", "800;refresher=uas")], body=sdp(port=5000, version=2))
        back = b.sm.expect((200, "UPDATE"))
        assert back.get("Session-Expires") == "700;refresher=uac" and back.media == media(sdp(port=5000, version=2)), back
        b.hang_up(up, ok, down)


def we_refresh_and_expire_in_time():
    """Four calls side by side, 90 s each: refreshed by UPDATE, by re-INVITE, by nobody, and by one that is gone."""
    asks = [("Session-Expires", "90;refresher=uas")]
    with bench("call.audit_s=86400") as b:
        with_headers(b, drop=("Allow",), change=[("Allow", "INVITE, ACK, BYE, UPDATE")])
        updated = b.talk(headers=asks, gsid="gsid-update")
        gone = b.talk(headers=asks, gsid="gsid-gone")
        silent = b.talk(headers=[("Session-Expires", "90;refresher=uac")], gsid="gsid-silent")
        with_headers(b, drop=("Allow",), change=[("Allow", "INVITE, ACK, BYE")])
        invited = b.talk(headers=asks, gsid="gsid-invite", caller="3002", dialled="3001")
        began = time.monotonic()

        for call, status in ((updated, 200), (gone, 481)):
            refresh = b.sm.expect("UPDATE", 60, lambda m, c=call: m.call_id == c[0].call_id)
            assert 43 < time.monotonic() - began < 47, time.monotonic() - began
            assert refresh.get("Session-Expires") == "90;refresher=uac" and refresh.body == b"", refresh
            b.sm.answer(refresh, status, "X", headers=[("Session-Expires", "90;refresher=uac")])
        refresh = b.sm.expect("INVITE", 10, lambda m: m.call_id == invited[0].call_id)
        assert refresh.body == invited[1].body, "a refresh by re-INVITE changes nothing"
        b.sm.answer(refresh, 200, "OK", headers=[("Session-Expires", "90;refresher=uac")], body=sdp())
        assert b.sm.expect("ACK").call_id == invited[0].call_id

        for call in (gone, gone, silent, silent):
            sides = (call[0].call_id, call[2].call_id)
            bye = b.sm.expect("BYE", 30, lambda m, s=sides: m.call_id in s)
            b.sm.answer(bye, 200, "OK")
        assert 59 < time.monotonic() - began < 63, time.monotonic() - began
        live = {c["gsid"] for c in b.server.items("/v1/calls")}
        assert live == {"gsid-update", "gsid-invite"}, live


if __name__ == "__main__":
    run([each_leg_agrees_by_itself, who_knows_no_timers_gets_none, too_small_is_422_and_says_how_much,
         a_callee_that_asks_for_more_gets_it, a_refresh_stays_on_its_leg, we_refresh_and_expire_in_time])
