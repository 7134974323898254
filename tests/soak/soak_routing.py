#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""10,000 random tables of routing, four calls of each: the routing test and the wire must agree every time
(AURA_ROUNDS tables, AURA_SEED, AURA_WORKERS side by side, each in a network namespace of its own)."""
import json
import os
import subprocess
import sys
import time

TABLES = int(os.environ.get("AURA_ROUNDS", "10000"))
WORKERS = int(os.environ.get("AURA_WORKERS", "2"))
BATCH = 100


def work(tables, seed):
    """One worker: prints what it met as JSON."""
    sys.path.insert(0, os.path.join(os.environ["AURA_TOP"], "tests", "lib"))
    from route_random import run_tables
    met = {}
    for done in range(0, tables, BATCH):
        for outcome, count in run_tables(min(BATCH, tables - done), 4, seed + done).items():
            met[outcome] = met.get(outcome, 0) + count
    print(json.dumps(met), flush=True)


def main():
    seed = int(os.environ.get("AURA_SEED", str(time.time_ns() % 1000000)))
    print(f"seed {seed}", flush=True)
    began = time.monotonic()
    share = -(-TABLES // WORKERS)
    workers = [subprocess.Popen(["unshare", "-n", "sh", "-c", 'ip link set lo up; exec "$@"', "sh", sys.executable,
                                 os.path.abspath(__file__), str(min(share, TABLES - i * share)), str(seed + i * share)],
                                stdout=subprocess.PIPE, text=True) for i in range(WORKERS)]
    met, bad = {}, 0
    for worker in workers:
        said = worker.communicate()[0]
        bad += worker.returncode != 0
        if worker.returncode:
            print(said)
            continue
        for outcome, count in json.loads(said.splitlines()[-1]).items():
            met[outcome] = met.get(outcome, 0) + count
    if bad:
        print(f"{bad} of {WORKERS} workers met a difference")
        return 1
    print(f"{TABLES} tables, no difference, {time.monotonic() - began:.0f} s:",
          " ".join(f"{k} {v}" for k, v in sorted(met.items())), flush=True)
    return 0


if __name__ == "__main__":
    if len(sys.argv) > 1:
        work(int(sys.argv[1]), int(sys.argv[2]))
    else:
        sys.exit(main())
