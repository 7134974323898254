#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
"""What a page costs on the wire, counted in a browser without guests: requests and bytes of the log-in page and of Home,
and what moves when a search makes another list of a thousand rows. Times are tests/bench/run console's."""
import sys

from loopback import alone, play

alone()
from daemon import Daemon, wait_for  # noqa: E402  (found by the paths of loopback)
from smgr import Smgr  # noqa: E402
from stage import USERS  # noqa: E402


def main():
    with Daemon() as d, Smgr(d) as smgr:
        wait_for(lambda: d.root.get("/uc/users").status == 200, 30, "the database")
        assert "1200" in smgr.psql(USERS % {"first": 10000, "count": 1200})
        play(d, {}, "budgets", seconds=100)
    return 0


if __name__ == "__main__":
    sys.exit(main())
