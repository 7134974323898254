#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""CPU per REGISTER and per call of sm and cm, beside Kamailio on the same work in the same run.

Loopback, UDP, SIPp as the load, median of three. What is counted is user + system time of the whole
process tree. One proxied call by Kamailio stands beside our call through sm, cm, sm, cm, sm: there is no
free back-to-back user agent in Debian 12 to compare cm with."""
import glob
import hashlib
import os
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import sipp_calls  # noqa: E402
from standalone import Server  # noqa: E402

DOMAIN, HOST = "aurabox.internal", "127.0.0.1"
USERS = ["4%03d" % i for i in range(100)]
REGISTERS, REGISTER_RATE, CALLS, CALL_RATE, ROUNDS = 3000, 300, 500, 50, 3
TICK = os.sysconf("SC_CLK_TCK")


def password(user):
    return "bench-" + user


def document():
    users = [{"handle": u, "name": u, "password": password(u), "station": {"extension": u, "appearances": 10},
              "presence": {"enabled": False}} for u in USERS]
    entities = [{"name": n, "type": n, "address": HOST, "port": p, "transport": "tcp"}
                for n, p in (("sm", 5060), ("cm", 5070))]
    return {"schema": 1, "domain": DOMAIN, "users": users, "sip_entities": entities,
            "application_sequences": [{"name": "default", "entities": ["cm"]}],
            "dial_plan": [{"match": "4", "length": 4, "type": "extension"}]}


def tree(pid):
    found = [pid]
    for path in glob.glob("/proc/%d/task/*/children" % pid):
        with open(path, encoding="ascii") as f:
            for child in f.read().split():
                found += tree(int(child))
    return found


def cpu(pids):
    """User and system seconds of these process trees."""
    total = 0
    for pid in [p for root in pids for p in tree(root)]:
        with open("/proc/%d/stat" % pid, encoding="ascii") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICK


class Kamailio:
    def __init__(self, folder):
        modules = glob.glob("/usr/lib/*/kamailio/modules")[0]
        ha1s = "\n".join('\t$sht(ha1=>%s) = "%s";' % (u, hashlib.md5(
            ("%s:%s:%s" % (u, DOMAIN, password(u))).encode()).hexdigest()) for u in USERS)
        with open(os.path.dirname(os.path.abspath(__file__)) + "/kamailio.cfg", encoding="utf-8") as f:
            text = f.read().replace("@MODULES@", modules).replace("@HA1S@", ha1s)
        with open(folder + "/kamailio.cfg", "w", encoding="utf-8") as f:
            f.write(text.replace("uri == myself", 'uri =~ "127.0.0.1"'))
        self.log = open(folder + "/kamailio.log", "wb")
        self.process = subprocess.Popen(["kamailio", "-DD", "-E", "-m", "256", "-M", "32", "-Y", folder, "-f",
                                         folder + "/kamailio.cfg"], stdout=self.log, stderr=self.log)
        time.sleep(2)
        if self.process.poll() is not None:
            with open(folder + "/kamailio.log", encoding="utf-8") as f:
                sys.exit(f.read()[-3000:])
        self.pids = [self.process.pid]

    def close(self):
        self.process.terminate()
        self.process.wait(10)
        self.log.close()


class Ours:
    def __init__(self, _folder):
        self.servers = [Server("aura-cm", document(), HOST + ":5070"), Server("aura-sm", document(), HOST + ":5060")]
        time.sleep(1)
        self.pids = [s.process.pid for s in self.servers]

    def close(self):
        for server in self.servers:
            server.stop()


def sipp(folder, name, port, count, rate, table, *more):
    done = subprocess.run(sipp_calls.sipp(folder, name, HOST + ":5060", HOST, port, "-m", str(count), "-r", str(rate),
                                          "-timeout", str(20 + 3 * count // rate), "-inf", table, *more),
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd=folder, check=False)
    if done.returncode != 0:
        sipp_calls.tell(folder)
        sys.exit("SIPp %s ended with %d" % (name, done.returncode))


def table(folder, name, third):
    path = "%s/%s.csv" % (folder, name)
    with open(path, "w", encoding="ascii") as f:
        f.write("SEQUENTIAL\n" + "".join(
            "%s;[authentication username=%s password=%s];%s\n" % (u, u, password(u), third(i))
            for i, u in enumerate(USERS)))
    return path


def measure(kind):
    """CPU seconds per (REGISTER, call)."""
    with tempfile.TemporaryDirectory(prefix="aura-bench-") as folder:
        for name in ("register", "answer", "call"):
            sipp_calls.scenario(folder, name, DOMAIN)
        server = kind(folder)
        try:
            registers = table(folder, "register", lambda i: sipp_calls.ANSWER_PORT)
            callers = table(folder, "call", lambda i: USERS[(i + 50) % len(USERS)])
            before = cpu(server.pids)
            sipp(folder, "register", sipp_calls.REGISTER_PORT, REGISTERS, REGISTER_RATE, registers)
            middle = cpu(server.pids)
            answering = subprocess.Popen(sipp_calls.sipp(folder, "answer", HOST + ":5060", HOST,
                                                         sipp_calls.ANSWER_PORT, "-aa"),
                                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd=folder)
            try:
                sipp(folder, "call", sipp_calls.CALL_PORT, CALLS, CALL_RATE, callers, "-l", "40")
                time.sleep(1)
            finally:
                answering.terminate()
                answering.wait()
            return (middle - before) / REGISTERS, (cpu(server.pids) - middle) / CALLS
        finally:
            server.close()


def main():
    results = {Ours: [], Kamailio: []}
    for _ in range(ROUNDS):
        for kind in results:
            results[kind].append(measure(kind))
    for i, name in enumerate(("sip.register_with_challenge", "sip.call_with_407")):
        ours, peer = (statistics.median(r[i] for r in results[kind]) * 1e3 for kind in (Ours, Kamailio))
        print("%s %.3f %.3f %.2f ms_cpu" % (name, ours, peer, ours / peer if peer else 0), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
