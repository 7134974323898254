#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 240
"""Random tables of routing: the routing test and the INVITE that arrives say the same."""
import sys

from route_random import run_tables
from standalone import run


def the_test_says_what_happens():
    met = run_tables(12, 60, seed=20261121)
    # No outcome is missing, or the tables would prove little.
    assert all(met.get(outcome, 0) >= 5 for outcome in ("entity", "not_found", "denied", "down", "user")), met


if __name__ == "__main__":
    sys.exit(run([the_test_says_what_happens]))
