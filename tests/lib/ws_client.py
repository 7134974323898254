# SPDX-License-Identifier: Apache-2.0
"""A WebSocket client (RFC 6455) with nothing hidden: every frame and header is the test's to choose."""
import base64
import hashlib
import os
import socket
import struct

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Refused(AssertionError):
    """The server answered the handshake with another status than 101."""

    def __init__(self, status, head):
        super().__init__(f"status {status}: {head!r}")
        self.status = status


class WsClient:
    """One connection. context: an ssl.SSLContext for wss."""

    def __init__(self, host, port, path="/sip", context=None, name="localhost", protocol="sip", origin=None,
                 headers=(), key=None, version="13", timeout=5.0):
        self.sock = socket.create_connection((host, port), timeout)
        if context:
            self.sock = context.wrap_socket(self.sock, server_hostname=name)
        self.buf = b""
        self.closed_with = None
        key = key or base64.b64encode(os.urandom(16)).decode()
        shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        lines = [f"GET {path} HTTP/1.1", f"Host: {shown}", "Upgrade: websocket", "Connection: keep-alive, Upgrade",
                 f"Sec-WebSocket-Key: {key}", f"Sec-WebSocket-Version: {version}"]
        if protocol:
            lines.append(f"Sec-WebSocket-Protocol: {protocol}")
        if origin:
            lines.append(f"Origin: {origin}")
        lines += [f"{n}: {v}" for n, v in headers]
        self.sock.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        while b"\r\n\r\n" not in self.buf:
            part = self.sock.recv(4096)
            if not part:
                raise Refused(0, self.buf)
            self.buf += part
        head, _, self.buf = self.buf.partition(b"\r\n\r\n")
        self.head = head.decode()
        status = int(self.head.split(" ")[1])
        if status != 101:
            self.sock.close()
            raise Refused(status, self.head)
        accept = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()
        assert f"sec-websocket-accept: {accept.lower()}" in self.head.lower(), self.head
        assert "sec-websocket-protocol: sip" in self.head.lower(), self.head

    def frame(self, opcode, payload=b"", fin=True, masked=True):
        """Send one frame."""
        head = bytes([(0x80 if fin else 0) | opcode])
        bit = 0x80 if masked else 0
        if len(payload) < 126:
            head += bytes([bit | len(payload)])
        elif len(payload) < 65536:
            head += bytes([bit | 126]) + struct.pack(">H", len(payload))
        else:
            head += bytes([bit | 127]) + struct.pack(">Q", len(payload))
        if masked:
            mask = os.urandom(4)
            payload = mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload))
        self.sock.sendall(head + payload)

    def send(self, data, opcode=TEXT):
        self.frame(opcode, data)

    def _need(self, count):
        while len(self.buf) < count:
            part = self.sock.recv(65536)
            if not part:
                raise EOFError
            self.buf += part
        out, self.buf = self.buf[:count], self.buf[count:]
        return out

    def frame_in(self):
        """The next frame: (opcode, payload)."""
        first, second = self._need(2)
        assert first & 0x80 and not second & 0x80, "fragmented or masked by the server"
        length = second & 127
        if length == 126:
            length, = struct.unpack(">H", self._need(2))
        elif length == 127:
            length, = struct.unpack(">Q", self._need(8))
        return first & 15, self._need(length)

    def message(self):
        """The next message; pings are answered. None at the end."""
        while True:
            try:
                opcode, payload = self.frame_in()
            except (EOFError, OSError):
                return None
            if opcode == PING:
                self.frame(PONG, payload)
            elif opcode == CLOSE:
                self.closed_with = struct.unpack(">H", payload[:2])[0] if payload else 0
                return None
            elif opcode in (TEXT, BINARY):
                return payload

    def close(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()
