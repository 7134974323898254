# SPDX-License-Identifier: Apache-2.0
"""A provider's or gateway's end of a SIP trunk over UDP: answers OPTIONS, keeps every INVITE, does with it as told."""
import hashlib
import re
import threading
import uuid

from sip_phone import SDP, Endpoint
from sip_message import Message


class Trunk(Endpoint):
    """mode: answer (180, 200), ring (180), silent (nothing at all, not even OPTIONS), or a status to refuse with."""

    def __init__(self, name, address, mode="answer", server=("127.0.0.1", 5060)):
        self.name, self.mode = name, mode
        self.options = 200  # the answer to OPTIONS
        self.auth = None    # (user, password): REGISTER and INVITE are challenged
        self.nonces = set()
        self.min_expires = 0
        self.granted = 3600
        self.invites = []
        self.lock = threading.Lock()
        super().__init__("udp", address, server)

    def entity(self, **more):
        return {"name": self.name, "type": "trunk", "address": self.addr[0], "port": self.addr[1],
                "transport": "udp", "monitoring": {"proactive_s": 1, "reactive_s": 1, "retries": 0}, **more}

    def reply_to(self, request, status, reason, body=b"", headers=()):
        msg = Message(f"SIP/2.0 {status} {reason}")
        for name in ("Via", "Record-Route"):
            for value in request.all(name):
                msg.add(name, value)
        msg.add("From", request.get("From"))
        to = request.get("To")
        msg.add("To", to if request.to_tag or status == 100 else f"{to};tag=t{self.addr[1]}")
        msg.add("Call-ID", request.call_id)
        msg.add("CSeq", request.get("CSeq"))
        msg.add("Contact", f"<sip:{self.addr[0]}:{self.addr[1]}>")
        for name, value in headers:
            msg.add(name, value)
        if body:
            msg.add("Content-Type", "application/sdp")
            msg.body = body
        return self.send(msg, request.source)

    def is_right(self, msg):
        """Do the credentials answer a nonce of ours, once?"""
        value = msg.get("Authorization") or msg.get("Proxy-Authorization") or ""
        got = {k: q or p for k, q, p in re.findall(r'(\w+)=(?:"([^"]*)"|([^,\s]*))', value)}
        user, password = self.auth

        def md5(text):
            return hashlib.md5(text.encode()).hexdigest()
        ha1, ha2 = md5(f"{user}:provider.example:{password}"), md5(f"{msg.method}:{got.get('uri')}")
        want = md5(":".join([ha1, got.get("nonce", ""), got.get("nc", ""), got.get("cnonce", ""), "auth", ha2]))
        if got.get("nonce") not in self.nonces or got.get("uri") != msg.uri or got.get("username") != user:
            return False
        self.nonces.discard(got["nonce"])
        return got.get("response") == want

    def challenge(self, msg):
        nonce = uuid.uuid4().hex
        self.nonces.add(nonce)
        proxy = msg.method != "REGISTER"
        self.reply_to(msg, 407 if proxy else 401, "Who", headers=[
            ("Proxy-Authenticate" if proxy else "WWW-Authenticate",
             f'Digest realm="provider.example", nonce="{nonce}", algorithm=MD5, qop="auth"')])

    def _registered(self, msg):
        expires = int(msg.get("Expires"))
        if expires < self.min_expires:
            self.reply_to(msg, 423, "Interval Too Brief", headers=[("Min-Expires", str(self.min_expires))])
        else:
            self.reply_to(msg, 200, "OK", headers=[("Expires", str(min(expires, self.granted)))])

    def _store(self, data, source):
        super()._store(data, source)
        msg = self.log[-1][1]
        if not msg.is_request or self.mode == "silent":
            return
        if self.auth and msg.method in ("REGISTER", "INVITE") and not self.is_right(msg):
            self.challenge(msg)
            return
        if msg.method == "REGISTER":
            self._registered(msg)
            return
        if msg.method == "INVITE" and not msg.to_tag:
            with self.lock:
                first = msg.branch not in [m.branch for m in self.invites]
                if first:
                    self.invites.append(msg)
            if self.mode == "answer":
                self.reply_to(msg, 180, "Ringing")
                self.reply_to(msg, 200, "OK", (SDP % 30000).encode())
            elif self.mode == "ring":
                self.reply_to(msg, 180, "Ringing")
            else:
                self.reply_to(msg, int(self.mode), "Refused")
        elif msg.method == "OPTIONS":
            self.reply_to(msg, self.options, "OK" if self.options == 200 else "Not now")
        elif msg.method not in ("ACK", "CANCEL"):
            self.reply_to(msg, 200, "OK")

    def invited(self, timeout=3.0):
        """The next INVITE that nobody has asked for."""
        return self.expect(lambda m: m.is_request and m.method == "INVITE", timeout, f"an INVITE at {self.name}")
