#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
"""Every message of the torture collections on a live session manager's wire: our own (unit/codec/torture) and, where
they lie beside the checkout, those of RFC 4475. Their verdicts are those of the unit test:

- a status: exactly one answer comes back, with it, and carries the request's own Via branch and Call-ID;
- drop: nothing comes back;
- ok: a request gets an answer of SIP, and its final one is no refusal of its form (400, 416, 420,
  483, 505, 513); an ACK and a response, which matches nothing here, get none (RFC 3261 sections 17.1.1.3 and 16.7).

After each, an OPTIONS of the same peer has its 200 within a second: on the same connection, too, if the message was one
that the stream goes on behind. Over TCP go those with one valid Content-Length and as many bytes behind the header:
others have no end there (RFC 3261 section 18.3)."""
import glob
import os
import re
import select
import socket
import time

from mutator import TOP
from plane import DOMAIN, SM, plane
from sip_message import param
from standalone import run

PEER = "127.0.0.2"
UNIT = os.path.join(TOP, "tests/unit/codec")
RFC = os.environ.get("AURA_TORTURE_DIR") or os.path.join(TOP, "../shared/sip-torture")
SETTINGS = (f"firewall.allow=127.0.0.1, {PEER}",)  # who is malformed all the time would be in quarantine
FORM = (400, 416, 420, 483, 505, 513)


class Torture:
    """One message and what is to come of it."""

    def __init__(self, name, verdict, path):
        self.name, self.verdict = name, verdict
        assert verdict in ("ok", "drop") or re.fullmatch(r"[45]\d\d", verdict), (name, verdict)
        with open(path, "rb") as source:
            self.data = source.read()
        head, _, self.body = self.data.partition(b"\r\n\r\n")
        self.ended = b"\r\n\r\n" in self.data
        flat = re.sub(rb"\r\n[ \t]+", b" ", head)
        self.start = flat.split(b"\r\n")[0]
        self.request = not self.start.startswith(b"SIP/2.0 ")
        self.method = self.start.split(b" ")[0]
        self.vias = self.field(flat, b"via|v")
        self.lengths = self.field(flat, b"content-length|l")
        self.call_ids = self.field(flat, b"call-id|i")

    @staticmethod
    def field(head, names):
        return [v.strip() for v in re.findall(rb"(?im)^(?:" + names + rb")[ \t]*:([^\r]*)", head)]

    @property
    def transaction(self):
        """What the server must take for the same transaction (RFC 3261 section 17.2.3)."""
        return tuple(self.vias[:1]), self.method

    @property
    def ports(self):
        """Where an answer may go: by the topmost Via, else to the port of the protocol."""
        return {5060} | {int(p) for via in self.vias[:1] for p in re.findall(rb":(\d{2,5})\b", via)}

    @property
    def framed(self):
        """It has an end on a stream, and nothing is missing before it."""
        return (self.ended and len(self.lengths) == 1 and self.lengths[0].isdigit()
                and int(self.lengths[0]) <= len(self.body))


def own():
    out = []
    for path in sorted(glob.glob(UNIT + "/torture/*.sip")):
        name, verdict, _ = os.path.basename(path).split(".")
        out.append(Torture(name, verdict, path))
    assert len(out) >= 49, len(out)
    return out


def rfc4475():
    """Those of the RFC, none where they are not at hand."""
    with open(UNIT + "/rfc4475.verdicts", encoding="utf-8") as text:
        rows = [line.split() for line in text if line.strip() and not line.startswith("#")]
    assert len(rows) == 49, len(rows)
    if not os.path.isdir(RFC):
        return []
    return [Torture(name, verdict, f"{RFC}/{name}.dat") for name, verdict in rows]


def rounds(messages):
    """In a round no two are of one transaction, which the server would rightly take for a retransmission."""
    left = list(messages)
    while left:
        now, later, seen = [], [], set()
        for m in left:
            (later if m.transaction in seen else now).append(m)
            seen.add(m.transaction)
        yield now
        left = later


class Answer:
    def __init__(self, data):
        head = data.partition(b"\r\n\r\n")[0].decode("utf-8", "replace")
        self.text = head
        start = head.split("\r\n")[0]
        assert re.match(r"SIP/2\.0 [1-6]\d\d ", start), f"this is no answer: {head[:300]!r}"
        self.status = int(start.split()[1])
        self.vias = re.findall(r"(?im)^(?:via|v)[ \t]*:[ \t]*([^\r]*)", head)
        self.call_id = "".join(re.findall(r"(?im)^(?:call-id|i)[ \t]*:[ \t]*([^\r]*)", head)[:1]).strip()
        self.cseq = "".join(re.findall(r"(?im)^cseq[ \t]*:[ \t]*([^\r]*)", head)[:1])
        self.branch = param(self.vias[0], "branch") if self.vias else None

    @property
    def key(self):
        return self.branch, self.call_id, self.cseq

    def __repr__(self):
        return self.text.split("\r\n")[0]


class Peer:
    """Collects answers until that to its OPTIONS is there."""

    def __init__(self):
        self.n = 0
        self.old = set()  # answers to what was before: they are repeated, as nobody acknowledges them

    def options(self, transport, port):
        self.n += 1
        return (f"OPTIONS sip:{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/{transport} {PEER}:{port};rport;branch=z9hG4bKalive{self.n}\r\n"
                f"Max-Forwards: 70\r\nFrom: <sip:peer@{PEER}>;tag=a\r\nTo: <sip:{DOMAIN}>\r\nCall-ID: alive{self.n}\r\n"
                "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n").encode()

    def alive(self, answers):
        return any(a.call_id == f"alive{self.n}" and a.status == 200 for a in answers)

    def of_now(self, answers):
        return [a for a in answers if not a.call_id.startswith("alive") and a.key not in self.old]

    def wait_alive(self, receive, answers):
        end = time.monotonic() + 1.0
        while not self.alive(answers):
            left = end - time.monotonic()
            assert left > 0, f"no 200 to OPTIONS within a second: {answers}"
            answers += receive(left)

    def wait_final(self, message, receive, answers):
        """An answer may take its time where it is not the form that decides."""
        end = time.monotonic() + 8.0
        while expects_answer(message) and not [a for a in self.of_now(answers) if a.status >= 200]:
            left = end - time.monotonic()
            if left <= 0:
                return
            answers += receive(left)


class UdpPeer(Peer):
    """All the ports at which answers may arrive."""

    def __init__(self, ports):
        super().__init__()
        self.sockets = {}
        for port in ports:
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.bind((PEER, port))
            self.sockets[port] = sock

    def receive(self, timeout):
        ready, _, _ = select.select(self.sockets.values(), [], [], timeout)
        return [Answer(s.recv(65535)) for s in ready]

    def exchange(self, message):
        out = []
        sock = self.sockets[5060]
        sock.sendto(message.data, SM)
        sock.sendto(self.options("UDP", 5060), SM)
        self.wait_alive(self.receive, out)
        self.wait_final(message, self.receive, out)
        while more := self.receive(0):
            out += more
        return self.of_now(out)

    def close(self):
        for sock in self.sockets.values():
            sock.close()


class Closed(Exception):
    """The server ended the connection."""


class TcpPeer(Peer):
    """A connection a message; a second one where the server cut the first."""

    def __init__(self):
        super().__init__()
        self.sock, self.buffer = None, b""

    def connect(self):
        self.close()
        self.sock, self.buffer = socket.create_connection(SM, 5, source_address=(PEER, 0)), b""

    def receive(self, timeout):
        if not select.select([self.sock], [], [], timeout)[0]:
            return []
        try:
            data = self.sock.recv(65535)
        except ConnectionResetError:
            data = b""
        if not data:
            raise Closed
        self.buffer += data
        out = []
        while b"\r\n\r\n" in self.buffer:
            head, _, rest = self.buffer.partition(b"\r\n\r\n")
            if not head:
                self.buffer = rest
                continue
            length = int(re.search(rb"(?im)^content-length[ \t]*:[ \t]*(\d+)", head)[1])
            if len(rest) < length:
                break
            out.append(Answer(head + b"\r\n\r\n"))
            self.buffer = rest[length:]
        return out

    def ask(self, answers):
        self.sock.sendall(self.options("TCP", self.sock.getsockname()[1]))
        self.wait_alive(self.receive, answers)

    def exchange(self, message):
        out = []
        self.connect()
        self.sock.sendall(message.data)
        try:
            self.ask(out)
            self.wait_final(message, self.receive, out)
            assert not message.verdict.isdigit() or self.of_now(out), f"{message.name}: no answer on its connection"
        except (Closed, BrokenPipeError, ConnectionResetError):
            # What has no sense is cut off; what was answered was not.
            assert message.verdict == "drop" or int(message.lengths[0]) != len(message.body), \
                f"{message.name}: cut off, though the stream goes on behind it; came {out}"
            self.connect()
            self.ask(out)
        return self.of_now(out)

    def close(self):
        if self.sock:
            self.sock.close()


def expects_answer(message):
    return message.verdict != "drop" and message.request and message.method != b"ACK"


def judge(message, answers):
    """Why this is not what the verdict says, or None."""
    finals = [a for a in answers if a.status >= 200]
    if not expects_answer(message):
        return None if not answers else f"was answered {answers}"
    if message.verdict != "ok" and [a.status for a in answers] != [int(message.verdict)]:
        return f"{message.verdict} expected, came {answers}"
    if not finals:
        return "a request without a final answer"
    if message.verdict == "ok" and finals[0].status in FORM:
        return f"is well-formed, but came {answers}"
    if message.call_ids and finals[0].call_id.encode("utf-8") != message.call_ids[0] and message.call_ids[0].isascii():
        return f"another Call-ID came back: {finals[0].call_id!r}"
    return None


def send_all(make_peer, chosen, label):
    ours, theirs = own(), rfc4475()
    wrong, statuses, n = [], {}, {"own": 0, "rfc4475": 0}
    for group, everything in (("own", ours), ("rfc4475", theirs)):
        for messages in rounds([m for m in everything if chosen(m)]):
            with plane(servers=("sm",), settings=SETTINGS) as p:
                p.wire.close()
                peer = make_peer(messages)
                try:
                    for m in messages:
                        try:
                            answers = peer.exchange(m)
                        except AssertionError as e:
                            raise AssertionError(f"{group} {m.name}: {e}") from e
                        fault = judge(m, answers)
                        if fault:
                            wrong.append(f"{group} {m.name} over {label}: {fault}")
                        peer.old |= {a.key for a in answers}
                        n[group] += 1
                        for a in answers:
                            statuses[a.status] = statuses.get(a.status, 0) + 1
                finally:
                    peer.close()
                assert p.sm.process.poll() is None
                log = p.sm.tail(1 << 20)
                assert "Sanitizer" not in log and "runtime error" not in log, log[-4000:]
                # that it ends with 0, without a leak, is what the plane's end asserts
    print(f"{label}: {n['own']} of {len(ours)} own messages, {n['rfc4475']} of {len(theirs)} of RFC 4475"
          + ("" if theirs else " (they are not beside the checkout: NONE of them was sent)")
          + f"; answers {dict(sorted(statuses.items()))}", flush=True)
    assert not wrong, "\n".join(wrong)
    assert n["own"] and bool(n["rfc4475"]) == bool(theirs)
    return n, ours, theirs


def each_datagram_gets_its_verdict():
    n, ours, theirs = send_all(lambda ms: UdpPeer(set().union(*(m.ports for m in ms))), lambda m: True, "UDP")
    assert n == {"own": len(ours), "rfc4475": len(theirs)}, n


def each_message_on_a_stream_gets_its_verdict():
    n, ours, theirs = send_all(lambda ms: TcpPeer(), lambda m: m.framed, "TCP")
    assert n["own"] > len(ours) * 2 // 3 and n["rfc4475"] >= len(theirs) * 2 // 3, n


if __name__ == "__main__":
    run([each_datagram_gets_its_verdict, each_message_on_a_stream_gets_its_verdict])
