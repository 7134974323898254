#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
"""Phones that others wrote: baresip with sound over UDP and TCP, SIPp with many calls."""
import os
import subprocess
import sys
import tempfile

from plane import DOMAIN, password, plane
from sipp_calls import run as many_calls
from standalone import run

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../packaging"))
import softphone  # noqa: E402  pylint: disable=wrong-import-position


ADDRESS = "192.0.2.10"


def make_interface():
    """baresip does not use loopback: it gets an interface of its own in this test's namespace."""
    for line in ("link add phones type veth peer name phones-far", "link set phones-far up",
                 f"addr add {ADDRESS}/24 dev phones", "link set phones up"):
        subprocess.run(["ip"] + line.split(), check=True)


def two_baresips_hear_one_another():
    make_interface()
    for transport in ("udp", "tcp"):
        with plane() as p, tempfile.TemporaryDirectory() as folder:
            phones = [softphone.Phone(f"{folder}/{h}", h, password(h), DOMAIN, "127.0.0.1:5060",
                                      address=ADDRESS, transport=transport, tone=tone)
                      for h, tone in (("3001", 440), ("3002", 880))]
            try:
                for phone in phones:
                    phone.start()
                for phone in phones:
                    phone.wait_registered()
                items = p.sm.items("/v1/registrations")
                assert {i["handle"] for i in items} == {"3001", "3002"}, items
                assert {i["transport"] for i in items} == {transport}, items
                softphone.call(*phones, seconds=2)
            finally:
                for phone in phones:
                    phone.stop()
            for phone, tone in zip(phones, (880, 440)):
                share = softphone.tone_share(softphone.recorded(phone), tone)
                assert share > 0.5, f"{phone.handle} heard {share:.2f} at {tone} Hz over {transport}"
            p.sm.wait_items("/v1/calls", 0)
            p.sm.wait_items("/v1/registrations", 0)


def two_hundred_calls_by_sipp_without_a_failure():
    with plane() as p:
        done = many_calls("127.0.0.1:5060", "127.0.0.1", DOMAIN, ("3001", password("3001")),
                          ("3002", password("3002")), 200, 40)
        assert done == 0, done
        p.sm.wait_items("/v1/calls", 0)
        assert p.cm.items("/v1/calls") == []


if __name__ == "__main__":
    run([two_baresips_hear_one_another, two_hundred_calls_by_sipp_without_a_failure])
