# SPDX-License-Identifier: Apache-2.0
"""A small scripted SIP endpoint over UDP, TCP or TLS: it does what a test says, nothing by itself."""
import contextlib
import itertools
import re
import select
import socket
import ssl
import threading
import time
import uuid

from sip_message import Message, credentials, host_port, uri_of

SDP = ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
       "m=audio %d RTP/AVP 0 8\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv\r\n")


def content_length(head):
    """Content-Length of a header as bytes; a line that goes on is no field of its own (RFC 3261 section 7.3.1)."""
    for line in re.sub(rb"\r\n[ \t]+", b" ", head).split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.rstrip(b" \t").lower() in (b"content-length", b"l"):
            return int(value)
    return 0


class TlsSocket:
    """A TLS client that one thread reads and others write: OpenSSL wants them one at a time."""

    def __init__(self, server, context):
        self.sock = context.wrap_socket(socket.create_connection(server), server_hostname=server[0])
        self.sock.setblocking(False)
        self.lock = threading.Lock()
        self.getsockname = self.sock.getsockname

    def recv(self, size):
        while self.sock.fileno() >= 0:
            with self.lock, contextlib.suppress(ssl.SSLWantReadError):
                return self.sock.recv(size)
            with contextlib.suppress(ValueError):  # closed meanwhile
                select.select([self.sock], [], [], 0.5)
        return b""

    def sendall(self, data):
        with self.lock:
            self.sock.sendall(data)

    def shutdown(self, how):
        with self.lock:
            self.sock.shutdown(how)

    def close(self):
        self.sock.close()


class Timeout(AssertionError):
    """Nothing fitting came in time."""


class Endpoint:
    """One socket, a thread that reads it, and everything that was sent or received, in order."""

    def __init__(self, transport="udp", local=("127.0.0.1", 0), server=("127.0.0.1", 5060), sock=None):
        self.transport = transport
        self.server = server
        self.log = []        # (direction, Message)
        self.taken = set()
        self.cond = threading.Condition()
        self.closed = False
        kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
        family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
        self.sock = sock or socket.socket(family, kind)
        if not sock:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.sock.bind(local)
        if transport == "tcp":
            self.sock.connect(server)
        self.addr = self.sock.getsockname()[:2]
        self.host = f"[{self.addr[0]}]" if family == socket.AF_INET6 else self.addr[0]
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def close(self):
        self.closed = True
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()

    def _store(self, data, source):
        msg = Message.parse(data)
        msg.at = time.monotonic()
        msg.source = source
        with self.cond:
            self.log.append(("in", msg))
            self.cond.notify_all()

    def _read(self):
        buf = b""
        while not self.closed:
            try:
                if self.transport == "udp":
                    data, source = self.sock.recvfrom(65535)
                    if data.strip():
                        self._store(data, source)
                    continue
                data = self.sock.recv(65535)
            except OSError:
                return
            if not data:
                with self.cond:
                    self.closed = True
                    self.cond.notify_all()
                return
            buf += data
            buf = self._frames(buf)

    def _frames(self, buf):
        while True:
            buf = buf.lstrip(b"\r\n")
            head, sep, rest = buf.partition(b"\r\n\r\n")
            if not sep:
                return buf
            length = content_length(head)
            if len(rest) < length:
                return buf
            self._store(head + sep + rest[:length], self.server)
            buf = rest[length:]

    def send_raw(self, data, to=None):
        if self.transport == "udp":
            self.sock.sendto(data, to or self.server)
        else:
            self.sock.sendall(data)

    def send(self, msg, to=None):
        msg.at = time.monotonic()
        with self.cond:
            self.log.append(("out", msg))
        self.send_raw(msg.encode(), to)
        return msg

    def received(self, test=lambda m: True):
        """Everything received so far that fits, taken or not."""
        with self.cond:
            return [m for d, m in self.log if d == "in" and test(m)]

    def expect(self, test, timeout=3.0, what=""):
        """The first message received and not taken that fits; raises Timeout."""
        deadline = time.monotonic() + timeout
        with self.cond:
            while True:
                for i, (direction, msg) in enumerate(self.log):
                    if direction == "in" and i not in self.taken and test(msg):
                        self.taken.add(i)
                        return msg
                left = deadline - time.monotonic()
                if left <= 0:
                    got = [repr(m) for d, m in self.log if d == "in"]
                    raise Timeout(f"{what or 'a message'} did not come in {timeout} s; received {got[-8:]}")
                self.cond.wait(left)

    def never(self, test, seconds):
        """Nothing that fits comes within the time."""
        try:
            msg = self.expect(test, seconds)
        except Timeout:
            return
        raise AssertionError(f"unexpected {msg!r}")


class Phone(Endpoint):
    """A user's phone: REGISTER, calls, answers. One Phone is one contact."""

    counter = itertools.count(1)

    def __init__(self, user, password, domain="aurabox.internal", scheme="sip", **kw):
        super().__init__(**kw)
        self.scheme = scheme  # of its Contact
        self.user, self.password, self.domain = user, password, domain
        self.aor = f"sip:{user}@{domain}"
        self.register_call_id = uuid.uuid4().hex
        self.register_tag = uuid.uuid4().hex[:8]
        self.register_cseq = 0
        self.rtp_port = 20000 + 2 * next(self.counter)

    @property
    def contact(self):
        tail = f";transport={self.transport}" if self.transport != "udp" and self.scheme == "sip" else ""
        return f"<{self.scheme}:{self.user}@{self.host}:{self.addr[1]}{tail}>"

    def via(self):
        return (f"SIP/2.0/{self.transport.upper()} {self.host}:{self.addr[1]}"
                f";branch=z9hG4bK{uuid.uuid4().hex[:16]};rport")

    def sdp(self):
        return (SDP % self.rtp_port).encode()

    def request(self, method, uri, to=None, call_id=None, cseq=1, from_tag=None, to_tag=None,
                body=b"", headers=(), from_uri=None):
        msg = Message(f"{method} {uri} SIP/2.0")
        msg.add("Via", self.via())
        msg.add("Max-Forwards", "70")
        msg.add("From", f"<{from_uri or self.aor}>;tag={from_tag or uuid.uuid4().hex[:8]}")
        msg.add("To", f"<{to or uri}>" + (f";tag={to_tag}" if to_tag else ""))
        msg.add("Call-ID", call_id or uuid.uuid4().hex)
        msg.add("CSeq", f"{cseq} {method}")
        msg.add("Contact", self.contact)
        msg.add("User-Agent", "aurabox-test")
        for name, value in headers:
            msg.add(name, value)
        if body:
            msg.add("Content-Type", "application/sdp")
            msg.body = body
        return msg

    def ack(self, invite, final):
        """ACK for a non-2xx final: same branch (RFC 3261 section 17.1.1.3)."""
        ack = Message(f"ACK {invite.uri} SIP/2.0")
        ack.add("Via", invite.get("Via"))
        ack.add("Max-Forwards", "70")
        for route in invite.all("Route"):
            ack.add("Route", route)
        ack.add("From", invite.get("From"))
        ack.add("To", final.get("To"))
        ack.add("Call-ID", invite.call_id)
        ack.add("CSeq", f"{invite.cseq} ACK")
        return self.send(ack)

    def answer_of(self, request, timeout=3.0):
        """The final answer to a request of ours."""
        return self.expect(lambda m: not m.is_request and m.status >= 200 and m.branch == request.branch,
                           timeout, f"a final answer to {request!r}")

    def authenticated(self, msg, timeout=3.0):
        """Send, answer one challenge; returns (request as accepted, final answer)."""
        self.send(msg)
        final = self.answer_of(msg, timeout)
        if final.status not in (401, 407):
            return msg, final
        again = self.answer_challenge(msg, final)
        self.send(again)
        return again, self.answer_of(again, timeout)

    def answer_challenge(self, msg, final):
        """The request once more with credentials, a higher CSeq and a new branch."""
        if msg.method == "INVITE":
            self.ack(msg, final)
        www = final.get("WWW-Authenticate")
        challenge = www or final.get("Proxy-Authenticate")
        again = Message(msg.start, [h for h in msg.headers if h[0] not in ("Authorization", "Proxy-Authorization")],
                        msg.body)
        again.replace("Via", self.via())
        again.replace("CSeq", f"{msg.cseq + 1} {msg.method}")
        again.add("Authorization" if www else "Proxy-Authorization",
                  credentials(challenge, self.user, self.password, msg.method, msg.uri))
        return again

    def register(self, expires=3600, contact=None, headers=(), timeout=3.0):
        self.register_cseq += 1
        msg = self.request("REGISTER", f"sip:{self.domain}", to=self.aor, call_id=self.register_call_id,
                           cseq=self.register_cseq, from_tag=self.register_tag, headers=headers)
        msg.drop("Contact")
        if contact is None:
            contact = self.contact
        if contact:
            msg.add("Contact", contact)
        if expires is not None:
            msg.add("Expires", str(expires))
        sent, final = self.authenticated(msg, timeout)
        self.register_cseq = sent.cseq
        return final

    def invite(self, callee, headers=(), body=None, uri=None, timeout=3.0):
        """Start a call: answers the 407, returns the Call once the credentials are sent."""
        uri = uri or f"sip:{callee}@{self.domain}"
        msg = self.request("INVITE", uri, body=self.sdp() if body is None else body, headers=headers)
        self.send(msg)
        final = self.expect(lambda m: not m.is_request and m.status >= 200 and m.branch == msg.branch, timeout,
                            "an answer to the first INVITE")
        if final.status != 407:
            call = Call(self, msg)
            call.early = final
            return call
        again = self.answer_challenge(msg, final)
        self.send(again)
        return Call(self, again)

    def incoming(self, timeout=3.0):
        """The next INVITE that comes in."""
        msg = self.expect(lambda m: m.is_request and m.method == "INVITE" and m.to_tag is None, timeout,
                          f"an INVITE at {self.user}")
        return Incoming(self, msg)

    def reply(self, request, status, reason, to_tag=None, body=b"", headers=()):
        msg = Message(f"SIP/2.0 {status} {reason}")
        for via in request.all("Via"):
            msg.add("Via", via)
        for rr in request.all("Record-Route"):
            msg.add("Record-Route", rr)
        msg.add("From", request.get("From"))
        to = request.get("To")
        msg.add("To", to if request.to_tag or not to_tag else f"{to};tag={to_tag}")
        msg.add("Call-ID", request.call_id)
        msg.add("CSeq", request.get("CSeq"))
        for name, value in headers:
            msg.add(name, value)
        if body:
            msg.add("Content-Type", "application/sdp")
            msg.body = body
        return self.send(msg, request.source if self.transport == "udp" else None)


class Dialog:
    """What both ends of an established call know."""

    def __init__(self, phone):
        self.phone = phone
        self.routes = []
        self.target = None

    def in_dialog(self, method, body=b"", headers=()):
        self.cseq += 1
        msg = self.phone.request(method, self.target, call_id=self.call_id, cseq=self.cseq)
        msg.replace("From", self.local)
        msg.replace("To", self.remote)
        for route in self.routes:
            msg.add("Route", route)
        for name, value in headers:
            msg.add(name, value)
        if body:
            msg.add("Content-Type", "application/sdp")
            msg.body = body
        return msg

    def bye(self, timeout=3.0):
        msg = self.phone.send(self.in_dialog("BYE"))
        return self.phone.answer_of(msg, timeout)

    def expect_bye(self, timeout=3.0):
        msg = self.phone.expect(lambda m: m.is_request and m.method == "BYE" and m.call_id == self.call_id,
                                timeout, f"BYE at {self.phone.user}")
        self.phone.reply(msg, 200, "OK")
        return msg


class Call(Dialog):
    """An outgoing call."""

    def __init__(self, phone, invite):
        super().__init__(phone)
        self.invite = invite
        self.call_id = invite.call_id
        self.cseq = invite.cseq
        self.local = invite.get("From")
        self.remote = invite.get("To")
        self.early = None

    def expect(self, *statuses, timeout=3.0):
        """The next answer to the INVITE with one of these statuses."""
        if self.early is not None and self.early.status in statuses:
            final, self.early = self.early, None
            self.phone.ack(self.invite, final)
            return final
        msg = self.phone.expect(
            lambda m: not m.is_request and m.cseq_method == "INVITE" and m.branch == self.invite.branch
            and (m.status in statuses or m.status >= 200), timeout, f"{statuses} at {self.phone.user}")
        if msg.status not in statuses:
            raise AssertionError(f"{statuses} expected, {msg.start} came")
        if 200 <= msg.status < 300:
            self.remote = msg.get("To")
            self.target = uri_of(msg.get("Contact"))
            self.routes = list(reversed(msg.all("Record-Route")))
            self._ack_2xx()
        elif msg.status >= 300:
            self.phone.ack(self.invite, msg)
        return msg

    def _ack_2xx(self):
        ack = self.phone.request("ACK", self.target, call_id=self.call_id, cseq=self.invite.cseq)
        ack.replace("From", self.local)
        ack.replace("To", self.remote)
        ack.drop("Contact")
        for route in self.routes:
            ack.add("Route", route)
        self.phone.send(ack)

    def cancel(self, timeout=3.0):
        """CANCEL and its own answer (RFC 3261 section 9.1)."""
        msg = Message(f"CANCEL {self.invite.uri} SIP/2.0")
        msg.add("Via", self.invite.get("Via"))
        msg.add("Max-Forwards", "70")
        for name in ("From", "To", "Call-ID"):
            msg.add(name, self.invite.get(name))
        msg.add("CSeq", f"{self.invite.cseq} CANCEL")
        self.phone.send(msg)
        return self.phone.expect(lambda m: not m.is_request and m.cseq_method == "CANCEL"
                                 and m.branch == self.invite.branch, timeout, "an answer to CANCEL")


class Incoming(Dialog):
    """A call that rings here."""

    def __init__(self, phone, invite):
        super().__init__(phone)
        self.invite = invite
        self.call_id = invite.call_id
        self.tag = uuid.uuid4().hex[:8]
        self.local = invite.get("To") + f";tag={self.tag}"
        self.remote = invite.get("From")
        self.target = uri_of(invite.get("Contact"))
        self.routes = invite.all("Record-Route")
        self.cseq = 0

    def ring(self):
        return self.phone.reply(self.invite, 180, "Ringing", self.tag, headers=[("Contact", self.phone.contact)])

    def expect_ack(self, timeout=3.0):
        return self.phone.expect(lambda m: m.is_request and m.method == "ACK" and m.call_id == self.call_id,
                                 timeout, f"ACK at {self.phone.user}")

    def accept_and(self, call, timeout=3.0):
        """Answer 200; the caller's side sees it and sends its ACK, which arrives here."""
        self.phone.reply(self.invite, 200, "OK", self.tag, self.phone.sdp(), [("Contact", self.phone.contact)])
        answer = call.expect(200, timeout=timeout)
        self.expect_ack(timeout)
        return answer

    def refuse(self, status, reason, timeout=3.0):
        self.phone.reply(self.invite, status, reason, self.tag)
        return self.expect_ack(timeout)

    def expect_cancel(self, timeout=3.0):
        """The CANCEL: answered 200, the INVITE 487, whose ACK is awaited."""
        msg = self.phone.expect(lambda m: m.is_request and m.method == "CANCEL" and m.branch == self.invite.branch,
                                timeout, f"CANCEL at {self.phone.user}")
        self.phone.reply(msg, 200, "OK", self.tag)
        self.phone.reply(self.invite, 487, "Request Terminated", self.tag)
        self.expect_ack(timeout)
        return msg


__all__ = ["Call", "Endpoint", "Incoming", "Phone", "Timeout", "TlsSocket", "host_port"]
