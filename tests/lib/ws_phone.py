# SPDX-License-Identifier: Apache-2.0
"""A phone in a browser: SIP over WebSocket (RFC 7118), known by a name that nobody can resolve."""
import uuid

from sip_phone import Phone
from ws_client import WsClient


class WsPhone(Phone):
    """url parts as WsClient takes them; transport is what its Via says: WS or WSS."""

    def __init__(self, user, password, host="127.0.0.1", port=5443, domain="aurabox.internal", **kw):
        self.ws = WsClient(host, port, **kw)
        self.ws.sock.settimeout(None)
        self.host_name = uuid.uuid4().hex[:12] + ".invalid"
        super().__init__(user, password, domain, transport="wss" if kw.get("context") else "ws", server=(host, port),
                         sock=self.ws.sock)

    @property
    def contact(self):
        return f"<sip:{self.user}@{self.host_name};transport=ws>"

    def via(self):
        return f"SIP/2.0/{self.transport.upper()} {self.host_name};branch=z9hG4bK{uuid.uuid4().hex[:16]}"

    def send_raw(self, data, to=None):
        self.ws.send(data)

    def _read(self):
        while True:
            data = self.ws.message()
            if data is None:
                break
            if data.strip():
                self._store(data, self.server)
        with self.cond:
            self.closed = True
            self.cond.notify_all()
