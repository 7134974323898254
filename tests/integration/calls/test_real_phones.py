#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
"""Phones that others wrote: baresip with sound over UDP, TCP and TLS, SIPp with many calls over UDP and TCP."""
import os
import subprocess
import sys
import tempfile

from plane import DOMAIN, password, plane
from sipp_calls import run as many_calls
from standalone import run
from test_tls import make_ca, make_certificate

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
    for transport in ("udp", "tcp", "tls"):
        with tempfile.TemporaryDirectory() as folder:
            make_ca(folder)
            heard_over(transport, folder, make_certificate(folder, "sm") if transport == "tls" else ())


def heard_over(transport, folder, settings):
    with plane(settings=settings) as p:
        proxy = "127.0.0.1:5061" if transport == "tls" else "127.0.0.1:5060"
        phones = [softphone.Phone(f"{folder}/{h}", h, password(h), DOMAIN, proxy, address=ADDRESS, transport=transport,
                                  tone=tone, authority=f"{folder}/ca.pem")
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
        for transport, calls in (("u1", 200), ("t1", 50)):
            done = many_calls("127.0.0.1:5060", "127.0.0.1", DOMAIN, ("3001", password("3001")),
                              ("3002", password("3002")), calls, 40, transport)
            assert done == 0, (transport, done)
        p.sm.wait_items("/v1/calls", 0)
        assert p.cm.items("/v1/calls") == []


if __name__ == "__main__":
    run([two_baresips_hear_one_another, two_hundred_calls_by_sipp_without_a_failure])
