#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ten million changed messages through sm under ASan and UBSan (AURA_COUNT, AURA_SEED): alive throughout, no report."""
import os
import sys
import time

TOP = os.environ["AURA_TOP"]
os.environ["AURA_BIN"] = os.environ.get("AURA_DEV_BIN", os.path.join(TOP, "build", "dev", "bin"))
sys.path.insert(0, os.path.join(TOP, "tests", "integration", "calls"))
from mutator import Mutator  # noqa: E402
from plane import plane  # noqa: E402

COUNT = int(os.environ.get("AURA_COUNT", "10000000"))
PART = 100000


def memory(server):
    with open("/proc/%d/status" % server.process.pid, encoding="ascii") as status:
        return int(next(line for line in status if line.startswith("VmRSS")).split()[1])


def main():
    seed = int(os.environ.get("AURA_SEED", str(time.time_ns() % 1000000)))
    print(f"seed {seed}")
    began = time.monotonic()
    with plane(servers=("sm",), settings=["sip.wss_listen=127.0.0.1:5443"]) as p:
        p.phone("3009")
        p.phone("3010", "tcp")
        m = Mutator(seed, ws_port=5443)
        while m.sent < COUNT:
            m.run(min(m.sent + PART, COUNT))
            print("%d messages, %d answers, %.0f s, %d KiB resident"
                  % (m.sent, m.answers, time.monotonic() - began, memory(p.sm)), flush=True)
        m.close()
    print("no report, no leak")  # the server's exit status says so: plane() checks it
    return 0


if __name__ == "__main__":
    sys.exit(main())
