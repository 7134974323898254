# SPDX-License-Identifier: Apache-2.0
"""What really passed on a network interface: SIP messages over UDP and TCP from a packet socket."""
import array
import fcntl
import socket
import struct
import termios
import threading
import time

from sip_message import Message

ETH_P_IP = 0x0800
PACKET_OUTGOING = 4


class Wire:
    """Records every SIP message seen on an interface; each has .source, .dest, .transport, .at."""

    def __init__(self, interface="lo"):
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.sock.bind((interface, ETH_P_IP))
        self.sock.settimeout(0.2)
        self.messages = []
        self.streams = {}
        self.stop = False
        self.read = self.done = 0
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def close(self):
        self.stop = True
        self.thread.join()
        self.sock.close()

    def _read(self):
        while not self.stop:
            try:
                data, meta = self.sock.recvfrom(65535)
            except socket.timeout:
                continue
            self.read += 1
            if meta[2] != PACKET_OUTGOING:
                self._packet(data)
            self.done = self.read

    def settle(self, timeout=3.0):
        """Wait until all that has passed so far is recorded: the reader may be behind on a busy machine."""
        end = time.monotonic() + timeout
        waiting, calm = array.array("i", [0]), 0
        while calm < 3 and time.monotonic() < end:
            fcntl.ioctl(self.sock, termios.FIONREAD, waiting)
            calm = calm + 1 if waiting[0] == 0 and self.done == self.read else 0
            time.sleep(0.002)

    def _packet(self, data):
        if len(data) < 20 or data[0] >> 4 != 4:
            return
        header = (data[0] & 15) * 4
        total = struct.unpack(">H", data[2:4])[0]
        proto = data[9]
        src, dst = socket.inet_ntoa(data[12:16]), socket.inet_ntoa(data[16:20])
        payload = data[header:total] if total else data[header:]
        sport, dport = struct.unpack(">HH", payload[:4])
        if proto == 17:
            self._message(payload[8:], (src, sport), (dst, dport), "udp")
        elif proto == 6:
            seq = struct.unpack(">I", payload[4:8])[0]
            self._segment((src, sport), (dst, dport), seq, payload[(payload[12] >> 4) * 4:], payload[13])

    def _segment(self, src, dst, seq, data, flags):
        key = (src, dst)
        if flags & 2:
            self.streams[key] = [(seq + 1) & 0xFFFFFFFF, b""]
            return
        stream = self.streams.setdefault(key, [seq, b""])
        if not data or (seq - stream[0]) & 0xFFFFFFFF >= 0x80000000:
            return
        stream[0] = (seq + len(data)) & 0xFFFFFFFF
        stream[1] = self._frames(stream[1] + data, src, dst)

    def _frames(self, buf, src, dst):
        while True:
            buf = buf.lstrip(b"\r\n")
            head, sep, rest = buf.partition(b"\r\n\r\n")
            if not sep:
                return buf
            length = 0
            for line in head.split(b"\r\n")[1:]:
                name, _, value = line.partition(b":")
                if name.strip().lower() in (b"content-length", b"l") and value.strip().isdigit():
                    length = int(value)
            if len(rest) < length:
                return buf
            self._message(head + sep + rest[:length], src, dst, "tcp")
            buf = rest[length:]

    def _message(self, data, src, dst, transport):
        if b"SIP/2.0" not in data.split(b"\r\n", 1)[0]:
            return
        try:
            msg = Message.parse(data)
        except ValueError:
            return  # not for us to judge: tests send broken ones, too
        msg.at, msg.source, msg.dest, msg.transport = time.monotonic(), src, dst, transport
        msg.size = len(data)
        self.messages.append(msg)

    def requests(self, method, call_ids=None):
        """The requests of one method in order of sight, retransmissions left out."""
        self.settle()
        seen, out = set(), []
        for m in list(self.messages):
            if not m.is_request or m.method != method or (call_ids and m.call_id not in call_ids):
                continue
            key = (m.branch, m.source, m.dest)
            if key not in seen:
                seen.add(key)
                out.append(m)
        return out
