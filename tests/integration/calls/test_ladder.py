#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
"""The six INVITEs of one call, as they pass on the wire, one by one."""
from one_origin import media
from plane import CM, DOMAIN, SM, hang_up, plane, talk
from sip_message import param, uri_of
from standalone import run

INTERNAL = ("P-Location", "Endpoint-View", "P-Charging-Vector")


def invites(p, call):
    """The INVITEs of the call, without the one that was challenged."""
    first = [m for m in p.wire.requests("INVITE", {call.call_id}) if m.get("Proxy-Authorization")]
    assert first, "the caller's INVITE was not seen"
    begin = first[0].at
    return [m for m in p.wire.requests("INVITE") if m.at >= begin]


def ladder(p, call):
    seen = invites(p, call)
    assert len(seen) == 6, [(m.source, m.dest, m.all("Route")) for m in seen]
    return seen


def routes(msg):
    return [uri_of(r) for r in msg.all("Route")]


def the_six_invites(transport="tcp"):
    with plane() as p:
        a, b = p.phone("3001", transport), p.phone("3002", transport)
        call, ringing = talk(a, b)
        m1, m2, m3, m4, m5, m6 = ladder(p, call)

        # Who sends to whom.
        assert m1.dest == SM and m1.source == a.addr
        for m in (m2, m4):
            assert m.dest == CM, m.dest
        for m in (m3, m5):
            assert m.dest == SM and m.source != a.addr
        assert m6.dest == b.addr

        # sm is a proxy, cm a back-to-back user agent: the Call-ID changes at cm and only there.
        assert m1.call_id == m2.call_id and m3.call_id == m4.call_id and m5.call_id == m6.call_id
        assert len({m1.call_id, m3.call_id, m5.call_id}) == 3
        assert m1.cseq == m2.cseq and m3.cseq == m4.cseq and m5.cseq == m6.cseq
        for x, y in ((m1, m2), (m3, m4), (m5, m6)):
            assert x.from_tag == y.from_tag

        # Phases: there and back, with the token of the pass.
        assert m1.all("Route") == [] and m6.all("Route") == []
        for there, back, out, done in ((m2, m3, "imsorig", "origdone"), (m4, m5, "imsterm", "termdone")):
            to_cm, to_sm = routes(there)
            assert param(to_cm, "phase") == out and param(to_cm, "lr") is not None, to_cm
            assert param(to_sm, "phase") == done and param(to_sm, "odi") and param(to_sm, "lr") is not None
            assert "127.0.0.1:5070" in to_cm and "127.0.0.1:5060" in to_sm
            assert routes(back) == [to_sm], (routes(back), to_sm)
        assert param(routes(m3)[0], "odi") != param(routes(m5)[0], "odi")

        # One session id over 2 to 5; none on the phone's own, kept or stripped on the last.
        assert m1.get("Av-Global-Session-ID") is None
        gsid = m2.get("Av-Global-Session-ID")
        assert gsid and len(gsid) == 36
        for m in (m3, m4, m5):
            assert m.get("Av-Global-Session-ID") == gsid
        assert m6.get("Av-Global-Session-ID") == (gsid if transport == "tcp" else None)

        # Who calls is asserted by sm; the credentials end there.
        assert m1.get("Proxy-Authorization") and not m2.get("Proxy-Authorization")
        for m in (m2, m3, m4, m5):
            assert f"<sip:3001@{DOMAIN}>" in m.get("P-Asserted-Identity"), m.encode()
        for name in ("P-Charging-Vector",) + (INTERNAL if transport == "udp" else ()):
            assert m6.get(name) is None, name

        # Hops are counted, loops could be seen, sm stays in the path on both sides.
        hops = [int(m.get("Max-Forwards")) for m in (m1, m2, m3, m4, m5, m6)]
        assert hops == sorted(hops, reverse=True) and hops[0] - hops[5] >= 3, hops
        assert len(m2.all("Record-Route")) >= 1 and len(m6.all("Record-Route")) >= 1
        if transport == "udp":
            assert len(m2.all("Record-Route")) == 2 and len(m6.all("Record-Route")) == 2
            assert "transport=tcp" in m2.all("Record-Route")[0]
            assert "transport=tcp" not in m2.all("Record-Route")[1]
        assert m6.uri == uri_of(b.contact) and m2.uri == m1.uri == f"sip:3002@{DOMAIN}"
        assert m6.media == m1.media, "media flows directly: the offer arrives as it was sent"

        live, = p.sm.items("/v1/calls")
        assert live["gsid"] == gsid and live["state"] == "talking", live
        assert live["caller"] == "3001" and live["callee"] == "3002" and live["answered_at"], live
        assert {(leg["handle"], leg["state"]) for leg in live["legs"]} == {("3001", "talking"),
                                                                           ("3002", "talking")}, live
        hang_up(call, ringing)
        p.sm.wait_items("/v1/calls", 0)


def the_six_invites_with_udp_phones():
    the_six_invites("udp")


def a_hundred_comes_within_200_ms():
    with plane() as p:
        a, b = p.phone("3001"), p.phone("3002")
        call = a.invite("3002")
        b.incoming()
        sent = [m for m in p.wire.requests("INVITE", {call.call_id}) if m.get("Proxy-Authorization")][0]
        trying = [m for m in p.wire.messages if not m.is_request and m.status == 100
                  and m.call_id == call.call_id and m.dest == a.addr]
        assert trying and trying[0].at - sent.at < 0.2
        call.cancel()
        call.expect(487)


def the_answer_comes_back_clean():
    with plane() as p:
        a, b = p.phone("3001"), p.phone("3002")
        call, ringing = talk(a, b)
        ok = [m for m in a.received() if m.status == 200 and m.cseq_method == "INVITE"][0]
        for name in INTERNAL + ("Av-Global-Session-ID",):
            assert ok.get(name) is None, ok.encode()
        assert len(ok.all("Via")) == 1 and ok.media == media(b.sdp())
        hang_up(call, ringing)


def the_trace_tells_the_same_story():
    with plane() as p:
        a, b = p.phone("3001"), p.phone("3002")
        call, ringing = talk(a, b)
        gsid = p.sm.items("/v1/calls")[0]["gsid"]
        hang_up(call, ringing)
        items = p.sm.items(f"/v1/trace?gsid={gsid}&limit=500")
        texts = [i["message"] for i in items]
        received = [t for i, t in zip(items, texts) if i["direction"] == "in" and t.startswith("INVITE ")]
        sent = [t for i, t in zip(items, texts) if i["direction"] == "out" and t.startswith("INVITE ")]
        assert len(sent) == 3 and len(received) in (3, 4), (len(sent), len(received))
        whole = "\n".join(texts)
        response = [m for m in p.wire.requests("INVITE", {call.call_id})
                    if m.get("Proxy-Authorization")][0].get("Proxy-Authorization")
        secret = param(response.replace(", ", ";"), "response")
        assert secret and secret not in whole, "the digest response is in the trace"


def a_caller_without_a_station_goes_straight_to_the_callees_half():
    with plane() as p:
        a, b = p.phone("3009"), p.phone("3002")
        call, ringing = talk(a, b)
        seen = invites(p, call)
        phases = [param(r[0], "phase") if (r := routes(m)) else None for m in seen]
        assert phases == [None, "imsterm", "termdone", None], phases
        hang_up(call, ringing)


def two_users_without_stations_need_no_cm():
    with plane(servers=("sm",)) as p:
        a, b = p.phone("3009"), p.phone("3010", "tcp")
        call, ringing = talk(a, b)
        seen = invites(p, call)
        assert len(seen) == 2 and seen[0].call_id == seen[1].call_id
        assert len(seen[1].all("Record-Route")) == 2
        bye = b.send(ringing.in_dialog("BYE"))
        call.expect_bye()
        assert b.answer_of(bye).status == 200


def many_calls_one_after_another():
    with plane() as p:
        a, b = p.phone("3001"), p.phone("3002", "tcp")
        for _ in range(20):
            call, ringing = talk(a, b)
            hang_up(call, ringing)
        p.sm.wait_items("/v1/calls", 0)


if __name__ == "__main__":
    run([the_six_invites, the_six_invites_with_udp_phones, a_hundred_comes_within_200_ms,
         the_answer_comes_back_clean, the_trace_tells_the_same_story,
         a_caller_without_a_station_goes_straight_to_the_callees_half,
         two_users_without_stations_need_no_cm, many_calls_one_after_another])
