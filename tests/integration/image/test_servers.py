#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
# needs: images
"""Each image: its size and what must not be in it; sm, cm and presence alone, whole and cut."""
import json
import os
import random
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from guest import IMAGES, LIMIT_S, Guest, manifest, openssl, run_cases  # noqa: E402

LIMIT_MIB = {"sm": 30, "cm": 30, "presence": 30, "smgr": 90}
CALL_SERVERS = ("sm", "cm", "presence")
FORBIDDEN = re.compile(r"snakeoil|machine-id|sshd|dropbear|telnetd|getty|/home/|shadow$|\.key$|key\.pem$|id_rsa|"
                       r"authorized_keys|/perl|apt-get|/dpkg|libLLVM|\.(pl|pm|py)$")


def sizes_are_within_the_limits(_authority):
    for name, limit in LIMIT_MIB.items():
        total = 0
        for file, known in manifest(name)["files"].items():
            path = f"{IMAGES}/{name}/{file}"
            assert os.path.getsize(path) == known["size_bytes"], path
            assert openssl("dgst", "-sha256", "-r", path).decode().split()[0] == known["sha256"], path
            total += known["size_bytes"]
        print(f"   {name} {total / (1 << 20):.1f} MiB of {limit}")
        assert total <= limit << 20, f"{name} is too large"


def nothing_is_in_them_that_must_not(_authority):
    for name in LIMIT_MIB:
        listing = subprocess.run(["unsquashfs", "-ll", f"{IMAGES}/{name}/root.squashfs"], check=True,
                                 capture_output=True, text=True).stdout.splitlines()
        files = [line for line in listing if line[:1] in "-dlcbps"]
        assert len(files) > 20, "the root is empty"
        found = [line for line in files if FORBIDDEN.search(line.split(" -> ")[0])]
        assert not found, f"{name}: {found}"
        special = [line for line in files if line[0] == "-" and ("s" in line[:10] or "S" in line[:10])]
        assert not special, f"{name} holds set-user-id programs: {special}"
        words = manifest(name)
        assert words["packages"] and all(len(p["sha256"]) == 64 for p in words["packages"])


def index_names_every_file(_authority):
    with open(f"{IMAGES}/manifest.json", encoding="utf-8") as source:
        files = {f["name"]: f for f in json.load(source)["files"]}
    assert set(files) == {"vmlinuz", "initrd.img", *(f"{n}.sqfs" for n in LIMIT_MIB)}
    for name, known in files.items():
        assert os.path.getsize(f"{IMAGES}/{name}") == known["size"], name


def each_is_ready_alone_and_ends_cleanly(authority):
    for name in CALL_SERVERS:
        with Guest(name, authority) as guest:
            guest.start()
            first = guest.wait_ready()
            status = guest.seen[-1][1]
            assert status["memory_available_kib"] > 20000, status
            assert guest.ask("ping")["type"] == "pong"
            stop = guest.shutdown()
            guest.start()
            second = guest.wait_ready()
            print(f"   {name}: first boot {first:.1f} s (limit {LIMIT_S[name]} on idle cores), second {second:.1f} s, "
                  f"stop {stop:.1f} s, {status['memory_available_kib'] // 1024} MiB of {guest.memory_mib} free")


def first_boot_survives_a_cut(authority):
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    for name in CALL_SERVERS:
        for _ in range(int(os.environ.get("AURA_CUTS", "1"))):
            delay = chance.uniform(1.5, 5.5)
            with Guest(name, authority) as guest:
                guest.start()
                for _ in guest.messages(delay):
                    pass
                guest.kill()
                guest.start()
                print(f"   {name} cut after {delay:.2f} s (seed {seed}): ready {guest.wait_ready():.1f} s later")


def foreign_disk_is_left_alone(authority):
    with Guest("sm", authority) as guest:
        subprocess.run(["/usr/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-L", "precious", guest.disk], check=True)
        before = openssl("dgst", "-sha256", guest.disk)
        guest.start()
        said = guest.wait(lambda m: m["type"] == "status", 60)
        assert not said["ready"] and "not Aurabox's" in said["reason"], said
        guest.shutdown()
        assert openssl("dgst", "-sha256", guest.disk) == before, "the foreign disk was changed"


def missing_configuration_is_told(authority):
    with Guest("sm", authority) as guest:
        guest.config_override = {"schema": 1, "name": "sm"}
        guest.start()
        said = guest.wait(lambda m: m["type"] == "status", 60)
        assert not said["ready"] and said["reason"], said
        guest.shutdown()


if __name__ == "__main__":
    sys.exit(run_cases([sizes_are_within_the_limits, nothing_is_in_them_that_must_not, index_names_every_file,
                        each_is_ready_alone_and_ends_cleanly, first_boot_survives_a_cut,
                        foreign_disk_is_left_alone, missing_configuration_is_told]))
