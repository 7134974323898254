#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 60
"""TLS between the servers: who the certificate names decides, no address and no header."""

import os
import select
import socket
import ssl
import subprocess
import tempfile
import time

import cm_bench
from cm_bench import ports, sip_peer, standalone
from sip_peer import Message, sdp


class Authority:
    """A throw-away CA and the certificates of this test."""

    def __init__(self, folder):
        self.folder = folder
        self.ca = self.path("ca.pem")
        self.run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                 "2", "-subj", "/CN=test CA", "-keyout", self.path("ca.key"), "-out", self.ca)

    def path(self, name):
        return os.path.join(self.folder, name)

    @staticmethod
    def run(*argv):
        subprocess.run(["openssl", *argv], check=True, capture_output=True)

    def issue(self, name, ca=None):
        """(certificate, key) of that name, good for 127.0.0.1."""
        key, request, cert, ext = (self.path(name + suffix) for suffix in (".key", ".csr", ".pem", ".ext"))
        with open(ext, "w", encoding="ascii") as f:
            f.write("subjectAltName=IP:127.0.0.1,DNS:%s.aurabox.internal\n" % name)
        self.run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                 "/CN=" + name, "-keyout", key, "-out", request)
        self.run("x509", "-req", "-in", request, "-CA", ca or self.ca, "-CAkey", self.path("ca.key"),
                 "-CAcreateserial", "-days", "2", "-extfile", ext, "-out", cert)
        return cert, key


class TlsPeer(sip_peer.Peer):
    """A peer that speaks TLS: it listens, and connects to the server under test."""

    def __init__(self, authority, name, server_port):
        cert, key = authority.issue(name)
        self.accepting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.calling = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        for context in (self.accepting, self.calling):
            context.load_cert_chain(cert, key)
            context.load_verify_locations(authority.ca)
            context.verify_mode = ssl.CERT_REQUIRED
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.host, self.port = self.listener.getsockname()
        self.server_port = server_port
        self.peer = None
        self.links, self.buffers = [], {}
        self.kept, self.log = [], []

    def connect(self):
        raw = socket.create_connection(("127.0.0.1", self.server_port), 5)
        link = self.calling.wrap_socket(raw, server_hostname="127.0.0.1")
        self.add(link)
        return link

    def add(self, link):
        link.settimeout(5)
        self.links.append(link)
        self.buffers[link] = b""

    def via(self):
        return "SIP/2.0/TLS %s;branch=%s;rport" % (self.hostport, sip_peer.token("z9hG4bK"))

    def send(self, message, to=None):
        self.log.append((time.monotonic(), ">", message))
        (to or self.links[0]).sendall(message.encode())
        return message

    def framed(self, link):
        head, gap, rest = self.buffers[link].partition(b"\r\n\r\n")
        if not gap:
            return None
        length = int(Message.parse(head + gap).get("Content-Length") or 0)
        if len(rest) < length:
            return None
        self.buffers[link] = rest[length:]
        return Message.parse(head + gap + rest[:length], link)

    def receive(self, timeout=2.0):
        end = time.monotonic() + timeout
        while True:
            for link in self.links:
                message = self.framed(link)
                if message:
                    self.log.append((time.monotonic(), "<", message))
                    return message
            left = end - time.monotonic()
            ready = select.select([self.listener, *self.links], [], [], max(left, 0))[0] if left > 0 else []
            if not ready:
                return None
            for sock in ready:
                if sock is self.listener:
                    self.add(self.accepting.wrap_socket(self.listener.accept()[0], server_side=True))
                    continue
                data = sock.recv(65536)
                if data:
                    self.buffers[sock] += data
                else:
                    self.links.remove(sock)

    def close(self):
        for sock in [self.listener, *self.links]:
            sock.close()


class TlsBench(cm_bench.Bench):
    def invite(self, *args, **kw):
        """As over UDP, with secure Route and Via."""
        request, self.sm.request = self.sm.request, self.secure
        self.plain = request
        try:
            return super().invite(*args, **kw)
        finally:
            self.sm.request = request

    def secure(self, method, uri, headers, body=b"", to=None, content_type="application/sdp"):
        lines = []
        for name, value in headers:
            if name in ("Route", "Record-Route"):
                value = value.replace(";lr", ";transport=tls;lr")
            if name == "Via" and self.sm.hostport in value:
                value = value.replace("/UDP", "/TLS")
            if name == "Contact":
                value = value.replace(">", ";transport=tls>")
            lines.append((name, value))
        return self.plain(method, uri, lines, body, None, content_type)


def with_tls(test):
    def wrapped():
        with tempfile.TemporaryDirectory(prefix="aura-") as folder:
            authority = Authority(folder)
            cert, key = authority.issue("cm")
            port = ports.free_port()
            settings = ["tls.cert=" + cert, "tls.key=" + key, "tls.ca=" + authority.ca]
            with standalone.Server("aura-cm", cm_bench.config(1, port), "127.0.0.1:%d" % port,
                                   settings) as server:
                test(authority, server, port + 1)
    wrapped.__name__ = test.__name__
    return wrapped


def bench_of(authority, server, port, name):
    peer = TlsPeer(authority, name, port)
    peer.connect()
    b = TlsBench(server, peer, port)
    b.cm = None
    return b


@with_tls
def a_call_between_certificates(authority, server, port):
    b = bench_of(authority, server, port, "sm")
    up = b.invite()
    down = b.downstream(up, 5)
    assert down.source is not b.sm.links[0], "cm connects by itself to where the Route says"
    assert "/TLS" in down.get("Via") and "transport=tls" in down.get("Contact"), down
    b.sm.answer(down, 200, "OK", "callee", body=sdp(port=5000), contact=False,
                headers=[("Contact", "<sip:3002@%s;transport=tls>" % b.sm.hostport)])
    answer = b.sm.expect((200, "INVITE"))
    b.ack(up, answer)
    b.sm.expect("ACK")
    assert server.items("/v1/calls")[0]["state"] == "talking"
    b.in_dialog("BYE", up, answer, 8)
    b.sm.expect((200, "BYE"))
    b.sm.answer(b.sm.expect("BYE"), 200, "OK")
    b.sm.close()


@with_tls
def another_servers_certificate_is_not_sms(authority, server, port):
    for name in ("presence", "auraboxd", "smx"):
        b = bench_of(authority, server, port, name)
        up = b.invite()
        b.sm.ack_failure(up, b.sm.expect((403, "INVITE")))
        b.sm.close()
    assert server.items("/v1/calls") == []


@with_tls
def who_has_no_certificate_of_the_box_does_not_get_in(authority, server, port):
    with tempfile.TemporaryDirectory(prefix="aura-") as folder:
        foreign = Authority(folder)
        peer = TlsPeer(foreign, "sm", port)
        peer.calling.check_hostname = False
        peer.calling.verify_mode = ssl.CERT_NONE
        try:
            link = peer.connect()
            link.sendall(b"OPTIONS sip:cm SIP/2.0\r\n\r\n")
            got = link.recv(100)
        except (ssl.SSLError, ConnectionError):
            got = b""
        assert got == b"", got
        peer.close()
    # the door still works for who belongs to the box
    b = bench_of(authority, server, port, "sm")
    up = b.invite(dialled="3777")
    b.sm.ack_failure(up, b.sm.expect((404, "INVITE")))
    b.sm.close()


if __name__ == "__main__":
    standalone.run([a_call_between_certificates, another_servers_certificate_is_not_sms,
                    who_has_no_certificate_of_the_box_does_not_get_in])
