# SPDX-License-Identifier: Apache-2.0
"""A network that loses, copies and delays datagrams, between sm, cm and phones that know SIP's timers.

sm and cm advertise addresses that are ours: what they send each other and the phones comes here and goes on late,
twice or never. Everything runs in one thread from one seed."""
import heapq
import random
import select
import socket
import time
import uuid

from sip_message import Message, credentials, uri_of

DOMAIN = "aurabox.internal"
T1, T2 = 0.5, 4.0
SM, CM = ("127.0.0.1", 5060), ("127.0.0.1", 5070)            # where they listen
SM_SHOWN, CM_SHOWN = ("127.0.0.11", 5060), ("127.0.0.12", 5070)  # what they and others write
SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"


class Network:
    """One socket for each who is shown: what comes to it is meant for him."""

    def __init__(self, seed, loss=0.05, copies=0.05, late=0.1):
        self.rng = random.Random(seed)
        self.loss, self.copies, self.late = loss, copies, late
        self.queue, self.serial = [], 0
        self.passed = self.lost = self.copied = self.delayed = 0
        self.sockets, self.real, self.phones = {}, {SM: "sm", CM: "cm"}, {}
        self.open("sm", SM_SHOWN)
        self.open("cm", CM_SHOWN)

    def open(self, name, shown):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        sock.bind(shown)
        sock.setblocking(False)
        self.sockets[name] = sock

    def close(self):
        for sock in self.sockets.values():
            sock.close()

    def later(self, delay, act):
        self.serial += 1
        heapq.heappush(self.queue, (time.monotonic() + delay, self.serial, act))

    def carry(self, source, target, data):
        """From one to another by name, if at all."""
        rng = self.rng
        self.passed += 1
        if rng.random() < self.loss:
            self.lost += 1
            return
        times = 2 if rng.random() < self.copies else 1
        self.copied += times - 1
        for _ in range(times):
            delay = rng.random() * 0.02
            if rng.random() < self.late:
                delay = rng.random() * 0.7
                self.delayed += 1
            self.later(delay, lambda: self.deliver(source, target, data))

    def deliver(self, source, target, data):
        if target in self.phones:
            self.phones[target].take(Message.parse(data))
            return
        self.sockets[source].sendto(data, SM if target == "sm" else CM)

    def run(self, seconds, until=lambda: False):
        end = time.monotonic() + seconds
        while time.monotonic() < end and not until():
            while self.queue and self.queue[0][0] <= time.monotonic():
                heapq.heappop(self.queue)[2]()
            wait = min([end] + [item[0] for item in self.queue[:1]]) - time.monotonic()
            ready = select.select(list(self.sockets.values()), [], [], max(0, min(wait, 0.05)))[0]
            for name, sock in self.sockets.items():
                if sock not in ready:
                    continue
                for _ in range(50):
                    try:
                        data, source = sock.recvfrom(65535)
                    except BlockingIOError:
                        break
                    if data.strip():
                        self.carry(self.real[source], name, data)


class Phone:
    """Calls, rings, answers, hangs up: at random, but by RFC 3261's rules for UDP."""

    def __init__(self, network, user, password, index):
        self.net, self.user, self.password = network, user, password
        self.name = "phone%d" % index
        self.addr = ("127.0.0.21", 20000 + index)
        network.phones[self.name] = self
        network.open(self.name, self.addr)
        self.pending = {}    # (branch, method) -> [request, when given up, on_answer]
        self.served = {}     # (branch, method) -> last answer
        self.calls = {}      # Call-ID -> the caller's side
        self.rung = {}       # Call-ID -> the callee's side
        self.results = []    # of calls begun here: (callee, final status or 0)
        self.unended = 0

    # -- sending

    def put(self, msg):
        self.net.carry(self.name, "sm", msg.encode())

    def message(self, method, uri, to, call_id, cseq, local, routes=(), body=""):
        msg = Message(f"{method} {uri} SIP/2.0")
        msg.add("Via", f"SIP/2.0/UDP {self.addr[0]}:{self.addr[1]};branch=z9hG4bK{uuid.UUID(int=self.net.rng.getrandbits(128)).hex};rport")
        msg.add("Max-Forwards", "70")
        for route in routes:
            msg.add("Route", route)
        for name, value in (("From", local), ("To", to), ("Call-ID", call_id), ("CSeq", f"{cseq} {method}"),
                            ("Contact", f"<sip:{self.user}@{self.addr[0]}:{self.addr[1]}>")):
            msg.add(name, value)
        if body:
            msg.add("Content-Type", "application/sdp")
            msg.body = body.encode()
        return msg

    def request(self, msg, on_answer):
        """A client transaction."""
        key = (msg.branch, msg.method)
        self.pending[key] = [msg, time.monotonic() + 64 * T1, on_answer, False]
        self.repeat(key, T1)

    def repeat(self, key, interval):
        entry = self.pending.get(key)
        if not entry:
            return
        msg, end, on_answer, proceeding = entry
        if time.monotonic() > end and not (proceeding and msg.method == "INVITE"):
            del self.pending[key]
            on_answer(None)
            return
        if not (proceeding and msg.method == "INVITE"):
            self.put(msg)
        after = interval * 2 if msg.method == "INVITE" else min(interval * 2, T2)
        self.net.later(T2 if proceeding else interval, lambda: self.repeat(key, after))

    def answer(self, request, status, reason, tag=None, body=""):
        msg = Message(f"SIP/2.0 {status} {reason}")
        for name in ("Via", "Record-Route"):
            for value in request.all(name):
                msg.add(name, value)
        to = request.get("To")
        msg.add("From", request.get("From"))
        msg.add("To", to if request.to_tag or not tag else f"{to};tag={tag}")
        msg.add("Call-ID", request.call_id)
        msg.add("CSeq", request.get("CSeq"))
        msg.add("Contact", f"<sip:{self.user}@{self.addr[0]}:{self.addr[1]}>")
        if body:
            msg.add("Content-Type", "application/sdp")
            msg.body = body.encode()
        self.served[(request.branch, request.method)] = msg
        self.put(msg)
        return msg

    # -- receiving

    def take(self, msg):
        if not msg.is_request:
            self.take_answer(msg)
            return
        if msg.method == "ACK":
            self.take_ack(msg)
            return
        known = self.served.get((msg.branch, msg.method))
        if known:
            self.put(known)
        elif msg.method == "INVITE":
            self.ring(msg)
        elif msg.method == "CANCEL":
            self.answer(msg, 200, "OK")
            self.cancelled(msg)
        elif msg.method == "BYE":
            self.answer(msg, 200, "OK")
            for side in (self.calls, self.rung):
                if msg.call_id in side:
                    side[msg.call_id]["over"] = True
        else:
            self.answer(msg, 200, "OK")

    def take_answer(self, msg):
        entry = self.pending.get((msg.branch, msg.cseq_method))
        call = self.calls.get(msg.call_id)
        if msg.cseq_method == "INVITE" and msg.status >= 200 and not entry:
            if call and msg.branch in (call["invite"].branch, call.get("first")):
                self.ack(call, msg)  # a copy of the final one
            return
        if not entry:
            return
        if msg.status < 200:
            entry[3] = True
            if msg.cseq_method == "INVITE":
                entry[2](msg)
            return
        del self.pending[(msg.branch, msg.cseq_method)]
        entry[2](msg)

    # -- a call begun here

    def register(self, done):
        call_id = uuid.UUID(int=self.net.rng.getrandbits(128)).hex

        def send(cseq, challenge):
            msg = self.message("REGISTER", f"sip:{DOMAIN}", f"<sip:{self.user}@{DOMAIN}>", call_id, cseq,
                               f"<sip:{self.user}@{DOMAIN}>;tag=r")
            msg.add("Expires", "3600")
            if challenge:
                msg.add("Authorization", credentials(challenge, self.user, self.password, "REGISTER", f"sip:{DOMAIN}"))
            self.request(msg, lambda m: answered(cseq, m))

        def answered(cseq, m):
            if m is not None and m.status == 200:
                done()
            elif m is None or cseq < 10:
                send(cseq + 1, m.get("WWW-Authenticate") if m is not None else None)

        send(1, None)

    def call(self, callee):
        uri, local = f"sip:{callee}@{DOMAIN}", f"<sip:{self.user}@{DOMAIN}>;tag={self.net.rng.getrandbits(32):x}"
        call_id = uuid.UUID(int=self.net.rng.getrandbits(128)).hex
        call = {"callee": callee, "uri": uri, "local": local, "id": call_id, "cseq": 1, "over": False, "final": None}
        self.calls[call_id] = call
        self.invite(call, None)

    def invite(self, call, challenge):
        msg = self.message("INVITE", call["uri"], f"<{call['uri']}>", call["id"], call["cseq"], call["local"], body=SDP)
        if challenge:
            call["first"] = call["invite"].branch
            msg.add("Proxy-Authorization", credentials(challenge, self.user, self.password, "INVITE", call["uri"]))
            if self.net.rng.random() < 0.2:
                self.net.later(self.net.rng.random() * 1.5, lambda: self.cancel(call))
        call["invite"] = msg
        self.request(msg, lambda m: self.progress(call, m))

    def progress(self, call, m):
        if m is not None and m.status < 200:
            call["ringing"] = True
            return
        if m is not None:
            self.ack(call, m)
        if m is not None and m.status == 407 and call["cseq"] == 1:
            call["cseq"] = 2
            self.invite(call, m.get("Proxy-Authenticate"))
            return
        call["final"] = m.status if m is not None else 0
        self.results.append((call["callee"], call["final"]))
        if call["final"] == 200:
            call["routes"] = list(reversed(m.all("Record-Route")))
            call["target"], call["remote"] = uri_of(m.get("Contact")), m.get("To")
            patience = self.net.rng.choice([2, 2, 5])  # often the other side is faster
            self.net.later(self.net.rng.random() * patience, lambda: self.hang_up(call))

    def ack(self, call, m):
        invite = call["invite"]
        if m.status >= 300:
            ack = Message(f"ACK {invite.uri} SIP/2.0")
            ack.add("Via", m.get("Via").split(",")[0])
            for name, value in (("Max-Forwards", "70"), ("From", m.get("From")), ("To", m.get("To")),
                                ("Call-ID", call["id"]), ("CSeq", f"{m.cseq} ACK")):
                ack.add(name, value)
        else:
            ack = self.message("ACK", uri_of(m.get("Contact")), m.get("To"), call["id"], m.cseq, call["local"],
                               list(reversed(m.all("Record-Route"))))
        self.put(ack)

    def cancel(self, call):
        if call["final"] is not None or not call.get("ringing"):
            return
        invite = call["invite"]
        msg = Message(f"CANCEL {invite.uri} SIP/2.0")
        for name in ("Via", "Max-Forwards", "From", "To", "Call-ID"):
            msg.add(name, invite.get(name))
        msg.add("CSeq", f"{invite.cseq} CANCEL")
        self.request(msg, lambda m: None)

    def hang_up(self, call):
        if call["over"]:
            return
        call["over"] = True
        call["cseq"] += 1
        msg = self.message("BYE", call["target"], call["remote"], call["id"], call["cseq"], call["local"], call["routes"])
        self.request(msg, lambda m: None)

    # -- a call that rings here

    def ring(self, invite):
        rng = self.net.rng
        if invite.to_tag:
            self.answer(invite, 200, "OK", body=SDP)
            return
        side = {"invite": invite, "tag": f"{rng.getrandbits(32):x}", "final": None, "acked": False, "over": False}
        self.rung[invite.call_id] = side
        self.answer(invite, 180, "Ringing", side["tag"])
        status = rng.choice([200] * 8 + [486, 603, 480])
        if rng.random() < 0.05:
            return  # rings until somebody gives up
        self.net.later(rng.random() * 1.5, lambda: self.decide(side, status))

    def decide(self, side, status):
        if side["final"] is None:
            side["final"] = status
            side["until"] = time.monotonic() + 64 * T1
            side["answer"] = self.answer(side["invite"], status, "OK" if status == 200 else "No", side["tag"],
                                         SDP if status == 200 else "")
            self.net.later(T1, lambda: self.again(side, T1))

    def again(self, side, interval):
        """A final answer until its ACK."""
        if side["acked"]:
            return
        if time.monotonic() > side["until"]:
            self.unended += 1
            return
        self.put(side["answer"])
        self.net.later(min(interval * 2, T2), lambda: self.again(side, min(interval * 2, T2)))

    def cancelled(self, msg):
        side = self.rung.get(msg.call_id)
        if side:
            self.decide(side, 487)

    def take_ack(self, msg):
        side = self.rung.get(msg.call_id)
        if not side or side["acked"]:
            return
        side["acked"] = True
        if side["final"] == 200 and self.net.rng.random() < 0.5:
            self.net.later(self.net.rng.random() * 2, lambda: self.leave(side))

    def leave(self, side):
        if side["over"]:
            return
        side["over"] = True
        invite = side["invite"]
        msg = self.message("BYE", uri_of(invite.get("Contact")), invite.get("From"), invite.call_id, 100,
                           f"{invite.get('To')};tag={side['tag']}", invite.all("Record-Route"))
        self.request(msg, lambda m: None)
