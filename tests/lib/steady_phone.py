# SPDX-License-Identifier: Apache-2.0
"""A phone that stays logged in while others send rubbish: what it is sent must be whole messages."""
import re

from sip_phone import Phone

START_LINE = re.compile(rb"SIP/2\.0 [1-6]\d\d |[!%'*+\-.0-9A-Z_`a-z~]+ [^ ]+ SIP/2\.0\r\n", re.I)


class SteadyPhone(Phone):
    """Refuses every call and keeps nothing but the answers to its own requests."""

    heard = 0
    broken = None

    def _store(self, data, source):
        self.heard += 1
        if not START_LINE.match(data):
            self.broken = self.broken or data
        if data.startswith(b"SIP/2.0"):
            if self.register_call_id.encode() in data:
                super()._store(data, source)
        elif data.startswith(b"INVITE") and self.heard % 4:
            head = data.partition(b"\r\n\r\n")[0].split(b"\r\n")
            wanted = (b"via", b"v", b"from", b"f", b"to", b"t", b"call-id", b"i", b"cseq")
            lines = [line for line in head[1:] if line.partition(b":")[0].strip().lower() in wanted]
            try:
                self.send_raw(b"\r\n".join([b"SIP/2.0 486 Busy"] + lines + [b"Content-Length: 0\r\n\r\n"]),
                              source if self.transport == "udp" else None)
            except OSError:
                pass  # the connection has ended: served() will see it

    def served(self):
        assert self.broken is None, f"{self.user} was sent what is no message: {self.broken[:300]!r}"
        assert self.register(timeout=20).status == 200
        with self.cond:
            del self.log[:]
            self.taken.clear()
