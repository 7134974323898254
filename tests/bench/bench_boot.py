#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Boot to ready under TCG on two cores: each guest alone, first and second boot, then all four at once."""
import os
import sys
import tempfile
import threading
import time

sys.path.insert(0, f"{os.path.dirname(os.path.realpath(__file__))}/../integration/image")
from guest import LIMIT_S, Authority, Guest, manifest  # noqa: E402

ALL_LIMIT_S = 40


def figure(name, value, limit, unit):
    print(f"{name} {value:.1f} - - {unit}" + (f" (limit {limit})" if limit else ""), flush=True)


def alone(name, authority):
    with Guest(name, authority) as guest:
        guest.start()
        figure(f"boot_{name}_first", guest.wait_ready(), LIMIT_S[name], "s")
        status = guest.seen[-1][1]
        figure(f"boot_{name}_memory_used", (status["memory_total_kib"] - status["memory_available_kib"]) / 1024,
               None, "MiB")
        guest.shutdown()
        guest.start()
        figure(f"boot_{name}_second", guest.wait_ready(), LIMIT_S[name], "s")
        guest.shutdown()
    size = sum(f["size_bytes"] for f in manifest(name)["files"].values()) / (1 << 20)
    figure(f"image_{name}", size, 90 if name == "smgr" else 30, "MiB")


def together(authority):
    guests = [Guest(name, authority) for name in LIMIT_S]
    try:
        began = time.monotonic()
        for guest in guests:
            guest.start(cpus=1)
        threads = [threading.Thread(target=guest.wait_ready, args=(180,)) for guest in guests]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        figure("boot_all_four", time.monotonic() - began, ALL_LIMIT_S, "s")
    finally:
        for guest in guests:
            guest.close()


def main():
    with tempfile.TemporaryDirectory(prefix="aura-ca-") as folder:
        authority = Authority(folder)
        for name in LIMIT_S:
            alone(name, authority)
        together(authority)
    return 0


if __name__ == "__main__":
    sys.exit(main())
