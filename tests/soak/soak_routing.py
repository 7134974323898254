#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""10,000 random tables of routing, four calls of each: the routing test and the wire must agree every time."""
import os
import sys
import time

TABLES = int(os.environ.get("AURA_ROUNDS", "10000"))
BATCH = 100


def main():
    sys.path.insert(0, os.path.join(os.environ["AURA_TOP"], "tests", "lib"))
    from route_random import run_tables
    seed = int(os.environ.get("AURA_SEED", str(time.time_ns() % 1000000)))
    print(f"seed {seed}")
    met = {}
    for done in range(0, TABLES, BATCH):
        for outcome, count in run_tables(min(BATCH, TABLES - done), 4, seed + done).items():
            met[outcome] = met.get(outcome, 0) + count
    print(f"{TABLES} tables, no difference:", " ".join(f"{k} {v}" for k, v in sorted(met.items())), flush=True)
    return 0


if __name__ == "__main__":
    if "AURA_NETNS" not in os.environ:
        os.environ["AURA_NETNS"] = "1"
        os.execvp("unshare", ["unshare", "-n", "sh", "-c", 'ip link set lo up; exec "$0"', os.path.abspath(__file__)])
    sys.exit(main())
