# SPDX-License-Identifier: Apache-2.0
"""sip_peer - a scripted SIP element over UDP: says exactly what a test tells it, checks what it hears.

It knows no transactions and no dialogs on purpose: a test that plays the session manager on both
sides of a server writes each message itself, so that nothing of the code under test is repeated here.
"""

import random
import re
import select
import socket
import time

import one_origin

COMPACT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length",
           "c": "content-type", "k": "supported", "o": "event", "s": "subject", "e": "content-encoding",
           "u": "allow-events", "x": "session-expires"}


def token(prefix=""):
    """A fresh token for a branch, tag or Call-ID."""
    return prefix + "%016x" % random.getrandbits(64)


class Message:
    """One SIP message: start line, headers in order as (name, value), body as bytes."""

    def __init__(self, start, headers=None, body=b"", source=None):
        self.start = start
        self.headers = list(headers or [])
        self.body = body if isinstance(body, bytes) else body.encode()
        self.source = source

    @classmethod
    def parse(cls, data, source=None):
        head, _, body = data.partition(b"\r\n\r\n")
        lines = re.sub(r"\r\n[ \t]+", " ", head.decode("utf-8")).split("\r\n")
        headers = []
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers.append((name.strip(), value.strip()))
        return cls(lines[0], headers, body, source)

    @staticmethod
    def _key(name):
        name = name.lower()
        return COMPACT.get(name, name)

    def all(self, name):
        """Every value of a header, comma-separated ones apart where the header is a list of URIs."""
        key = self._key(name)
        out = []
        for have, value in self.headers:
            if self._key(have) != key:
                continue
            if key in ("via", "route", "record-route", "contact", "history-info"):
                out.extend(part.strip() for part in re.split(r",(?![^<]*>)(?![^\"]*\"(?:[^\"]*\"[^\"]*\")*[^\"]*$)",
                                                             value))
            else:
                out.append(value)
        return out

    def get(self, name, default=None):
        values = self.all(name)
        return values[0] if values else default

    @property
    def is_request(self):
        return not self.start.startswith("SIP/2.0 ")

    @property
    def method(self):
        return self.start.split(" ")[0] if self.is_request else self.cseq_method

    @property
    def uri(self):
        return self.start.split(" ")[1]

    @property
    def status(self):
        return 0 if self.is_request else int(self.start.split(" ")[1])

    @property
    def cseq(self):
        return int(self.get("CSeq").split()[0])

    @property
    def cseq_method(self):
        return self.get("CSeq").split()[1]

    @property
    def call_id(self):
        return self.get("Call-ID")

    def tag(self, name):
        found = re.search(r";\s*tag=([^;>\s]+)", self.get(name) or "")
        return found.group(1) if found else None

    def addr(self, name):
        """The URI inside a name-addr header."""
        value = self.get(name) or ""
        found = re.search(r"<([^>]*)>", value)
        return found.group(1) if found else value.split(";")[0].strip()

    def encode(self):
        headers = [(n, v) for n, v in self.headers if self._key(n) != "content-length"]
        headers.append(("Content-Length", str(len(self.body))))
        return (self.start + "\r\n" + "".join("%s: %s\r\n" % h for h in headers) + "\r\n").encode() + self.body

    @property
    def media(self):
        """The description but for its o= line, which is each dialog's own."""
        return one_origin.media(self.body)

    def __repr__(self):
        return self.encode().decode("utf-8", "replace")


class Peer:
    """One UDP socket with helpers to write requests and answers."""

    def __init__(self, host="127.0.0.1", port=0, peer=None):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((host, port))
        self.host, self.port = self.sock.getsockname()
        self.peer = peer
        self.kept = []
        self.log = []

    def close(self):
        self.sock.close()

    @property
    def hostport(self):
        return "%s:%d" % (self.host, self.port)

    def via(self):
        return "SIP/2.0/UDP %s;branch=%s;rport" % (self.hostport, token("z9hG4bK"))

    def send(self, message, to=None):
        self.log.append((time.monotonic(), ">", message))
        self.sock.sendto(message.encode(), to or self.peer)
        return message

    def receive(self, timeout=2.0):
        """The next message, or None when none came in time."""
        end = time.monotonic() + timeout
        while True:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.sock], [], [], left)[0]:
                return None
            data, source = self.sock.recvfrom(65536)
            if len(data.strip()) == 0:
                continue
            message = Message.parse(data, source)
            self.log.append((time.monotonic(), "<", message))
            return message

    def expect(self, what, timeout=2.0, where=None):
        """Wait for a request (method name) or an answer (status, or (status, method)); keep others for later."""
        def fits(message):
            if isinstance(what, str):
                ok = message.is_request and message.method == what
            elif isinstance(what, tuple):
                ok = message.status == what[0] and message.cseq_method == what[1]
            else:
                ok = message.status == what
            return ok and (where is None or where(message))

        for i, message in enumerate(self.kept):
            if fits(message):
                return self.kept.pop(i)
        end = time.monotonic() + timeout
        while True:
            left = end - time.monotonic()
            message = self.receive(left) if left > 0 else None
            if message is None:
                raise AssertionError("waited %.1f s for %r, have: %s" %
                                     (timeout, what, "; ".join(m.start for m in self.kept) or "nothing"))
            if fits(message):
                return message
            self.kept.append(message)

    def expect_nothing(self, what, timeout=0.5):
        """Prove that a message does not come."""
        try:
            message = self.expect(what, timeout)
        except AssertionError:
            return
        raise AssertionError("did not expect: %s" % message.start)

    def request(self, method, uri, headers, body=b"", to=None, content_type="application/sdp"):
        """Send a request; headers must hold From, To, Call-ID and CSeq. Via and Max-Forwards are made."""
        have = {Message._key(n) for n, _ in headers}
        lines = []
        if "via" not in have:
            lines.append(("Via", self.via()))
        if "max-forwards" not in have:
            lines.append(("Max-Forwards", "70"))
        lines += headers
        if body and "content-type" not in have:
            lines.append(("Content-Type", content_type))
        return self.send(Message("%s %s SIP/2.0" % (method, uri), lines, body), to)

    def answer(self, request, status, reason="X", to_tag=None, headers=(), body=b"", contact=True, copy=()):
        """Answer a request: Via, From, To, Call-ID, CSeq and Record-Route are copied from it."""
        lines = [(n, v) for n, v in request.headers if Message._key(n) in ("via", "from", "call-id", "cseq")]
        to = request.get("To")
        if to_tag and ";tag=" not in to:
            to += ";tag=" + to_tag
        lines.append(("To", to))
        if status < 300:
            lines += [(n, v) for n, v in request.headers if Message._key(n) == "record-route"]
        lines += [(n, v) for n, v in request.headers if Message._key(n) in copy]
        if contact and 100 < status < 300 and request.method in ("INVITE", "UPDATE", "SUBSCRIBE"):
            lines.append(("Contact", "<sip:peer@%s>" % self.hostport))
        lines += list(headers)
        if body:
            lines.append(("Content-Type", "application/sdp"))
        return self.send(Message("SIP/2.0 %d %s" % (status, reason), lines, body), request.source)

    def ack_failure(self, request, response, to=None):
        """The ACK of a final answer that is no 2xx: same branch, RFC 3261 section 17.1.1.3."""
        lines = [("Via", request.get("Via")), ("From", request.get("From")), ("To", response.get("To")),
                 ("Call-ID", request.call_id), ("CSeq", "%d ACK" % request.cseq), ("Max-Forwards", "70")]
        lines += [(n, v) for n, v in request.headers if Message._key(n) == "route"]
        return self.send(Message("ACK %s SIP/2.0" % request.uri, lines), to)

    def cancel(self, request, to=None):
        lines = [("Via", request.get("Via")), ("From", request.get("From")), ("To", request.get("To")),
                 ("Call-ID", request.call_id), ("CSeq", "%d CANCEL" % request.cseq), ("Max-Forwards", "70")]
        lines += [(n, v) for n, v in request.headers if Message._key(n) == "route"]
        return self.send(Message("CANCEL %s SIP/2.0" % request.uri, lines), to)


def sdp(host="127.0.0.1", port=4000, direction="sendrecv", version=1):
    """A small audio description."""
    return ("v=0\r\no=- 1 %d IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio %d RTP/AVP 0\r\na=%s\r\n" %
            (version, host, host, port, direction)).encode()
