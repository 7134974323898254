#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
"""What sm does not let through: false names, phases from phones, unknown numbers, loops, garbage."""
from plane import CM, DOMAIN, plane
from sip_message import Message, uri_of
from sip_phone import Endpoint
from standalone import run


def metric(p, name):
    for line in p.sm.get("/metrics").decode().splitlines():
        if line.startswith(name + " "):
            return int(line.rsplit(" ", 1)[1])
    raise AssertionError(f"no metric {name}")


def a_call_in_another_name_is_forbidden():
    with plane() as p:
        a = p.phone("3001")
        msg = a.request("INVITE", f"sip:3002@{DOMAIN}", body=a.sdp(), from_uri=f"sip:3003@{DOMAIN}")
        sent, final = a.authenticated(msg)
        assert final.status == 403, final
        a.ack(sent, final)
        assert metric(p, "aura_sm_from_refused_total") == 1


def a_phase_from_a_phone_is_forbidden_and_counted():
    with plane() as p:
        a = p.phone("3001")
        p.phone("3002")
        for n, route in enumerate((f"<sip:{DOMAIN};lr;phase=origdone>",
                                   "<sip:127.0.0.1:5060;lr;phase=termdone;odi=t0-9999999999-33303031-"
                                   "00000000000000000000000000000000>",
                                   "<sip:127.0.0.1:5070;lr;phase=imsorig>",
                                   "<sip:127.0.0.1:5060;lr;odi=x>")):
            msg = a.request("INVITE", f"sip:3002@{DOMAIN}", body=a.sdp(), headers=[("Route", route)])
            sent, final = a.authenticated(msg)
            assert final.status == 403, (route, final)
            a.ack(sent, final)
            assert metric(p, "aura_sm_phase_refused_total") >= n + 1
        assert p.wire.requests("INVITE") and not [m for m in p.wire.requests("INVITE") if m.dest == CM]


def a_phase_inside_a_dialog_is_forbidden_and_counted():
    with plane() as p:
        a, b = p.phone("3009"), p.phone("3010")
        call = a.invite("3010")
        b.incoming().accept_and(call)
        # The cookie of the call's own Route is right, the token beside it made up.
        own = call.routes[0].replace(">", ";phase=origdone;odi=x>")
        for n, target in enumerate((f"<sip:127.0.0.1:{CM[1]};lr;phase=imsorig>", f"<sip:{b.addr[0]};lr>")):
            msg = a.request("INVITE", f"sip:3002@{DOMAIN}", call_id=call.call_id, cseq=50 + n,
                            to_tag="x", body=a.sdp(), headers=[("Route", own), ("Route", target)])
            a.send(msg)
            final = a.answer_of(msg)
            assert final.status == 403, final.encode()
            a.ack(msg, final)
            assert metric(p, "aura_sm_phase_refused_total") == n + 1
        assert not [m for m in p.wire.requests("INVITE") if m.dest == CM]


def a_phones_own_route_is_not_followed():
    with plane() as p:
        trap = Endpoint("udp")
        a, b = p.phone("3001"), p.phone("3002")
        call = a.invite("3002", headers=[("Route", "<sip:127.0.0.1:%d;lr>" % trap.addr[1])])
        b.incoming().accept_and(call)
        assert trap.received() == []
        trap.close()


def internal_headers_of_a_phone_are_stripped():
    with plane() as p:
        a, b = p.phone("3001"), p.phone("3002", "tcp")
        false = "11111111-4f61-11ea-bea2-005056b42b9e"
        call = a.invite("3002", headers=[
            ("P-Asserted-Identity", f"<sip:3003@{DOMAIN}>"), ("Av-Global-Session-ID", false),
            ("P-Location", 'SM;origlocname="X"'), ("Endpoint-View", "<sip:x>"),
            ("P-Preferred-Identity", f"<sip:3003@{DOMAIN}>"), ("P-Charging-Vector", "icid-value=x")])
        ringing = b.incoming()
        to_cm = [m for m in p.wire.requests("INVITE") if m.dest == CM][0]
        assert to_cm.get("Av-Global-Session-ID") not in (None, false)
        assert to_cm.all("P-Asserted-Identity") == [f'"User 3001" <sip:3001@{DOMAIN}>'], to_cm.encode()
        for name in ("P-Location", "Endpoint-View", "P-Preferred-Identity"):
            assert to_cm.get(name) is None, name
        assert "icid-value=x" not in to_cm.get("P-Charging-Vector", "")
        assert ringing.invite.get("Av-Global-Session-ID") == to_cm.get("Av-Global-Session-ID")
        ringing.accept_and(call)


def unknown_numbers_are_404_absent_users_480():
    with plane() as p:
        a = p.phone("3001")
        p.phone("3009")
        a.invite("3999").expect(404)
        a.invite("3002").expect(480)
        a.invite("3010").expect(480)
        a.invite("x", uri="sip:3002@example.org").expect(404)
        plain = p.phone("3009")
        plain.invite("3999").expect(404)


def an_unknown_event_package_is_489():
    with plane(servers=("sm",)) as p:
        a = p.phone("3009")
        for method in ("SUBSCRIBE", "PUBLISH"):
            for event in ([("Event", "avaya-cm-cc-info")], [("Event", "presence.winfo")], [("Event", ";")], []):
                msg = a.send(a.request(method, a.aor, headers=[*event, ("Expires", "600")]))
                final = a.answer_of(msg)
                assert final.status in ((400, 489) if event == [("Event", ";")] else (489,)), (event, final)
                if final.status == 489:
                    assert final.get("Allow-Events") == "reg, dialog, message-summary, presence", final.encode()


def too_many_hops_are_483_and_loops_end():
    with plane(servers=("sm",)) as p:
        a = p.phone("3009")
        msg = a.request("INVITE", f"sip:3010@{DOMAIN}", body=a.sdp()).replace("Max-Forwards", "0")
        a.send(msg)
        final = a.answer_of(msg)
        assert final.status == 483, final
        a.ack(msg, final)
        # A contact that points back at sm: nobody goes round and round.
        assert a.register(expires=0).status == 200
        assert a.register(contact="<sip:3009@127.0.0.1:5060>").status == 200
        b = p.phone("3010")
        call = b.invite("3009")
        call.expect(482, 407)
        assert len(p.wire.requests("INVITE", {call.call_id})) < 6


def a_request_that_sm_has_forwarded_before_is_482():
    with plane(servers=("sm",)) as p:
        a, b = p.phone("3009"), p.phone("3010")
        call = a.invite("3010")
        ringing = b.incoming()
        again = Message(call.invite.start, ringing.invite.headers, ringing.invite.body)
        again.drop("Record-Route").add("Proxy-Authorization", call.invite.get("Proxy-Authorization"))
        again.headers.insert(0, ("Via", b.via()))
        b.send(again)
        assert b.answer_of(again).status == 482
        assert metric(p, "aura_sm_loops_total") == 1
        ringing.refuse(486, "Busy Here")
        call.expect(486)


def options_and_keep_alives_are_answered():
    with plane(servers=("sm",)) as p:
        for transport in ("udp", "tcp"):
            a = p.phone("3009", transport, register=False)
            msg = a.send(a.request("OPTIONS", f"sip:{DOMAIN}"))
            final = a.answer_of(msg)
            assert final.status == 200 and "INVITE" in final.get("Allow"), final.encode()
        tcp = Endpoint("tcp")
        tcp.sock.settimeout(2)
        tcp.closed = True  # read by hand
        tcp.send_raw(b"\r\n\r\n")
        msg = a.send(a.request("OPTIONS", f"sip:{DOMAIN}"))
        assert a.answer_of(msg).status == 200
        tcp.close()


def garbage_is_survived():
    with plane(servers=("sm",)) as p:
        raw = Endpoint("udp")
        for data in (b"\x00" * 100, b"INVITE", b"INVITE sip:x SIP/2.0\r\n\r\n",
                     b"REGISTER sip:aurabox.internal SIP/2.0\r\nVia: SIP/2.0/UDP 1;branch=z9hG4bKx\r\n"
                     b"Contact: <<<<\r\n\r\n", b"SIP/2.0 200 OK\r\nVia: x\r\n\r\n", b"A" * 60000,
                     b"INVITE sip:3010@aurabox.internal SIP/2.0\r\n" + b"Route: <sip:127.0.0.1;lr>\r\n" * 250
                     + b"\r\n"):
            raw.send_raw(data)
        tcp = Endpoint("tcp")
        tcp.send_raw(b"\x16\x03\x01" + b"A" * 70000 if False else b"GET / HTTP/1.1\r\n\r\n")
        a = p.phone("3009")
        assert a.register().status == 200
        raw.close()
        tcp.close()


def a_bye_out_of_nowhere_is_481():
    with plane(servers=("sm",)) as p:
        a, b = p.phone("3009"), p.phone("3010")
        msg = a.send(a.request("BYE", uri_of(b.contact), to=f"sip:3010@{DOMAIN}", to_tag="x",
                               headers=[("Route", "<sip:127.0.0.1:5060;lr;d=0123456789abcdef>")]))
        assert a.answer_of(msg).status == 481
        b.never(lambda m: m.is_request, 0.3)


if __name__ == "__main__":
    run([a_call_in_another_name_is_forbidden, a_phase_from_a_phone_is_forbidden_and_counted,
         a_phase_inside_a_dialog_is_forbidden_and_counted,
         a_phones_own_route_is_not_followed, internal_headers_of_a_phone_are_stripped,
         unknown_numbers_are_404_absent_users_480, an_unknown_event_package_is_489,
         too_many_hops_are_483_and_loops_end,
         a_request_that_sm_has_forwarded_before_is_482, options_and_keep_alives_are_answered,
         garbage_is_survived, a_bye_out_of_nowhere_is_481])
