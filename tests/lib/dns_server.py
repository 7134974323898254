# SPDX-License-Identifier: Apache-2.0
"""A DNS server over UDP with exactly the records a test gives it."""
import socket
import struct
import threading

TYPES = {"A": 1, "AAAA": 28, "SRV": 33, "NAPTR": 35}


def name_bytes(name):
    return b"".join(bytes([len(p)]) + p.encode() for p in name.split(".") if p) + b"\0"


def text_bytes(text):
    return bytes([len(text)]) + text.encode()


def rdata(kind, value):
    if kind == "A":
        return socket.inet_aton(value)
    if kind == "AAAA":
        return socket.inet_pton(socket.AF_INET6, value)
    if kind == "SRV":
        priority, weight, port, target = value
        return struct.pack(">HHH", priority, weight, port) + name_bytes(target)
    order, preference, flags, service, replacement = value
    return (struct.pack(">HH", order, preference) + text_bytes(flags) + text_bytes(service) + text_bytes("")
            + name_bytes(replacement))


class DnsServer:
    """records: {(name, type): [value, ...]}; .asked lists (name, type) in order; silent: drop everything."""

    def __init__(self, records, address=("127.0.0.1", 5353), ttl=60):
        self.records, self.ttl = dict(records), ttl
        self.asked = []
        self.silent = False
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(address)
        self.sock.settimeout(0.1)
        self.stop = False
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop = True
        self.thread.join()
        self.sock.close()

    def _serve(self):
        while not self.stop:
            try:
                data, source = self.sock.recvfrom(4096)
            except socket.timeout:
                continue
            if self.silent:
                continue
            at, labels = 12, []
            while data[at]:
                labels.append(data[at + 1:at + 1 + data[at]].decode())
                at += 1 + data[at]
            kind, = struct.unpack(">H", data[at + 1:at + 3])
            name = ".".join(labels).lower()
            kind = {v: k for k, v in TYPES.items()}.get(kind, str(kind))
            self.asked.append((name, kind))
            values = self.records.get((name, kind), [])
            known = values or any(n == name for n, _ in self.records)
            answer = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", TYPES[kind], 1, self.ttl, len(r)) + r
                              for r in (rdata(kind, v) for v in values))
            head = data[:2] + struct.pack(">HHHHH", 0x8180 if known else 0x8183, 1, len(values), 0, 0)
            try:
                self.sock.sendto(head + data[12:at + 5] + answer, source)
            except OSError:
                return
