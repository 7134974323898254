#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every VM's first boot cut at ten random moments, each on a new data disk; it must come up each time."""
import os
import random
import sys
import time

from box import Box
from test_first_boot import COMPONENTS, first_boot

ROUNDS = int(os.environ.get("AURA_ROUNDS", "10"))


def main():
    seed = int(os.environ.get("AURA_SEED", str(time.time_ns() % 1000000)))
    rng = random.Random(seed)
    print(f"seed {seed}")
    with Box("soakboot") as box:
        box.start()
        for name in COMPONENTS:
            done = []
            for _ in range(ROUNDS):
                moments, _ = first_boot(box, name, rng, cuts=1)
                done += moments
                gone = box.api("DELETE", f"/api/v1/vms/{name}?purge=true")
                assert gone.status == 204, gone
            print(f"{name}: came up after cuts at {done} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
