#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
"""SIP over WebSocket (RFC 7118) at sm: browsers as phones, and what a hostile one may try."""
import contextlib
import ssl
import tempfile
import time

from plane import DOMAIN, hang_up, password, plane, talk
from sip_message import uri_of
from standalone import run
from test_tls import make_ca, make_certificate
from ws_client import BINARY, PING, PONG, TEXT, Refused, WsClient
from ws_phone import WsPhone

WS = ["sip.wss_listen=127.0.0.1:5443"]


def browser(p, user, register=True, **kw):
    phone = WsPhone(user, password(user), domain=DOMAIN, **kw)
    p.phones.append(phone)
    if register:
        answer = phone.register()
        assert answer.status == 200, answer
    return phone


def a_browser_registers_and_vanishes():
    with plane(servers=("sm",), settings=WS) as p:
        phone = browser(p, "3001")
        item, = p.sm.items("/v1/registrations")
        assert item["transport"] == "ws" and item["contact"] in phone.contact, item
        assert item["source"] == "%s:%d" % phone.addr, item
        phone.close()
        p.sm.wait_items("/v1/registrations", 0)


def browsers_and_phones_call_each_other():
    with plane(settings=WS) as p:
        a, b, phone = browser(p, "3001"), browser(p, "3002"), p.phone("3003")
        for caller, callee in ((a, b), (a, phone), (phone, a)):
            call, ringing = talk(caller, callee)
            if isinstance(caller, WsPhone):
                assert "transport=ws" in call.routes[0], call.routes
                assert uri_of(call.invite.get("Contact")).endswith("transport=ws")
            hang_up(call, ringing)
        call, ringing = talk(phone, b)
        bye = b.send(ringing.in_dialog("BYE"))  # the way back, over two listen points
        call.expect_bye()
        assert b.answer_of(bye).status == 200


def what_is_no_handshake_for_sip_is_refused():
    with plane(servers=("sm",), settings=WS) as p:
        for kw, status in (({"protocol": None}, 400), ({"protocol": "xmpp"}, 400), ({"version": "8"}, 426),
                           ({"key": "short"}, 400), ({"headers": [("Host", "again")]}, 400),
                           ({"headers": [("X", "y" * 9000)]}, 400)):
            try:
                WsClient("127.0.0.1", 5443, **kw).close()
                raise AssertionError(f"taken: {kw}")
            except Refused as e:
                assert e.status == status, (kw, e)
        WsClient("127.0.0.1", 5443, protocol="xmpp, sip").close()
        assert browser(p, "3001")


def frames_come_in_every_shape():
    with plane(servers=("sm",), settings=WS) as p:
        phone = browser(p, "3001", register=False)
        ws = phone.ws
        options = phone.request("OPTIONS", f"sip:{DOMAIN}").encode()
        # One message in four fragments with a ping between them, each frame byte by byte.
        parts = [options[i:i + 1 + len(options) // 4] for i in range(0, len(options), 1 + len(options) // 4)]
        for i, part in enumerate(parts):
            ws.frame(TEXT if i == 0 else 0, part, fin=i == len(parts) - 1)
            ws.frame(PING, b"in between")
        phone.expect(lambda m: m.status == 200, what="an answer to fragments")
        ws.send(phone.request("OPTIONS", f"sip:{DOMAIN}").encode(), BINARY)
        phone.expect(lambda m: m.status == 200, what="an answer to a binary message")
        raw = WsClient("127.0.0.1", 5443)
        raw.send(b"\r\n\r\n")
        assert raw.message() == b"\r\n"
        raw.frame(PING, b"hello")
        assert raw.frame_in() == (PONG, b"hello")
        raw.close()


def broken_frames_end_one_connection_only():
    with plane(servers=("sm",), settings=WS) as p:
        good = browser(p, "3001")
        for breaks, status in ((lambda w: w.frame(TEXT, b"unmasked", masked=False), 1002),
                               (lambda w: w.frame(3, b"reserved"), 1002),
                               (lambda w: w.frame(0, b"goes on without a beginning"), 1002),
                               (lambda w: w.send(b"\xff\xfe"), 1007),
                               (lambda w: w.send(b"GET / HTTP/1.1\r\n\r\n"), 1002),
                               (lambda w: w.send(b"x" * 70000), 1009)):
            ws = WsClient("127.0.0.1", 5443)
            with contextlib.suppress(OSError):
                breaks(ws)
            assert ws.message() is None
            assert ws.closed_with == status, (ws.closed_with, status)
            ws.close()
        assert good.register().status == 200


def over_tls_the_relay_says_where_the_browser_is():
    with tempfile.TemporaryDirectory() as folder:
        make_ca(folder)
        settings = make_certificate(folder, "sm")
        for name in ("auraboxd", "mallory"):
            make_certificate(folder, name)
        with plane(servers=("sm",), settings=settings) as p:
            for name, source in (("auraboxd", "[2001:db8::7]:4711"), ("mallory", None), (None, None)):
                context = ssl.create_default_context(cafile=folder + "/ca.pem")
                if name:
                    context.load_cert_chain(f"{folder}/{name}.pem", f"{folder}/{name}.key")
                phone = browser(p, "3001", context=context, name="sm.aurabox.internal",
                                headers=[("Forwarded", 'for="[2001:db8::7]:4711"')])
                item, = p.sm.items("/v1/registrations")
                assert item["transport"] == "wss", item
                assert item["source"] == (source or "%s:%d" % phone.addr), item
                phone.close()
                p.sm.wait_items("/v1/registrations", 0)


def a_browser_is_no_entity():
    """On loopback links are known by address; a WebSocket from there is a phone all the same."""
    with plane(settings=WS) as p:
        phone = browser(p, "3001")
        msg = phone.request("INVITE", f"sip:3002@{DOMAIN}", body=phone.sdp(),
                            headers=[("P-Asserted-Identity", "<sip:3009@aurabox.internal>")])
        phone.send(msg)
        assert phone.answer_of(msg).status == 407
        time.sleep(0.05)
        assert p.links()["cm"] == "up"


if __name__ == "__main__":
    run([a_browser_registers_and_vanishes, browsers_and_phones_call_each_other,
         what_is_no_handshake_for_sip_is_refused, frames_come_in_every_shape,
         broken_frames_end_one_connection_only, over_tls_the_relay_says_where_the_browser_is,
         a_browser_is_no_entity])
