#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ten million changed messages through sm under ASan and UBSan (AURA_COUNT, AURA_SEED): alive throughout, no report.

sip_storm.c sends most of them, from a phone's address that the firewall lets through, from the ports that sm takes
for cm and presence, and from strangers that it judges; WebSockets come from here. Two phones stay logged in all
the time over one connection and one port: they must be served, and what sm sends them must be whole messages."""
import os
import select
import subprocess
import sys
import tempfile
import time

TOP = os.environ["AURA_TOP"]
os.environ["AURA_BIN"] = os.environ.get("AURA_DEV_BIN", os.path.join(TOP, "build", "dev", "bin"))
sys.path.insert(0, os.path.join(TOP, "tests", "integration", "calls"))
from mutator import Mutator, kept_paths  # noqa: E402
from plane import DOMAIN, SM, password, plane  # noqa: E402
from steady_phone import SteadyPhone  # noqa: E402

COUNT = int(os.environ.get("AURA_COUNT", "10000000"))
EVERY = min(COUNT, int(os.environ.get("AURA_EVERY", "100000")))


def memory(server):
    with open("/proc/%d/status" % server.process.pid, encoding="ascii") as status:
        return int(next(line for line in status if line.startswith("VmRSS")).split()[1])


def counters(server):
    """{name{labels}: value} of /metrics."""
    text = server.get("/metrics").decode()
    return {line.rsplit(" ", 1)[0]: int(float(line.rsplit(" ", 1)[1])) for line in text.splitlines()
            if line and not line.startswith("#")}


def lost(port):
    """Datagrams that the kernel threw away because sm was slower than the storm."""
    with open("/proc/net/udp", encoding="ascii") as table:
        rows = [line.split() for line in table][1:]
    return sum(int(row[-1]) for row in rows if int(row[1].rsplit(":", 1)[1], 16) == port)


def storm(folder, seed):
    program = folder + "/sip_storm"
    subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE", "-o", program,
                    os.path.join(TOP, "tests", "soak", "sip_storm.c"), "-lcrypto"], check=True)
    return subprocess.Popen([program, f"seed={seed}", f"count={COUNT}", f"every={EVERY}"] + kept_paths(),
                            stdout=subprocess.PIPE)


def report(p, said, began):
    m = counters(p.sm)

    def total(result):
        return m.get(f'aura_sm_messages_total{{result="{result}"}}', 0)

    blocked = sum(v for k, v in m.items() if k.startswith("aura_sm_firewall_blocked_total"))
    print("%s s=%.0f transactions=%d malformed=%d unreadable=%d firewall=%d lost=%d open=%d+%d rss_kib=%d" % (
        said, time.monotonic() - began, total("read"), total("malformed"), total("unreadable"), blocked, lost(5060),
        m['aura_sm_transactions{side="server"}'], m['aura_sm_transactions{side="client"}'], memory(p.sm)), flush=True)


def drive(p, process, phones, sockets, began):
    """Until the storm ends."""
    while True:
        if not select.select([process.stdout], [], [], 0.2)[0]:
            try:
                sockets.web_socket([sockets.one() for _ in range(5)])
            except (OSError, AssertionError):
                pass  # cut for what it said: that is the server's right
            continue
        line = process.stdout.readline().decode().strip()
        if not line:
            break
        assert line.startswith("sent="), line
        report(p, line, began)
        for phone in phones:
            phone.served()
    assert process.wait() == 0, f"the storm ended with {process.returncode}"


def main():
    seed = int(os.environ.get("AURA_SEED", str(time.time_ns() % 1000000)))
    print(f"seed {seed}")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="aura-soak-") as folder, \
            plane(servers=("sm",), settings=["sip.wss_listen=127.0.0.1:5443"]) as p:
        p.wire.close()  # it would keep everything
        phones = [SteadyPhone(u, password(u), domain=DOMAIN, transport=t, server=SM)
                  for u, t in (("3009", "udp"), ("3010", "tcp"))]
        p.phones += phones
        for phone in phones:
            phone.served()
        sockets = Mutator(seed, ws_port=5443, ports=(0,))
        process = storm(folder, seed)
        try:
            drive(p, process, phones, sockets, began)
        finally:
            process.kill()
            process.wait()
            sockets.close()
        for phone in phones:
            print(f"{phone.user} heard {phone.heard}")
            assert phone.heard > COUNT / 1000
    print("no report, no leak")  # the server's exit status says so: plane() checks it
    return 0


if __name__ == "__main__":
    if "AURA_NETNS" not in os.environ:
        os.environ["AURA_NETNS"] = "1"
        os.execvp("unshare", ["unshare", "-n", "sh", "-c", 'ip link set lo up; exec "$0"', os.path.abspath(__file__)])
    sys.exit(main())
