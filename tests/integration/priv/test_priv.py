#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 90
"""aurabox-priv in a namespace: who may ask, what bridge and filter look like, and that the filter filters."""
import array
import errno
import json
import os
import pwd
import socket
import struct
import subprocess
import sys
import time

from box import Box, wait_until

MAGIC, VERSION = 0x41555250, 1
PING, BRIDGE, FIREWALL, LOG_OPEN = 1, 2, 3, 4


def call(box, verb, name=b"", index=0, raw=None, uid=None):
    """(result, detail, descriptor) or None when the connection was closed without an answer."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        answer = None
        try:
            if uid is not None:
                os.setgroups([])
                os.setgid(pwd.getpwuid(uid).pw_gid)
                os.setuid(uid)
            answer = ask(box, raw or struct.pack("4I64s", MAGIC, VERSION, verb, index, name))
        except OSError as error:
            answer = [-error.errno, "connect", None]
        finally:
            os.write(writer, json.dumps(answer).encode())
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as source:
        text = source.read()
    os.waitpid(child, 0)
    return json.loads(text)


def ask(box, request):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.settimeout(10)
        s.connect(box.place("/run/aurabox/priv.sock"))
        s.send(request)
        data, control, _, _ = s.recvmsg(4096, 256)
        if not data:
            return None
        _, _, result, detail = struct.unpack("IIi236s", data)
        text = None
        for _, _, fds in control:
            text = os.read(array.array("i", fds)[0], 100).decode()
        return [result, detail.split(b"\0")[0].decode(), text]


def callers(box):
    assert call(box, PING) == [0, "", None]
    aurabox = pwd.getpwnam("aurabox").pw_uid
    assert call(box, PING, uid=aurabox) == [0, "", None]
    nobody = pwd.getpwnam("nobody").pw_uid
    refused = call(box, PING, uid=nobody)
    assert refused is None or refused[0] < 0, refused
    # the socket's mode already keeps others out; the kernel's word is checked besides
    os.chmod(box.place("/run/aurabox/priv.sock"), 0o666)
    refused = call(box, PING, uid=nobody)
    assert refused is None or refused[0] in (-errno.EPIPE, -errno.ECONNRESET), refused
    assert "event=priv.refused" in box.log("priv")


def requests(box):
    for raw in (b"", b"x", b"\0" * 80, struct.pack("4I64s", MAGIC, VERSION, 99, 0, b""),
                struct.pack("4I64s", MAGIC, 2, PING, 0, b""),
                struct.pack("4I64s", MAGIC, VERSION, LOG_OPEN, 0, b"../../etc/passwd")):
        if raw:
            assert call(box, 0, raw=raw)[0] < 0, raw
    assert call(box, PING)[0] == 0, "still there"


def bridge(box):
    for _ in range(2):
        assert call(box, BRIDGE) == [0, "", None]
    link = json.loads(box.output(["ip", "-j", "-d", "address", "show", "aura0"]))[0]
    assert link["linkinfo"]["info_kind"] == "bridge" and "UP" in link["flags"], link
    assert [a["local"] for a in link["addr_info"] if a["family"] == "inet"] == ["10.77.0.1"], link
    mac = link["address"]
    # a port with a lower address must not take the bridge's over
    box.run(["ip", "link", "add", "port", "address", "00:00:00:00:00:01", "type", "veth", "peer", "name", "other"])
    box.run(["ip", "link", "set", "port", "master", "aura0", "up"])
    link = json.loads(box.output(["ip", "-j", "address", "show", "aura0"]))[0]
    assert link["address"] == mac and mac.startswith("02:"), link
    box.run(["ip", "link", "delete", "port"])


def logs(box):
    folder = box.place("/var/lib/aurabox/logs")
    os.makedirs(folder)
    with open(f"{folder}/sm.log", "w", encoding="ascii") as out:
        out.write("console")
    os.chmod(f"{folder}/sm.log", 0o600)
    os.symlink("/etc/shadow", f"{folder}/cm.log")
    aurabox = pwd.getpwnam("aurabox").pw_uid
    assert call(box, LOG_OPEN, b"sm", uid=aurabox) == [0, "", "console"]
    assert call(box, LOG_OPEN, b"cm", uid=aurabox)[0] == -13
    assert call(box, LOG_OPEN, b"none", uid=aurabox)[0] == -2


def neighbour(box, name, bridge_port, address, gateway):
    """A network namespace of its own: a guest on the bridge, or a phone behind the box."""
    space = f"{box.name}-{name}"
    box.run(["ip", "netns", "add", space])
    box.run(["ip", "link", "add", f"v{name}", "type", "veth", "peer", "name", f"p{name}"])
    box.run(["ip", "link", "set", f"p{name}", "netns", space])
    box.run(["ip", "link", "set", f"v{name}", "up", *(["master", "aura0"] if bridge_port else [])])
    if not bridge_port:
        box.run(["ip", "address", "add", f"{gateway}/24", "dev", f"v{name}"])
    for command in (["link", "set", "lo", "up"], ["address", "add", f"{address}/24", "dev", f"p{name}"],
                    ["link", "set", f"p{name}", "up"], ["route", "add", "default", "via", gateway]):
        box.run(["ip", "-n", space, *command])
    return space


LISTEN = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", int(sys.argv[1])))
print("up", flush=True)
while True:
    data, peer = s.recvfrom(100)
    s.sendto(b"%s %s" % (sys.argv[2].encode(), peer[0].encode()), peer)
"""
ASK = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(1)
s.connect((sys.argv[1], int(sys.argv[2])))
try:
    s.send(b"?")
    print(s.recv(100).decode(), s.getpeername()[0])
except OSError:
    print("nothing")
"""


def asks(box, space, address, port):
    return box.output(["ip", "netns", "exec", space, sys.executable, "-c", ASK, address, str(port)]).strip()


def firewall(box):
    for _ in range(2):
        assert call(box, FIREWALL) == [0, "", None]
    assert box.output(["nft", "list", "tables"]).split("\n").count("table ip aurabox") == 1
    spaces, listeners = [], []
    try:
        spaces.append(neighbour(box, "sm", True, "10.77.0.11", "10.77.0.1"))
        spaces.append(neighbour(box, "cm", True, "10.77.0.12", "10.77.0.1"))
        spaces.append(neighbour(box, "phone", False, "192.0.2.9", "192.0.2.1"))
        sm, cm, phone = spaces
        for space, word, port in ((sm, "sm", 5060), (cm, "cm", 5060), (phone, "phone", 4000)):
            listeners.append(subprocess.Popen(
                box.enter(["ip", "netns", "exec", space, sys.executable, "-c", LISTEN, str(port), word]),
                stdout=subprocess.PIPE, text=True))
            assert listeners[-1].stdout.readline() == "up\n"
        time.sleep(0.3)
        # a phone that calls the host's address reaches sm, which sees the phone's own address
        assert wait_until("sm", 5, lambda: asks(box, phone, "192.0.2.1", 5060)) == "sm 192.0.2.9 192.0.2.1"
        # another port of the host, and any guest by its own address: no
        assert asks(box, phone, "10.77.0.12", 5060) == "nothing"
        assert asks(box, phone, "10.77.0.11", 4000) == "nothing"
        # sm may begin towards a phone, and is known by the host's address; the others may not
        assert asks(box, sm, "192.0.2.9", 4000) == "phone 192.0.2.1 192.0.2.9"
        assert asks(box, cm, "192.0.2.9", 4000) == "nothing"
        # guests among themselves
        assert asks(box, cm, "10.77.0.11", 5060) == "sm 10.77.0.12 10.77.0.11"
    finally:
        for process in listeners:
            process.kill()
            process.wait()
        for space in spaces:
            box.run(["ip", "netns", "delete", space], check=False)


def main():
    with Box("priv", libvirt=False) as box:
        box.start_priv()
        for part in (callers, requests, bridge, logs, firewall):
            part(box)
            print(f"ok {part.__name__}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
