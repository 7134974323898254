#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Thousands of calls over networks that lose, copy and delay (AURA_ROUNDS of 150 calls each, AURA_SEED): every
transaction of sm and cm ends, no call record is missing or double. Under ASan and UBSan."""
import os
import sys
import time

TOP = os.environ["AURA_TOP"]
os.environ["AURA_BIN"] = os.environ.get("AURA_DEV_BIN", os.path.join(TOP, "build", "dev", "bin"))
sys.path.insert(0, os.path.join(TOP, "tests", "lib"))
import careless_calls  # noqa: E402

ROUNDS = int(os.environ.get("AURA_ROUNDS", "16"))
CALLS, SECONDS = 150, 25  # /v1/records shows 500 at once
NETWORKS = ((0.02, 0.02, 0.3), (0.05, 0.05, 0.1), (0.1, 0.1, 0.2), (0.15, 0.3, 0.3))


def main():
    seed = int(os.environ.get("AURA_SEED", str(time.time_ns() % 1000000)))
    total = {}
    for n in range(ROUNDS):
        found = careless_calls.run(seed + n, CALLS, SECONDS, *NETWORKS[n % len(NETWORKS)])
        print(found, flush=True)
        for name in ("calls", "records", "answered", "datagrams", "lost", "copied", "late"):
            total[name] = total.get(name, 0) + found[name]
    print("all rounds:", " ".join(f"{k} {v}" for k, v in total.items()))
    return 0


if __name__ == "__main__":
    if "AURA_NETNS" not in os.environ:
        os.environ["AURA_NETNS"] = "1"
        os.execvp("unshare", ["unshare", "-n", "sh", "-c", 'ip link set lo up; exec "$0"', os.path.abspath(__file__)])
    sys.exit(main())
