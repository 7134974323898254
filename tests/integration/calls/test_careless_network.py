#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
"""Calls while datagrams between phones, sm and cm get lost, come twice and out of order: every transaction ends, no
call record is missing or double (AURA_SEED, AURA_CALLS; the long run is tests/soak/soak_network.py)."""
import os
import time

import careless_calls
from standalone import run

CALLS = int(os.environ.get("AURA_CALLS", "40"))
SEED = int(os.environ.get("AURA_SEED", str(time.time_ns() % 1000000)))


def every_transaction_ends_and_every_call_is_recorded_once():
    print(careless_calls.run(SEED, CALLS, 8), flush=True)


if __name__ == "__main__":
    run([every_transaction_ends_and_every_call_is_recorded_once])
