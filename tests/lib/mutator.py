# SPDX-License-Identifier: Apache-2.0
"""Messages that were SIP once: real ones, changed at random, sent to a running server as everybody at once."""
import glob
import os
import random
import socket
import time

from ws_client import WsClient

TOP = os.environ.get("AURA_TOP") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DOMAIN = "aurabox.internal"

TOKENS = [b"\0", b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\r\n ", b",", b";", b"<", b">", b'"', b"\\", b"%00", b"%", b"[", b"]",
          b":", b"::", b"@", b"*", b"=", b"?", b"/", b"\xff\xfe", b"\xc3\xa9", b"-1", b"0", b"4294967296", b"99999999999999999999",
          b"z9hG4bK", b";lr", b";rport", b";received=::1", b";branch=", b";tag=", b";expires=0", b";transport=tcp", b";maddr=::1",
          b";phase=imsorig", b";odi=x", b"sips:", b"tel:+49", b"Via: ", b"Route: <sip:127.0.0.1:5060;lr>\r\n",
          b"Content-Length: 5\r\n", b"Contact: *\r\n", b"Require: 100rel\r\n", b"Supported: outbound, path\r\n",
          b"Replaces: a;to-tag=b;from-tag=c\r\n", b"Event: dialog\r\n", b"Privacy: id\r\n", b"Max-Forwards: 0\r\n",
          b"Authorization: Digest username=\"3001\", nonce=\"x\", uri=\"y\", response=\"z\", realm=\"aurabox.internal\"\r\n"]


def head(method, uri, n, extra="", body="", to=None, from_user="3009", cseq=1):
    """One good message; {n} keeps transactions apart."""
    to = to or f"<{uri}>"
    return (f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bK{n}\r\nMax-Forwards: 70\r\n"
            f"From: <sip:{from_user}@{DOMAIN}>;tag=f{n}\r\nTo: {to}\r\nCall-ID: m{n}\r\nCSeq: {cseq} {method}\r\n"
            f"Contact: <sip:{from_user}@127.0.0.1:9>\r\n{extra}Content-Length: {len(body)}\r\n\r\n{body}").encode()


SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8\r\na=sendrecv\r\n"
PIDF = ("<?xml version=\"1.0\"?><presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"sip:3009@aurabox.internal\"><tuple id=\"a\">"
        "<status><basic>open</basic></status></tuple></presence>")
DIALOG = ("<?xml version=\"1.0\"?><dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"1\" state=\"full\" "
          "entity=\"sip:3009@aurabox.internal\"><dialog id=\"1\"><state>early</state></dialog></dialog-info>")


def fresh(rng):
    """A good message of any kind, its transaction new."""
    n = "%x" % rng.getrandbits(48)
    callee = f"sip:{rng.choice(['3001', '3002', '3009', '3010', 'nobody', '+4989123'])}@{DOMAIN}"
    user = rng.choice(["3001", "3002", "3009", "3010"])
    sdp = "Content-Type: application/sdp\r\n"
    kind = rng.randrange(12)
    if kind == 0:
        return head("REGISTER", f"sip:{DOMAIN}", n, f"Expires: {rng.choice([0, 1, 60, 3600])}\r\n",
                    to=f"<sip:{user}@{DOMAIN}>", from_user=user)
    if kind <= 3:
        return head("INVITE", callee, n, sdp + rng.choice(["", "Supported: 100rel, timer\r\nSession-Expires: 90\r\n",
                                                           f"P-Asserted-Identity: <sip:{user}@{DOMAIN}>\r\n"]), SDP, from_user=user)
    if kind == 4:
        return head("SUBSCRIBE", callee, n, f"Event: {rng.choice(['reg', 'dialog', 'message-summary', 'presence'])}\r\nExpires: 60\r\n",
                    from_user=user)
    if kind == 5:
        return head("PUBLISH", f"sip:{user}@{DOMAIN}", n, "Event: presence\r\nContent-Type: application/pidf+xml\r\n", PIDF, from_user=user)
    if kind == 6:
        return head("PUBLISH", f"sip:{user}@{DOMAIN}", n, "Event: dialog\r\nContent-Type: application/dialog-info+xml\r\n", DIALOG,
                    from_user=user)
    if kind == 7:
        return head(rng.choice(["BYE", "UPDATE", "PRACK", "INFO", "REFER", "NOTIFY", "MESSAGE", "ACK"]), callee, n,
                    "RAck: 1 1 INVITE\r\nRefer-To: <sip:3002@aurabox.internal>\r\n"
                    "Event: refer\r\nSubscription-State: active\r\n", to=f"<{callee}>;tag=t{n}", from_user=user)
    if kind == 8:
        return head("CANCEL", callee, n)
    if kind == 9:
        return head("OPTIONS", callee, n)
    status = rng.choice(["100 Trying", "180 Ringing", "183 Progress", "200 OK", "302 Moved", "401 No", "407 No", "486 Busy",
                         "503 No", "603 No"])
    return (head(rng.choice(["INVITE", "BYE", "OPTIONS"]), callee, n, sdp, SDP, to=f"<{callee}>;tag=r{n}")
            .replace(b"INVITE " + callee.encode() + b" SIP/2.0", b"SIP/2.0 " + status.encode(), 1)
            .replace(b"BYE " + callee.encode() + b" SIP/2.0", b"SIP/2.0 " + status.encode(), 1)
            .replace(b"OPTIONS " + callee.encode() + b" SIP/2.0", b"SIP/2.0 " + status.encode(), 1))


def kept_paths():
    """The messages that the parsers are tested with."""
    return [path for pattern in ("unit/codec/torture/*.sip", "fuzz/corpus/sip_msg/*")
            for path in sorted(glob.glob(os.path.join(TOP, "tests", pattern)))]


def kept():
    out = []
    for path in kept_paths():
        with open(path, "rb") as source:
            out.append(source.read())
    assert out
    return out


def mutate(rng, data, others):
    """One to five changes."""
    data = bytearray(data)
    for _ in range(rng.choice([1, 1, 1, 2, 3, 5])):
        kind = rng.randrange(10)
        at = rng.randrange(len(data) + 1)
        if kind == 0 and data:
            data[rng.randrange(len(data))] = rng.randrange(256)
        elif kind == 1:
            del data[at:at + rng.choice([1, 2, 10, 200])]
        elif kind == 2:
            data[at:at] = data[at:at + rng.choice([1, 8, 60])] * rng.choice([1, 2, 40])
        elif kind in (3, 4):
            data[at:at] = rng.choice(TOKENS)
        elif kind == 5:
            lines = bytes(data).split(b"\r\n")
            a, b = rng.randrange(len(lines)), rng.randrange(len(lines))
            lines[a], lines[b] = lines[b], lines[a]
            data = bytearray(b"\r\n".join(lines))
        elif kind == 6:
            lines = bytes(data).split(b"\r\n")
            a = rng.randrange(len(lines))
            lines[a:a] = [lines[a]] * rng.choice([1, 2, 70, 300])
            data = bytearray(b"\r\n".join(lines))
        elif kind == 7:
            del data[at:]
        elif kind == 8:
            other = rng.choice(others)
            data[at:] = other[rng.randrange(len(other) + 1):]
        else:
            lines = bytes(data).split(b"\r\n")
            a = rng.randrange(len(lines))
            name, colon, value = lines[a].partition(b":")
            lines[a] = name + colon + rng.choice([b"", value + b"," + value, b" " * 900 + value, value[::-1], value * 9])
            data = bytearray(b"\r\n".join(lines))
    return bytes(data[:65000])


class Mutator:
    """Sends from a phone's port and from those that sm takes for cm and presence, over UDP, TCP and WebSocket."""

    def __init__(self, seed, target=("127.0.0.1", 5060), ws_port=None, ports=(0, 5070, 5080)):
        self.rng = random.Random(seed)
        self.target, self.ws_port = target, ws_port
        self.kept = kept()
        self.sockets = []
        for port in ports:
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            sock.bind(("127.0.0.1", port))
            sock.setblocking(False)
            self.sockets.append(sock)
        self.probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.probe.bind(("127.0.0.1", 0))
        self.heard = []
        self.sent = self.answers = 0

    def close(self):
        for sock in self.sockets + [self.probe]:
            sock.close()

    def one(self):
        """The next message."""
        pick = self.rng.random()
        if pick < 0.25:
            base = self.rng.choice(self.kept)
        elif pick < 0.4 and self.heard:
            base = self.rng.choice(self.heard)
        else:
            base = fresh(self.rng)
        return base if self.rng.random() < 0.05 else mutate(self.rng, base, self.kept)

    def listen(self):
        """Take what came; requests are answered, in their own words or in changed ones."""
        for sock in self.sockets:
            for _ in range(64):
                try:
                    data, source = sock.recvfrom(65535)
                except (BlockingIOError, ConnectionError):
                    break
                self.answers += 1
                self.heard.append(data)
                if data.startswith(b"SIP/2.0"):
                    continue
                lines = data.split(b"\r\n")
                lines[0] = b"SIP/2.0 " + self.rng.choice([b"180 Ringing", b"200 OK", b"200 OK", b"486 Busy", b"503 No", b"302 M"])
                reply = b"\r\n".join(lines)
                if self.rng.random() < 0.6:
                    reply = mutate(self.rng, reply, self.kept)
                sock.sendto(reply, source)
        del self.heard[:-50]

    def alive(self, patience=20.0):
        """OPTIONS must be answered: 200 by sm, a refusal by who knows only sm."""
        n = "%x" % self.rng.getrandbits(60)
        end = time.monotonic() + patience
        while True:
            self.probe.sendto(head("OPTIONS", f"sip:{DOMAIN}", "alive" + n), self.target)
            until = time.monotonic() + 1
            while time.monotonic() < until:
                self.probe.settimeout(max(0.01, until - time.monotonic()))
                try:
                    data = self.probe.recv(65535)
                except (socket.timeout, ConnectionError):
                    break
                if data.startswith(b"SIP/2.0 ") and ("malive" + n).encode() in data:
                    return
            assert time.monotonic() < end, f"no answer to OPTIONS after {self.sent} messages"

    def web_socket(self, messages):
        """A WebSocket that brings these, in frames of any kind."""
        ws = WsClient("127.0.0.1", self.ws_port)
        for message in messages:
            ws.frame(self.rng.choice([1, 2, 2, 2, 2, 0, 8, 9, 10, 3]), message, fin=self.rng.random() < 0.9)
        ws.close()

    def _stream(self, messages):
        if self.ws_port and self.rng.random() < 0.5:
            self.web_socket(messages)
            return
        with socket.create_connection(self.target, 5) as sock:
            sock.sendall(b"".join(messages))

    def run(self, count, every=100, seconds=None):
        """Send so many; the server proves to be alive after each hundred."""
        end = time.monotonic() + seconds if seconds else None
        while self.sent < count and (end is None or time.monotonic() < end):
            for _ in range(every):
                self.rng.choice(self.sockets).sendto(self.one(), self.target)
            self.sent += every
            self.listen()
            if self.rng.random() < 0.3:
                messages = [self.one() for _ in range(10)]
                self.sent += len(messages)
                try:
                    self._stream(messages)
                except (OSError, AssertionError):
                    pass  # cut for what it said: that is the server's right
            self.alive()
