#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 900
# needs: images
"""The console from a fresh appliance on: first run to a real call, the life of a machine, ends of sessions and of the
daemon under an open page, forged requests. Scenarios in scenarios/, in a real browser, with real guests."""
import sys

from stage import Stage, prepare

SCENARIOS = ("first_run", "machines", "call", "live", "session", "forged")


def main(names):
    prepare()
    with Stage("console") as box:
        box.start()
        box.play(860, *(names or SCENARIOS))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
