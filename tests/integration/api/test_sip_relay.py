#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
"""wss://HOST:8443/sip: a browser's phone over the appliance's own port, relayed to a real sm."""
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "calls"))
from daemon import Caller, equal, run, wait_for  # noqa: E402
from plane import DOMAIN, document, password  # noqa: E402
from standalone import Server  # noqa: E402
from sip_phone import Phone  # noqa: E402
from ws_client import Refused, WsClient  # noqa: E402
from ws_phone import WsPhone  # noqa: E402


def openssl(*args):
    subprocess.run(("openssl",) + args, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def certificate(d, folder):
    """Of sm, by the box's own CA, as the guest would get it."""
    pki, base = d.dir + "/var/lib/aurabox/pki", folder + "/sm"
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=sm",
            "-keyout", base + ".key", "-out", base + ".csr")
    with open(base + ".ext", "w", encoding="ascii") as f:
        f.write("subjectAltName=IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", base + ".csr", "-CA", pki + "/ca.pem", "-CAkey", pki + "/ca-key.pem",
            "-set_serial", "78", "-days", "1", "-extfile", base + ".ext", "-out", base + ".pem")
    return [f"tls.cert={base}.pem", f"tls.key={base}.key", f"tls.ca={pki}/ca.pem"]


def browser(d, user, register=True, **kw):
    phone = WsPhone(user, password(user), host="127.0.0.1", port=d.port, context=d.tls, name="127.0.0.1", **kw)
    if register:
        answer = phone.register()
        assert answer.status == 200, answer
    return phone


def refusal(d, **kw):
    try:
        WsClient("127.0.0.1", d.port, context=d.tls, name="127.0.0.1", **kw).close()
    except Refused as refused:
        return refused
    raise AssertionError(f"taken: {kw}")


def without_sm_it_is_unavailable(d):
    assert refusal(d).status == 503
    assert "http.relay_failed" in d.log()


def who_asks_wrongly_is_refused(d):
    equal(d.nobody.get("/sip").code, "bad_request")
    equal(refusal(d, protocol=None).status, 400)
    origin = refusal(d, origin="https://evil.example")
    assert origin.status == 403 and "HTTP/1.1 403" in origin.args[0], origin
    equal(refusal(d, origin="http://127.0.0.1:%d" % d.port).status, 403)


def browsers_call_a_phone(d):
    with tempfile.TemporaryDirectory() as folder:
        with Server("aura-sm", document(), "127.0.0.1:5060", certificate(d, folder)) as sm:
            a = browser(d, "3009", origin=f"https://127.0.0.1:{d.port}")
            b = Phone("3010", password("3010"), domain=DOMAIN, transport="udp")
            assert b.register().status == 200
            items = {i["handle"]: i for i in sm.items("/v1/registrations")}
            equal(items["3009"]["transport"], "wss")
            equal(items["3009"]["source"], "%s:%d" % a.addr)  # the browser, as the relay says
            for caller, callee in ((a, b), (b, a)):
                call = caller.invite(callee.user)
                ringing = callee.incoming()
                ringing.ring()
                call.expect(180)
                ringing.accept_and(call)
                bye = caller.send(call.in_dialog("BYE"))
                ringing.expect_bye()
                equal(caller.answer_of(bye).status, 200)
            # A long message and many at once come through whole.
            msg = a.request("OPTIONS", f"sip:{DOMAIN}", headers=[("X-Long", "x" * 40000)])
            a.send(msg)
            equal(a.answer_of(msg).status, 200)
            for n in range(200):
                a.send(a.request("OPTIONS", f"sip:{DOMAIN}", call_id=f"many-{n}"))
            wait_for(lambda: len(a.received(lambda m: (m.call_id or "").startswith("many-"))) == 200)
            a.close()
            sm.wait_items("/v1/registrations", 1)
            b.close()
            # When sm goes, so do its browsers.
            c = browser(d, "3009")
        wait_for(lambda: c.closed, what="the end of the relay")


def the_api_has_room_beside_browsers(d):
    with tempfile.TemporaryDirectory() as folder:
        with Server("aura-sm", document(), "127.0.0.1:5060", certificate(d, folder)):
            many = [WsClient("127.0.0.1", d.port, context=d.tls, name="127.0.0.1") for _ in range(60)]
            began = time.monotonic()
            equal(Caller(d).call("GET", "/healthz").status in (200, 503), True)
            assert time.monotonic() - began < 2
            for one in many:
                one.close()


if __name__ == "__main__":
    run([without_sm_it_is_unavailable, who_asks_wrongly_is_refused, browsers_call_a_phone,
         the_api_has_room_beside_browsers], uc__sm_websocket="127.0.0.1:5443")
