#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
"""Programs that others wrote: linphonec, twinkle, sipsak and SIPp as a trunk register, call, are called, hold and transfer."""
import contextlib
import functools
import os
import socket
import subprocess
import tempfile
import time

import console_phone
from plane import DOMAIN, password, plane
from standalone import run
from test_real_phones import make_interface
from test_tls import make_ca, make_certificate

TRUNK = ("127.0.0.40", 5062)
SCENARIO = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib/sipp/trunk.xml")


def way_out():
    """linphonec registers only where there is a way to the network: an interface and a default route."""
    make_interface()
    subprocess.run(["ip", "route", "add", "default", "via", "192.0.2.1"], check=True)


@contextlib.contextmanager
def phones(p, *wanted):
    """(maker, user, transport) each; all are registered when the block begins."""
    with tempfile.TemporaryDirectory() as folder:
        made = []
        try:
            for n, (make, user, transport) in enumerate(wanted):
                made.append(make(f"{folder}/{user}", user, password(user), DOMAIN, "127.0.0.1", 6010 + 2 * n, transport))
            items = p.sm.wait_items("/v1/registrations", len(wanted), 15)
            assert {(i["handle"], i["transport"]) for i in items} == {(u, t) for _, u, t in wanted}, items
            yield made
        except BaseException:
            for phone in made:
                print(f"--- {phone.name}\n{phone.text[-3000:]}")
            raise
        finally:
            for phone in made:
                phone.stop()


def call_is(p, state, *handles, timeout=6.0):
    """Wait until the only call is in that state, between these."""
    end = time.monotonic() + timeout
    while True:
        calls = p.cm.items("/v1/calls")
        if not handles and not calls:
            return
        if len(calls) == 1 and calls[0]["state"] == state and [x["handle"] for x in calls[0]["legs"]] == list(handles):
            return
        assert time.monotonic() < end, (state, handles, calls)
        time.sleep(0.05)


def linphone_and_twinkle(transport):
    with plane() as p, phones(p, (console_phone.linphone, "3001", transport),
                              (console_phone.twinkle, "3002", transport)) as (lin, twi):
        lin.say("call 3002")
        twi.expect("incoming call")
        lin.expect("ringing")
        twi.say("answer")
        lin.expect("connected")
        call_is(p, "talking", "3001", "3002")
        for phone, hold, resume in ((lin, "pause", "resume"), (twi, "hold", "retrieve")):
            phone.say(hold)
            call_is(p, "held", "3001", "3002")
            phone.say(resume)
            call_is(p, "talking", "3001", "3002")
        twi.say("bye")
        lin.expect("ended")
        call_is(p, None)
        # the other way round, and one that is refused, and one that is given up
        twi.say("call 3001")
        lin.expect("incoming call")
        lin.say("answer")
        twi.expect("answered call")
        call_is(p, "talking", "3002", "3001")
        lin.say("terminate")
        twi.expect("(?i)call ended|ended call")
        lin.say("call 3002")
        twi.expect("incoming call")
        twi.say("reject")
        lin.expect("(?i)declined|busy|ended|error")
        call_is(p, None)
        lin.say("call 3002")
        twi.expect("incoming call")
        lin.say("terminate")
        twi.expect("cancel")
        call_is(p, None)


def over_udp():
    linphone_and_twinkle("udp")


def over_tcp():
    linphone_and_twinkle("tcp")


def over_tls():
    """linphonec alone has it, with a certificate of its own; what reaches it comes over the connection that it made."""
    with tempfile.TemporaryDirectory() as folder:
        make_ca(folder)
        make_certificate(folder, "phone-3001")
        certified = functools.partial(console_phone.linphone, certificate=folder + "/phone-3001")
        with plane(settings=make_certificate(folder, "sm")) as p, \
                phones(p, (certified, "3001", "tls"), (console_phone.twinkle, "3002", "udp")) as (lin, twi):
            lin.say("call 3002")
            twi.expect("incoming call")
            twi.say("answer")
            lin.expect("connected")
            call_is(p, "talking", "3001", "3002")
            lin.say("pause")
            call_is(p, "held", "3001", "3002")
            lin.say("resume")
            call_is(p, "talking", "3001", "3002")
            twi.say("bye")
            lin.expect("ended")
            call_is(p, None)
            twi.say("call 3001")
            lin.expect("incoming call")
            lin.say("answer")
            twi.expect("answered call")
            call_is(p, "talking", "3002", "3001")
            lin.say("terminate")
            twi.expect("(?i)call ended|ended call")
            call_is(p, None)
            heard = [m for m in p.sm.items("/v1/trace") if m["transport"] == "tls"]
            assert {m["direction"] for m in heard} == {"in", "out"}, heard


def twinkle_transfers_and_redirects():
    with plane() as p, phones(p, (console_phone.linphone, "3001", "tcp"), (console_phone.twinkle, "3002", "udp"),
                              (console_phone.linphone, "3003", "udp")) as (first, twi, third):
        first.say("call 3002")
        twi.expect("incoming call")
        twi.say("answer")
        call_is(p, "talking", "3001", "3002")
        twi.say("transfer 3003")
        third.expect("incoming call from .*3001")
        twi.expect("180 Ringing")
        third.say("answer")
        twi.expect("successfully referred")
        twi.expect("(?i)call ended|ended call")
        call_is(p, "talking", "3001", "3003")
        third.say("pause")
        call_is(p, "held", "3001", "3003")
        third.say("resume")
        call_is(p, "talking", "3001", "3003")
        first.say("terminate")
        third.expect("ended")
        call_is(p, None)
        twi.say("redirect -t always 3003")
        time.sleep(0.5)
        first.say("call 3002")
        third.expect("incoming call")
        third.say("answer")
        first.expect("connected")
        call_is(p, "talking", "3001", "3003")
        third.say("terminate")
        first.expect("ended")
        call_is(p, None)


def linphone_transfers():
    with plane() as p, phones(p, (console_phone.twinkle, "3001", "udp"), (console_phone.linphone, "3002", "tcp"),
                              (console_phone.linphone, "3003", "udp")) as (twi, lin, third):
        twi.say("call 3002")
        lin.expect("incoming call")
        lin.say("answer")
        call_is(p, "talking", "3001", "3002")
        lin.say("transfer 3003")
        third.expect("incoming call")
        third.say("answer")
        call_is(p, "talking", "3001", "3003")
        lin.expect("ended")
        twi.say("bye")
        third.expect("ended")
        call_is(p, None)
        # with a question first
        twi.say("call 3002")
        old = lin.expect(r"incoming call.*assigned id (\d+)").group(1)
        lin.say("answer")
        call_is(p, "talking", "3001", "3002")
        lin.say("pause")
        lin.expect("now paused")
        lin.say("call 3003")
        new = lin.expect(r"assigned id (\d+)").group(1)
        third.expect("incoming call")
        third.say("answer")
        lin.expect("connected")
        lin.say(f"transfer {old} --to-call {new}")
        lin.expect("has been transfered")
        third.say("pause")
        end = time.monotonic() + 5
        while {c["state"] for c in p.cm.items("/v1/calls")} != {"held"}:  # both halves of the way know it
            assert time.monotonic() < end, p.cm.items("/v1/calls")
            time.sleep(0.05)
        assert "3002@127.0.0.1" not in str(p.cm.items("/v1/calls")), p.cm.items("/v1/calls")
        twi.say("bye")
        third.expect("ended")
        call_is(p, None)


def listens(address):
    """Wait until somebody has that UDP port."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(address)
            except OSError:
                return
        time.sleep(0.05)
    raise AssertionError(f"nobody listens on {address}")


def sipp_is_a_trunk():
    extra = {"sip_entities": [{"name": "pstn", "type": "trunk", "address": TRUNK[0], "port": TRUNK[1], "transport": "udp",
                               "monitoring": {"enabled": False}}],
             "routing_policies": [{"name": "out", "entity": "pstn", "times": [{"time_range": None, "rank": 0}]}],
             "dial_patterns": [{"pattern": "0", "min": 4, "max": 12, "policies": ["out"]}],
             "dial_plan": [{"match": "0", "length": 7, "type": "ars"}]}
    with plane(extra=extra) as p, phones(p, (console_phone.linphone, "3001", "udp"),
                                         (console_phone.twinkle, "3002", "udp")) as (lin, twi):
        command = ["sipp", "-i", TRUNK[0], "-p", str(TRUNK[1]), "-nostdin", "-m", "1", "-timeout", "20", "-timeout_error"]
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with tempfile.TemporaryDirectory() as folder:
            far = subprocess.Popen(command + ["-sn", "uas"], cwd=folder, **quiet)
            try:
                listens(TRUNK)
                lin.say("call 0123456")
                lin.expect("connected")
                lin.say("terminate")
                assert far.wait(20) == 0
            finally:
                far.kill()
                far.wait()
            call_is(p, None)
            far = subprocess.Popen(command + ["-sf", SCENARIO, "-s", "3002", "127.0.0.1:5060"], cwd=folder, **quiet)
            try:
                twi.expect("incoming call")
                twi.say("answer")
                assert far.wait(20) == 0
            finally:
                far.kill()
                far.wait()
            twi.expect("(?i)call ended|ended call")
            call_is(p, None)


def sipsak_asks_and_registers():
    with plane() as p:
        for transport in ("udp", "tcp"):
            asked = ["sipsak", "-E", transport, "-s", "sip:127.0.0.1:5060"]
            assert subprocess.run(asked, check=False, timeout=20, stdout=subprocess.DEVNULL).returncode == 0, transport
        register = ["sipsak", "-U", "-C", "sip:3001@127.0.0.1:6100", "-x", "600", "-u", "3001", "-a", password("3001"),
                    "-p", "127.0.0.1:5060", "-s", f"sip:3001@{DOMAIN}"]
        for transport in ("tcp", "udp"):
            done = subprocess.run(register + ["-E", transport], check=False, timeout=20, capture_output=True, text=True)
            assert done.returncode == 0, (transport, done.stdout, done.stderr)
        item, = p.sm.items("/v1/registrations")
        assert item["contact"].startswith("sip:3001@127.0.0.1:6100"), item
        wrong = [a if a != password("3001") else "no" for a in register]
        assert subprocess.run(wrong, check=False, timeout=20, capture_output=True).returncode != 0


if __name__ == "__main__":
    way_out()
    run([over_udp, over_tcp, over_tls, twinkle_transfers_and_redirects, linphone_transfers, sipp_is_a_trunk,
         sipsak_asks_and_registers])
