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
import threading
import time

from dns_server import DnsServer
from plane import CM, PRESENCE, SM, Plane, document, hang_up, ring, talk
from sip_message import Message, param, uri_of
from sip_phone import Timeout, TlsSocket, content_length
from sip_trunk import Trunk
from standalone import Server, run

TLS_CM = (CM[0], CM[1] + 1)


def make_ca(folder):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=Aurabox test CA", "-keyout", folder + "/ca.key", "-out", folder + "/ca.pem")


def openssl(*args):
    subprocess.run(("openssl",) + args, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def make_certificate(folder, name, names=None):
    base = f"{folder}/{name}"
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
            "-keyout", base + ".key", "-out", base + ".csr")
    with open(base + ".ext", "w", encoding="ascii") as f:
        f.write("subjectAltName=" + (names or f"DNS:{name}.aurabox.internal,IP:127.0.0.1") + "\n")
    openssl("x509", "-req", "-in", base + ".csr", "-CA", folder + "/ca.pem", "-CAkey", folder + "/ca.key",
            "-CAcreateserial", "-days", "2", "-extfile", base + ".ext", "-out", base + ".pem")
    return [f"tls.cert={base}.pem", f"tls.key={base}.key", f"tls.ca={folder}/ca.pem"]


class TlsPlane(Plane):
    """The same servers, linked by TLS alone; phones stay on UDP and TCP."""

    def __init__(self, folder, settings=(), extra=None):  # pylint: disable=super-init-not-called
        from wire import Wire
        self.config = document("tls")
        for entity in self.config["sip_entities"]:
            entity["port"] += 1  # TLS is served one port above
        for name, value in (extra or {}).items():
            self.config[name] = self.config.get(name, []) + value
        self.wire, self.phones = Wire("lo"), []
        self.sm = self.cm = self.presence = None
        try:
            self.cm = Server("aura-cm", self.config, "%s:%d" % CM, make_certificate(folder, "cm"))
            self.presence = Server("aura-presence", self.config, "%s:%d" % PRESENCE,
                                   make_certificate(folder, "presence"))
            self.sm = Server("aura-sm", self.config, "%s:%d" % SM, make_certificate(folder, "sm") + list(settings))
            self.wait_link("cm", "up")
            self.wait_link("presence", "up")
        except BaseException:
            self.close()
            raise


@contextlib.contextmanager
def tls_plane(prepare=None, **kw):
    with tempfile.TemporaryDirectory() as folder:
        make_ca(folder)
        if prepare:
            prepare(folder)
        p = TlsPlane(folder, **kw)
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


def tls_phone(p, user, scheme="sips"):
    """A phone that has a TLS connection to sm and no certificate."""
    context = ssl.create_default_context(cafile=p.folder + "/ca.pem")
    return p.phone(user, "tls", sock=TlsSocket(("127.0.0.1", 5061), context), scheme=scheme)


def clear(p, phone):
    """What sm sent in clear to where that phone is."""
    p.wire.settle()
    return [m for m in p.wire.messages if m.dest == phone.addr and m.is_request and m.method != "OPTIONS"]


def stays_on_tls(a, b):
    """A sips: call between the two, hung up by either end; every hop that a phone sees is TLS."""
    for hangs_up in (0, 1):
        call = a.invite(b.user, uri=f"sips:{b.user}@aurabox.internal")
        ringing = b.incoming()
        assert ringing.invite.uri == uri_of(b.contact), ringing.invite
        ringing.accept_and(call)
        # RFC 3261 section 16.6 item 4: the Record-Route of the phones' side is sips:, and names the TLS port
        for first in (call.routes[0], ringing.routes[0]):
            assert uri_of(first).startswith("sips:127.0.0.1:5061;"), first
        ends = (call, ringing)
        bye = ends[hangs_up].phone.send(ends[hangs_up].in_dialog("BYE"))
        came = ends[1 - hangs_up].expect_bye()
        assert came.get("Via").startswith("SIP/2.0/TLS "), came
        assert ends[hangs_up].phone.answer_of(bye).status == 200


def a_sips_call_is_tls_to_the_end():
    """RFC 5630 section 5.3, through cm (3001, 3002) and by sm alone (3009, 3010)."""
    with tls_plane() as p:
        for caller, callee in (("3001", "3002"), ("3009", "3010")):
            stays_on_tls(tls_phone(p, caller), tls_phone(p, callee))


def only_a_sips_contact_takes_a_sips_call():
    with tls_plane() as p:
        for caller, callee in (("3001", "3002"), ("3009", "3010")):
            a, plain = tls_phone(p, caller), p.phone(callee)
            uri = f"sips:{callee}@aurabox.internal"
            final = a.invite(callee, uri=uri).expect(480)
            assert final.get("Warning").startswith("380 "), final
            half = tls_phone(p, callee, "sip")  # over TLS, but it did not say that it wants no less
            a.invite(callee, uri=uri).expect(480)
            b = tls_phone(p, callee)
            call = a.invite(callee, uri=uri)
            ringing = b.incoming()
            ringing.accept_and(call)
            hang_up(call, ringing)
            assert not clear(p, plain)
            assert not half.received(lambda m: m.is_request)


def a_sip_call_reaches_a_sips_contact_over_tls():
    """RFC 5630 section 5.3: as sip:, and over TLS all the same."""
    with tls_plane() as p:
        for caller, callee in (("3001", "3002"), ("3009", "3010")):
            a, b = p.phone(caller), tls_phone(p, callee)
            call = a.invite(callee)
            ringing = b.incoming()
            assert ringing.invite.uri == uri_of(b.contact).replace("sips:", "sip:"), ringing.invite
            ringing.accept_and(call)
            hang_up(call, ringing)


def a_sips_request_in_clear_is_refused():
    with tls_plane() as p:
        b = tls_phone(p, "3010")
        for transport in ("udp", "tcp"):
            call = p.phone("3009", transport).invite("3010", uri="sips:3010@aurabox.internal")
            assert call.expect(480).get("Warning").startswith("380 ")
        b.never(lambda m: m.is_request, 0.2)


def cm_sends_a_sips_call_on_as_such():
    """A 302 with a sip: Contact does not take the promise back."""
    with tls_plane() as p:
        a, b, plain, c = tls_phone(p, "3001"), tls_phone(p, "3002"), p.phone("3003"), tls_phone(p, "3003")
        call = a.invite("3002", uri="sips:3002@aurabox.internal")
        ringing = b.incoming()
        b.reply(ringing.invite, 302, "Moved Temporarily", ringing.tag,
                headers=[("Contact", "<sip:3003@aurabox.internal>")])
        ringing.expect_ack()
        diverted = c.incoming()
        diverted.accept_and(call)
        hang_up(call, diverted)
        assert not clear(p, plain)


class TlsTrunk:
    """A trunk's far end over TLS: answers OPTIONS, refuses calls with 486; the server names that clients said."""

    def __init__(self, host):
        self.names, self.invites = [], []
        self.listener = socket.create_server((host, 5061))

    def start(self, folder, name):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{folder}/{name}.pem", f"{folder}/{name}.key")
        context.sni_callback = lambda sock, said, ctx: self.names.append(said)
        threading.Thread(target=self._accept, args=(context,), daemon=True).start()

    def _accept(self, context):
        with contextlib.suppress(OSError):
            while True:
                raw, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(context, raw), daemon=True).start()

    def _serve(self, context, raw):
        buf = b""
        with contextlib.suppress(OSError), context.wrap_socket(raw, server_side=True) as tls:
            while True:
                part = tls.recv(65535)
                if not part:
                    return
                buf += part
                while b"\r\n\r\n" in buf:
                    head, _, rest = buf.partition(b"\r\n\r\n")
                    length = content_length(head)
                    if len(rest) < length:
                        break
                    buf = rest[length:]
                    self._answer(tls, Message.parse(head + b"\r\n\r\n" + rest[:length]))

    def _answer(self, tls, request):
        if request.method == "ACK":
            return
        if request.method == "INVITE":
            self.invites.append(request)
        msg = Message("SIP/2.0 486 Busy Here" if request.method == "INVITE" else "SIP/2.0 200 OK")
        for via in request.all("Via"):
            msg.add("Via", via)
        msg.add("From", request.get("From"))
        msg.add("To", request.get("To") + ";tag=far")
        msg.add("Call-ID", request.call_id)
        msg.add("CSeq", request.get("CSeq"))
        tls.sendall(msg.encode())


def a_sips_call_takes_trunks_over_tls_alone_and_names_them():
    """A trunk in clear is passed over; one that is a host name is told which (RFC 6066 section 3), an address is not."""
    plain, named, numbered = Trunk("plain", ("127.0.0.33", 5060)), TlsTrunk("127.0.0.31"), TlsTrunk("127.0.0.32")

    def prepare(folder):
        make_certificate(folder, "named", "DNS:far.example.com")
        make_certificate(folder, "numbered", "IP:127.0.0.32")
        named.start(folder, "named")
        numbered.start(folder, "numbered")

    often = {"proactive_s": 1, "reactive_s": 1, "retries": 0}
    over_tls = {"type": "trunk", "port": 5061, "transport": "tls", "monitoring": often}
    extra = {"sip_entities": [plain.entity(), {"name": "named", "address": "far.example.com", **over_tls},
                              {"name": "numbered", "address": "127.0.0.32", **over_tls}],
             "routing_policies": [{"name": n, "entity": n} for n in ("plain", "named", "numbered")],
             "dial_patterns": [{"pattern": "+" + d, "min": 8, "max": 15, "policies": policies} for d, policies in
                               (("49", ["plain", "named"]), ("44", ["plain", "numbered"]), ("33", ["plain"]))]
             + [{"pattern": "112", "max": 3, "emergency": True, "policies": ["plain"]}]}
    dns = DnsServer({("far.example.com", "A"): ["127.0.0.31"]})
    with dns, tls_plane(prepare, settings=["dns.server=127.0.0.1@5353"], extra=extra) as p:
        for name in ("plain", "named", "numbered"):
            p.wait_link(name, "up", 8)
        for user in ("3001", "3009"):
            a = tls_phone(p, user)
            a.invite("+4930123456", uri="sips:+4930123456@aurabox.internal").expect(486)
            a.invite("+4430123456", uri="sips:+4430123456@aurabox.internal").expect(486)
            refused = a.invite("+3330123456", uri="sips:+3330123456@aurabox.internal").expect(480)
            assert refused.get("Warning").startswith("380 "), refused
            assert not plain.invites
            a.invite("+3330123456").expect(200)  # the same by sip: is his to decide
            a.invite("112", uri="sips:112@aurabox.internal").expect(200)  # help comes first
            assert plain.invites[-1].uri == "sip:112@aurabox.internal", plain.invites
            plain.invites.clear()
        for far in (named, numbered):
            assert len(far.invites) == 2 and all(m.uri.startswith("sips:+4") for m in far.invites), far.invites
        assert set(named.names) == {"far.example.com"} and set(numbered.names) == {None}, (named.names, numbered.names)
    for sock in (plain, named.listener, numbered.listener):
        sock.close()


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
         a_stranger_with_a_certificate_of_another_ca_is_a_phone_and_no_link, a_killed_cm_is_noticed_over_tls_too,
         a_sips_call_is_tls_to_the_end, only_a_sips_contact_takes_a_sips_call,
         a_sip_call_reaches_a_sips_contact_over_tls, a_sips_request_in_clear_is_refused, cm_sends_a_sips_call_on_as_such,
         a_sips_call_takes_trunks_over_tls_alone_and_names_them])
