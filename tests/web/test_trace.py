#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
"""The trace in a browser, without guests: real calls through sm and cm on loopback, drawn as ladders, followed live."""
import sys

from loopback import alone, play

alone()
from beside import box_beside  # noqa: E402  (found by the paths of loopback)
from plane import hang_up, plane, talk  # noqa: E402


def main():
    with plane() as p, box_beside(p) as d:
        ada, bob = p.phone("3001"), p.phone("3002")

        def call():
            dialled, ringing = talk(ada, bob)
            gsid = p.sm.items("/v1/calls")[0]["gsid"]
            hang_up(dialled, ringing)
            p.sm.wait_items("/v1/calls", 0)
            return gsid

        play(d, {"call": call}, "trace")
    return 0


if __name__ == "__main__":
    sys.exit(main())
