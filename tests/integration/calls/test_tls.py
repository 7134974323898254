#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
"""TLS with certificates between the servers, as in the guests: who one is stands in the certificate."""
import contextlib
import os
import signal
import socket
import ssl
import subprocess
import tempfile
import time

from plane import CM, PRESENCE, SM, Plane, document, hang_up, ring, talk
from sip_message import Message, param, uri_of
from sip_phone import Timeout
from standalone import Server, run

TLS_CM = (CM[0], CM[1] + 1)


def make_ca(folder):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=Aurabox test CA", "-keyout", folder + "/ca.key", "-out", folder + "/ca.pem")


def openssl(*args):
    subprocess.run(("openssl",) + args, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def make_certificate(folder, name):
    base = f"{folder}/{name}"
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
            "-keyout", base + ".key", "-out", base + ".csr")
    with open(base + ".ext", "w", encoding="ascii") as f:
        f.write(f"subjectAltName=DNS:{name}.aurabox.internal,IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", base + ".csr", "-CA", folder + "/ca.pem", "-CAkey", folder + "/ca.key",
            "-CAcreateserial", "-days", "2", "-extfile", base + ".ext", "-out", base + ".pem")
    return [f"tls.cert={base}.pem", f"tls.key={base}.key", f"tls.ca={folder}/ca.pem"]


class TlsPlane(Plane):
    """The same servers, linked by TLS alone; phones stay on UDP and TCP."""

    def __init__(self, folder):  # pylint: disable=super-init-not-called
        from wire import Wire
        self.config = document("tls")
        for entity in self.config["sip_entities"]:
            entity["port"] += 1  # TLS is served one port above
        self.wire, self.phones = Wire("lo"), []
        self.sm = self.cm = self.presence = None
        try:
            self.cm = Server("aura-cm", self.config, "%s:%d" % CM, make_certificate(folder, "cm"))
            self.presence = Server("aura-presence", self.config, "%s:%d" % PRESENCE,
                                   make_certificate(folder, "presence"))
            self.sm = Server("aura-sm", self.config, "%s:%d" % SM, make_certificate(folder, "sm"))
            self.wait_link("cm", "up")
            self.wait_link("presence", "up")
        except BaseException:
            self.close()
            raise


@contextlib.contextmanager
def tls_plane():
    with tempfile.TemporaryDirectory() as folder:
        make_ca(folder)
        p = TlsPlane(folder)
        p.folder = folder
        try:
            yield p
        except BaseException:
            p.show()
            with contextlib.suppress(Exception):
                p.close()
            raise
        p.close()


def calls_work_and_nothing_internal_is_seen_in_clear():
    with tls_plane() as p:
        a, b = p.phone("3001"), p.phone("3002", "tcp")
        for _ in range(3):
            call, ringing = talk(a, b)
            hang_up(call, ringing)
        assert not [m for m in p.wire.messages if CM in (m.source, m.dest) or TLS_CM in (m.source, m.dest)]
        assert ringing.invite.get("Av-Global-Session-ID")
        items = p.sm.items("/v1/trace?limit=500")
        tls = [i for i in items if i["transport"] == "tls" and i["message"].startswith("INVITE ")]
        assert len(tls) == 12, len(tls)


def a_phone_over_tls_without_a_certificate_is_a_phone():
    with tls_plane() as p:
        b = p.phone("3002")
        context = ssl.create_default_context(cafile=p.folder + "/ca.pem")
        with socket.create_connection(("127.0.0.1", 5061)) as raw, \
                context.wrap_socket(raw, server_hostname="127.0.0.1") as tls:
            text = ("INVITE sip:3002@aurabox.internal SIP/2.0\r\n"
                    "Via: SIP/2.0/TLS 127.0.0.1:9;branch=z9hG4bKt1\r\nMax-Forwards: 70\r\n"
                    "From: <sip:3001@aurabox.internal>;tag=1\r\nTo: <sip:3002@aurabox.internal>\r\n"
                    "Call-ID: tls-1\r\nCSeq: 1 INVITE\r\nContact: <sip:3001@127.0.0.1:9;transport=tls>\r\n"
                    "%sContent-Length: 0\r\n\r\n")
            tls.sendall((text % "").encode())
            assert Message.parse(tls.recv(65535)).status == 407
            tls.sendall((text % "Route: <sip:127.0.0.1:5061;transport=tls;lr;phase=origdone;odi=x>\r\n")
                        .replace("tls-1", "tls-2").replace("t1", "t2").encode())
            assert Message.parse(tls.recv(65535)).status == 403
        b.never(lambda m: m.is_request, 0.2)


def a_token_without_the_certificate_opens_nothing():
    """A true odi, sent by somebody on plain TCP while links are TLS: 403."""
    with tls_plane() as p:
        a, b = p.phone("3001"), p.phone("3002", "tcp")
        call = a.invite("3002")
        ringing = b.incoming()
        invite = [i["message"] for i in p.sm.items("/v1/trace?limit=500")
                  if i["direction"] == "out" and "phase=imsorig" in i["message"]][0]
        to_cm = Message.parse(invite.encode())
        route = [r for r in to_cm.all("Route") if "origdone" in r][0]
        assert param(uri_of(route), "odi")
        msg = b.request("INVITE", "sip:3002@aurabox.internal", body=b.sdp(),
                        headers=[("Route", route), ("Av-Global-Session-ID", to_cm.get("Av-Global-Session-ID"))])
        b.send(msg)
        final = b.answer_of(msg)
        assert final.status == 403, final
        b.ack(msg, final)
        ringing.accept_and(call)
        hang_up(call, ringing)


def a_stranger_with_a_certificate_of_another_ca_is_a_phone_and_no_link():
    """Phones come with a certificate of their maker, wanted or not; one that names itself cm is not cm."""
    with tls_plane() as p, tempfile.TemporaryDirectory() as other:
        b = p.phone("3002")
        make_ca(other)
        make_certificate(other, "cm")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(p.folder + "/ca.pem")
        context.load_cert_chain(other + "/cm.pem", other + "/cm.key")
        text = ("INVITE sip:3002@aurabox.internal SIP/2.0\r\n"
                "Via: SIP/2.0/TLS 127.0.0.1:9;branch=z9hG4bK%s\r\nMax-Forwards: 70\r\n"
                "From: <sip:3001@aurabox.internal>;tag=1\r\nTo: <sip:3002@aurabox.internal>\r\n"
                "Call-ID: %s\r\nCSeq: 1 INVITE\r\nContact: <sip:3001@127.0.0.1:9;transport=tls>\r\n"
                "%sContent-Length: 0\r\n\r\n")
        with socket.create_connection(("127.0.0.1", 5061)) as raw, \
                context.wrap_socket(raw, server_hostname="127.0.0.1") as tls:
            tls.settimeout(3)
            tls.sendall((text % ("s1", "s-1", "")).encode())
            assert Message.parse(tls.recv(65535)).status == 407
            tls.sendall((text % ("s2", "s-2", "Route: <sip:127.0.0.1:5061;transport=tls;lr;phase=origdone;odi=x>\r\n"
                                 "P-Asserted-Identity: <sip:3001@aurabox.internal>\r\n")).encode())
            assert Message.parse(tls.recv(65535)).status == 403
        b.never(lambda m: m.is_request, 0.2)


def a_killed_cm_is_noticed_over_tls_too():
    with tls_plane() as p:
        a, b = p.phone("3001"), p.phone("3002")
        call, ringing = ring(a, b)
        killed = time.monotonic()
        p.cm.stop(signal.SIGKILL)
        assert call.expect(500, timeout=3).at - killed < 2.0
        try:
            ringing.expect_cancel()
        except Timeout as e:
            raise AssertionError("the phone went on ringing") from e
        p.cm.start()
        p.wait_link("cm", "up")
        call, ringing = talk(a, b)
        hang_up(call, ringing)
        assert os.path.exists(p.folder)


if __name__ == "__main__":
    run([calls_work_and_nothing_internal_is_seen_in_clear,
         a_phone_over_tls_without_a_certificate_is_a_phone, a_token_without_the_certificate_opens_nothing,
         a_stranger_with_a_certificate_of_another_ca_is_a_phone_and_no_link,
         a_killed_cm_is_noticed_over_tls_too])
