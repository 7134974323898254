#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Half an hour at half of the bench's load: 100 calls a second through sm and cm, 400 registrations beside them.

Memory must be flat: the mean of the last third is at most 1 % above that of the first. Before, WARM_S seconds of the
whole load fill what fills up with traffic (trace, nonces, pools of transactions) to its highest. As in a guest the
servers keep their state on a disk: cm's call records wait there until smgr has taken them, and here nobody does."""
import os
import statistics
import subprocess
import sys
import tempfile
import time

TOP = os.environ["AURA_TOP"]
sys.path.insert(0, TOP + "/tests/bench")
import bench_sip as bench  # noqa: E402
from standalone import Server  # noqa: E402

SECONDS = int(os.environ.get("AURA_SECONDS", "1800"))
WARM_S = int(os.environ.get("AURA_WARM_S", "120"))
SETTLE_S = 40  # transactions of the warming end
SAMPLE_S = 5
GROWTH_MAX = 0.01


def start(mode, **keys):
    keys = {"domain": bench.DOMAIN, "digits": 6, "users": bench.USERS, **keys}
    process = subprocess.Popen([bench.LOAD, mode] + ["%s=%s" % item for item in keys.items()], text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdout.readline()
    process.stdin.write("go\n")
    process.stdin.flush()
    return process


def ended(process):
    said = process.stdout.readline()
    process.wait()
    assert said, "a load ended early"
    return {k: float(v) for k, v in (word.split("=") for word in said.split())}


def sample(server):
    return [bench.memory([pid]) / 1024 for pid in server.pids]


class Servers:
    def __init__(self, folder):
        document = bench.document(bench.USERS, True)
        self.servers = [Server(name, document, "%s:%d" % (bench.HOST, port), database="%s/%s.db" % (folder, name))
                        for name, port in (("aura-sm", 5060), ("aura-cm", 5070))]
        time.sleep(1)
        self.pids = [s.process.pid for s in self.servers]

    def close(self):
        """Whether each ended as it should."""
        return [server.stop() for server in self.servers] == [0, 0]


def both(seconds, share):
    """The two loads for so long, at this share of the whole."""
    return [start("call", count=bench.CALL_RATE * seconds // share, rate=bench.CALL_RATE // share),
            start("register", count=bench.REGISTER_RATE * seconds // share, rate=bench.REGISTER_RATE // share)]


def watch(server):
    """Samples of half the load."""
    samples = []
    loads = both(SETTLE_S + SECONDS, 2)
    began = time.monotonic()
    while time.monotonic() - began < SETTLE_S + SECONDS - 1:
        time.sleep(SAMPLE_S)
        assert all(s.process.poll() is None for s in server.servers), "a server has ended"
        at = time.monotonic() - began - SETTLE_S
        if at < 0:
            continue
        samples.append(sample(server))
        if len(samples) % 60 == 1:
            print("%5.0f s  sm %.0f KiB  cm %.0f KiB" % (at, *samples[-1]), flush=True)
    return samples, [ended(load) for load in loads]


def run(folder):
    bench.build(folder)
    server = Servers(folder)
    try:
        bench.load(server.pids, "register", count=bench.USERS, window=16, users=bench.USERS)
        warm = [ended(load) for load in both(WARM_S, 1)]
        print("warmed: %d calls, %d registrations; %d failed" % (
            warm[0]["done"], warm[1]["done"], warm[0]["failed"] + warm[1]["failed"]), flush=True)
        before = bench.cpu(server.pids)
        samples, said = watch(server)
        used = bench.cpu(server.pids) - before
    finally:
        good = server.close()
    assert good, "a server did not end well"
    return samples, said, used


def main():
    with tempfile.TemporaryDirectory(prefix="aura-soak-") as folder:
        samples, said, used = run(folder)
    bad = 0
    for mode, result in zip(("calls", "registrations"), said):
        print("%s %d, failed %d, repeated %d, p50 %d us, p99 %d us" % (
            mode, result["done"], result["failed"], result["resent"], result["p50_us"], result["p99_us"]))
        bad += result["failed"] > 0
    print("%.2f of a processor" % (used / (SETTLE_S + SECONDS)))
    third = len(samples) // 3
    for name, values in zip(("sm", "cm"), zip(*samples)):
        first, last = statistics.mean(values[:third]), statistics.mean(values[-third:])
        growth = last / first - 1
        print("%s: first third %.0f KiB, last third %.0f KiB, %+.2f %%, highest %.0f KiB" % (
            name, first, last, 100 * growth, max(values)))
        bad += growth > GROWTH_MAX
    return 1 if bad else 0


if __name__ == "__main__":
    if "AURA_NETNS" not in os.environ:
        os.environ["AURA_NETNS"] = "1"
        os.execvp("unshare", ["unshare", "-n", "sh", "-c", 'ip link set lo up; exec "$0"', os.path.abspath(__file__)])
    sys.exit(main())
