#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 1200
# needs: images
"""The console of a full appliance: 5,000 people, two administrators at once, an auditor, hostile names, and each page
looked at in both themes and all sizes, by keyboard and in the pseudo-locale."""
import sys

from stage import Stage, prepare

SCENARIOS = ("prepared", "people", "conflict", "auditor", "hostile", "pages")


def main(names):
    prepare()
    with Stage("pages") as box:
        box.start()
        box.deploy_all()
        box.play(1160, *(names or SCENARIOS))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
