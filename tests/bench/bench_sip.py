#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""CPU, memory and delay of sm and cm, beside Kamailio on the same work in the same run.

Loopback, the load is sip_load.c, median of three rounds. What is counted is the processor time of the whole
process tree. One proxied call by Kamailio stands beside our call through sm, cm, sm, cm, sm: there is no
free back-to-back user agent in Debian 12 to compare cm with. `bench_sip.py NAME...` measures only some:
register refused options call latency full floor memory growth avalanche tls."""
import contextlib
import glob
import hashlib
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE + "/../lib")
from authority import Authority  # noqa: E402
from standalone import Server  # noqa: E402

DOMAIN, HOST = "aurabox.internal", "127.0.0.1"
ROUNDS = 3
USERS = 1000  # of the rounds; names are 4 and six digits
REGISTERS, REGISTER_RATE, CALLS, CALL_RATE, FLOOD = 4000, 800, 1000, 200, 60000
BINDINGS, CONNECTIONS, GROWN, RETURNING = 10000, 5000, 100000, 5000
SECONDS_OF_A_TRANSACTION = 33


def name(i):
    return "4%06d" % i


def password(user):
    return "bench-" + user


def document(users, stations=False):
    rows = [{"handle": name(i), "name": name(i), "password": password(name(i)), "presence": {"enabled": False}}
            for i in range(users)]
    entities = [{"name": "sm", "type": "sm", "address": HOST, "port": 5060, "transport": "tcp"}]
    sequences = []
    if stations:
        for row in rows:
            row["station"] = {"extension": row["handle"], "appearances": 10}
        entities.append({"name": "cm", "type": "cm", "address": HOST, "port": 5070, "transport": "tcp"})
        sequences.append({"name": "default", "entities": ["cm"]})
    return {"schema": 1, "domain": DOMAIN, "users": rows, "sip_entities": entities,
            "application_sequences": sequences, "dial_plan": [{"match": "4", "length": 7, "type": "extension"}]}


def tree(pid):
    found = [pid]
    for path in glob.glob("/proc/%d/task/*/children" % pid):
        with open(path, encoding="ascii") as f:
            for child in f.read().split():
                found += tree(int(child))
    return found


def cpu(pids):
    """Seconds on a processor of these process trees, from the scheduler's own nanoseconds."""
    total = 0
    for pid in [p for root in pids for p in tree(root)]:
        for path in glob.glob("/proc/%d/task/*/schedstat" % pid):
            with open(path, encoding="ascii") as f:
                total += int(f.read().split()[0])
    return total / 1e9


def memory(pids):
    """Bytes of these process trees, shared pages once."""
    total = 0
    for pid in [p for root in pids for p in tree(root)]:
        with open("/proc/%d/smaps_rollup" % pid, encoding="ascii") as f:
            total += sum(int(line.split()[1]) for line in f if line.startswith("Pss:"))
    return total * 1024


class Kamailio:
    def __init__(self, folder, users, _cm=False):
        modules = glob.glob("/usr/lib/*/kamailio/modules")[0]
        ha1s = "\n".join('\t$sht(ha1=>%s) = "%s";' % (u, hashlib.md5(
            ("%s:%s:%s" % (u, DOMAIN, password(u))).encode()).hexdigest()) for u in map(name, range(users)))
        with open(HERE + "/kamailio.cfg", encoding="utf-8") as f:
            text = f.read().replace("@MODULES@", modules).replace("@HA1S@", ha1s)
        with open(folder + "/kamailio.cfg", "w", encoding="utf-8") as f:
            f.write(text.replace("uri == myself", 'uri =~ "127.0.0.1"'))
        self.log = open(folder + "/kamailio.log", "wb")
        self.process = subprocess.Popen(["kamailio", "-DD", "-E", "-m", "512", "-M", "64", "-Y", folder, "-f",
                                         folder + "/kamailio.cfg"], stdout=self.log, stderr=self.log)
        time.sleep(2)
        if self.process.poll() is not None:
            with open(folder + "/kamailio.log", encoding="utf-8") as f:
                sys.exit(f.read()[-3000:])
        self.pids = [self.process.pid]

    def close(self):
        pids = tree(self.process.pid)
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:  # once in a while it does not end by itself
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait()
        self.log.close()


class Ours:
    def __init__(self, _folder, users, with_cm=False, settings=()):
        self.servers = [Server("aura-sm", document(users, with_cm), HOST + ":5060", settings)]
        if with_cm:
            self.servers.append(Server("aura-cm", document(users, True), HOST + ":5070"))
        time.sleep(1)
        self.pids = [s.process.pid for s in self.servers]

    def close(self):
        for server in self.servers:
            server.stop()
            subprocess.run(["rm", "-rf", server.folder], check=False)


class Floor:
    """Receives and answers in batches and does nothing else."""

    def __init__(self, _folder):
        self.process = subprocess.Popen([LOAD, "floor", "port=5060"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.process.stdout.readline()
        self.pids = [self.process.pid]

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


LOAD = TLS_LOAD = ""


def build(folder):
    global LOAD, TLS_LOAD
    LOAD, TLS_LOAD = folder + "/sip_load", folder + "/tls_load"
    for program in (LOAD, TLS_LOAD):
        subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE", "-o", program,
                        "%s/%s.c" % (HERE, os.path.basename(program)), "-lssl", "-lcrypto"], check=True)


def load(pids, mode, **keys):
    """CPU seconds per operation of the process trees, and what the load says of itself."""
    keys = {"count": 1, "domain": DOMAIN, "digits": 6, **keys}
    with subprocess.Popen([keys.pop("program", LOAD), mode] + ["%s=%s" % item for item in keys.items()], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        before = cpu(pids)
        process.stdin.write("go\n")
        process.stdin.flush()
        said = process.stdout.readline()
        after = cpu(pids)
        if not said:
            sys.exit("sip_load %s ended early" % mode)
    result = {k: float(v) for k, v in (word.split("=") for word in said.split())}
    if result["failed"]:
        sys.exit("sip_load %s: %s" % (mode, said))
    return (after - before) / result["done"], result


def rounds(kind, wanted):
    """One round of a server: {figure: CPU milliseconds or microseconds}."""
    out = {}
    with tempfile.TemporaryDirectory(prefix="aura-bench-") as folder:
        server = kind(folder, USERS)
        try:
            load(server.pids, "register", count=USERS, window=16, users=USERS)
            for mode in ("refused", "options"):  # these first: what fills up with traffic is full then
                found = load(server.pids, mode, count=FLOOD, window=64, users=USERS)[0]
                if mode in wanted:
                    out[mode] = found
            if "register" in wanted:
                out["register"] = load(server.pids, "register", count=REGISTERS, rate=REGISTER_RATE, users=USERS)[0]
            if "call" in wanted or "latency" in wanted:
                out["call"], said = load(server.pids, "call", count=CALLS, rate=CALL_RATE, users=USERS)
                out["p50"], out["p99"] = said["p50_us"], said["p99_us"]
        finally:
            server.close()
    return out


def full_call():
    with tempfile.TemporaryDirectory(prefix="aura-bench-") as folder:
        server = Ours(folder, USERS, True)
        try:
            load(server.pids, "register", count=USERS, window=16, users=USERS)
            return load(server.pids, "call", count=CALLS // 2, rate=CALL_RATE // 2, users=USERS)[0]
        finally:
            server.close()


def floor():
    """What a datagram and its answer cost when nothing is done with them: at saturation, and one by one as at
    REGISTER_RATE (two each)."""
    server = Floor(None)
    try:
        return (load(server.pids, "options", count=FLOOD * 4, window=64)[0],
                load(server.pids, "options", count=REGISTERS * 2, rate=REGISTER_RATE * 2)[0])
    finally:
        server.close()


def show(figure, ours, peer, unit, scale=1e3):
    ratio = "%.2f" % (ours / peer) if peer else "-"
    print("sip.%s %.4f %s %s %s" % (figure, ours * scale, "%.4f" % (peer * scale) if peer else "-", ratio, unit),
          flush=True)


def per_round(wanted):
    names = {"register": "register_with_challenge", "refused": "stateless_401", "options": "options",
             "call": "call_with_407"}
    results = {Ours: [], Kamailio: []}
    full, bare = [], []
    for _ in range(ROUNDS):
        for kind, found in results.items():
            found.append(rounds(kind, wanted))
        if "full" in wanted:
            full.append(full_call())
        if "floor" in wanted:
            bare.append(floor())
    middle = {kind: {k: statistics.median(r[k] for r in found) for k in found[0]} for kind, found in results.items()}
    for key, label in names.items():
        if key in wanted and key in middle[Ours]:
            show(label, middle[Ours][key], middle[Kamailio][key], "ms_cpu")
    if full and "call" in middle[Kamailio]:
        show("full_call", statistics.median(full), middle[Kamailio]["call"], "ms_cpu")
    if "latency" in wanted:
        show("invite_to_180_p50", middle[Ours]["p50"], middle[Kamailio]["p50"], "us", 1)
        show("invite_to_180_p99", middle[Ours]["p99"], middle[Kamailio]["p99"], "us", 1)
    if bare:
        show("bare_loop", statistics.median(b[0] for b in bare), 0, "ms_cpu")
        show("bare_loop_two_of_1600_a_second", 2 * statistics.median(b[1] for b in bare), 0, "ms_cpu")


def memory_after(kind, users):
    """Bytes after as many REGISTERs as there shall be bindings, by so many users, and their transactions' end."""
    with tempfile.TemporaryDirectory(prefix="aura-bench-") as folder:
        server = kind(folder, BINDINGS)
        try:
            load(server.pids, "register", count=BINDINGS, window=64, users=users)
            time.sleep(SECONDS_OF_A_TRANSACTION)
            return memory(server.pids)
        finally:
            server.close()


def memory_of_connection(kind):
    with tempfile.TemporaryDirectory(prefix="aura-bench-") as folder:
        server = kind(folder, 10)
        try:
            before = memory(server.pids)
            with subprocess.Popen([LOAD, "idle", "port=5060", "count=%d" % CONNECTIONS, "domain=" + DOMAIN],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
                process.stdout.readline()
                after = memory(server.pids)
                process.stdin.close()
            return (after - before) / CONNECTIONS
        finally:
            server.close()


def memory_of(kind):
    """Bytes per 10,000 bindings (beside as many REGISTERs of one user) and per idle TCP connection."""
    return memory_after(kind, BINDINGS) - memory_after(kind, 1), memory_of_connection(kind)


def growth():
    """CPU per REGISTER with challenge at 800/s with 1,000 and with 100,000 bindings."""
    found = []
    with tempfile.TemporaryDirectory(prefix="aura-bench-") as folder:
        server = Ours(folder, GROWN)
        try:
            for users in (USERS, GROWN):
                load(server.pids, "register", count=users, window=64, users=users)
                time.sleep(SECONDS_OF_A_TRANSACTION)
                costs = [load(server.pids, "register", count=REGISTERS, rate=REGISTER_RATE, users=users)[0]
                         for _ in range(ROUNDS)]
                found.append(statistics.median(costs))
        finally:
            server.close()
    return found


def avalanche():
    """Seconds until all users are registered again, all beginning at once after a restart."""
    with tempfile.TemporaryDirectory(prefix="aura-bench-") as folder:
        server = Ours(folder, RETURNING)
        try:
            return load(server.pids, "register", count=RETURNING, window=RETURNING, users=RETURNING)[1]["seconds"]
        finally:
            server.close()


def avalanche_tls():
    """The same over TLS: each a connection and a full handshake with certificates of ECDSA P-256."""
    with tempfile.TemporaryDirectory(prefix="aura-bench-") as folder:
        authority = Authority(folder)
        certificate, key = authority.issue("sm")
        server = Ours(folder, RETURNING, settings=("tls.cert=" + certificate, "tls.key=" + key,
                                                   "tls.ca=" + folder + "/ca.pem"))
        try:
            return load(server.pids, "register", program=TLS_LOAD, port=5061, count=RETURNING,
                        ca=folder + "/ca.pem")
        finally:
            server.close()


def main():
    everything = ["register", "refused", "options", "call", "latency", "full", "floor", "memory", "growth",
                  "avalanche", "tls"]
    wanted = sys.argv[1:] or everything
    if any(w not in everything for w in wanted):
        sys.exit("figures: " + " ".join(everything))
    with tempfile.TemporaryDirectory(prefix="aura-bench-") as folder:
        build(folder)
        if set(wanted) & set(everything[:7]):
            per_round(wanted)
        if "memory" in wanted:
            ours, peer = memory_of(Ours), memory_of(Kamailio)
            show("memory_10000_bindings", ours[0], peer[0], "MiB", 1 / 1048576)
            show("idle_tcp_connection", ours[1], peer[1], "KiB", 1 / 1024)
        if "growth" in wanted:
            small, large = growth()
            show("register_at_100000_bindings_beside_1000", large, small, "ms_cpu")
        if "avalanche" in wanted:
            show("avalanche_5000_udp", statistics.median(avalanche() for _ in range(ROUNDS)), 0, "s", 1)
        if "tls" in wanted:
            found = [avalanche_tls() for _ in range(ROUNDS)]
            show("avalanche_5000_tls_ecdsa", statistics.median(said["seconds"] for _, said in found), 0, "s", 1)
            show("register_with_tls_handshake", statistics.median(cost for cost, _ in found), 0, "ms_cpu")
    return 0


if __name__ == "__main__":
    sys.exit(main())
