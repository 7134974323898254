#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
"""max_calls of an entity: the next candidate, or 486 to a phone and 503 to a trunk; every call that ends, however it ends,
makes room again; and an entity's own time zone."""
import time

from plane import DOMAIN
from sip_message import Message
from standalone import run
from test_routing import entity, now, site, tables, test

NUMBER = "+4930123456"


def limited(central=1, local=None):
    def make(first, second):
        document = tables(first, second)
        document["sip_entities"] = [first.entity(max_calls=central), second.entity(max_calls=local)]
        return document
    return make


def calls_of(p, name, want, timeout=3.0):
    until = time.monotonic() + timeout
    while entity(p, name)["calls"] != want:
        assert time.monotonic() < until, entity(p, name)
        time.sleep(0.05)


def the_next_candidate_takes_what_the_first_has_no_room_for():
    with site(make=limited(1, 1)) as (p, central, local):
        a, b = p.phone("3001"), p.phone("3009")
        first = a.invite(NUMBER)
        first.expect(200)
        calls_of(p, "central", 1)
        said = test(p, NUMBER)
        assert [x["link_state"] for x in said["candidates"]] == ["full", "up"], said
        second = b.invite(NUMBER)
        second.expect(200)
        assert (len(central.invites), len(local.invites)) == (1, 1)
        calls_of(p, "local", 1)
        refused = b.invite(NUMBER).expect(486)  # never a 503 to a phone
        assert "cause=34" in refused.get("Reason") and "as many calls as it may" in refused.get("Warning"), refused
        said = test(p, NUMBER)
        assert (said["outcome"], said["sip_status"]) == ("down", 486), said
        b.invite("112").expect(200)  # an emergency is let through
        first.bye()
        calls_of(p, "central", 0)
        third = b.invite(NUMBER)
        third.expect(200)
        assert len(central.invites) == 2
        for call in (second, third):
            call.bye()
        calls_of(p, "central", 0)
        assert "aura_sm_entity_full_total" in p.sm.get("/metrics").decode()


def a_trunk_with_no_room_for_more_hears_503():
    with site(make=limited(1)) as (p, central, _):
        b = p.phone("3009")
        trunk_call(central, "one")
        ringing = b.incoming()
        calls_of(p, "central", 1)
        trunk_call(central, "two")
        final = central.expect(lambda m: not m.is_request and m.call_id == "two" and m.status >= 300)
        assert final.status == 503, final
        assert p.phone("3001").invite(NUMBER).expect(200)  # it is full from here, too: by the local one
        assert len(central.invites) == 0
        ringing.refuse(486, "Busy Here")
        central.expect(lambda m: not m.is_request and m.call_id == "one" and m.status == 486)
        calls_of(p, "central", 0)


def trunk_call(trunk, call_id):
    msg = Message(f"INVITE sip:3009@{DOMAIN} SIP/2.0")
    msg.add("Via", f"SIP/2.0/UDP {trunk.addr[0]}:{trunk.addr[1]};branch=z9hG4bK{call_id}")
    for name, value in (("Max-Forwards", "70"), ("From", f"<sip:+49170@{trunk.addr[0]}>;tag={call_id}"),
                        ("To", f"<sip:3009@{DOMAIN}>"), ("Call-ID", call_id), ("CSeq", "1 INVITE"),
                        ("Contact", f"<sip:{trunk.addr[0]}:{trunk.addr[1]}>")):
        msg.add(name, value)
    trunk.send(msg, trunk.server)


def room_comes_back_however_a_call_ends():
    with site(make=limited(1)) as (p, central, local):
        a = p.phone("3009")
        for mode in ("486", "503", "404"):  # refused
            central.mode = mode
            local.mode = "answer"
            call = a.invite(NUMBER)
            if mode == "503":
                call.expect(200)
                call.bye()
            else:
                call.expect(int(mode))
            calls_of(p, "central", 0)
        central.mode = "ring"  # cancelled
        call = a.invite(NUMBER)
        central.invited()
        calls_of(p, "central", 1)
        call.expect(100)
        call.cancel()
        refused = central.expect(lambda m: m.is_request and m.method == "CANCEL")
        invite = central.invites[-1]
        central.reply_to(refused, 200, "OK")
        central.reply_to(invite, 487, "Terminated")
        call.expect(487)
        calls_of(p, "central", 0)
        central.mode = "answer"  # ended by the other side
        call = a.invite(NUMBER)
        call.expect(200)
        calls_of(p, "central", 1)
        central.mode = "silent"  # killed: its link goes down, what it had is gone
        p.wait_link("central", "down", 6)
        calls_of(p, "central", 0)


def a_call_goes_by_the_time_of_where_it_comes_from():
    here = now().hour
    zone = "Etc/GMT-12" if here < 12 else "Etc/GMT+12"  # twelve hours away
    there = (here + 12) % 24

    def make(central, local):
        document = tables(central, local)
        document["sip_entities"][0]["time_zone"] = zone
        document["time_ranges"] = [{"name": "now here", "start": f"{here:02}:00", "end": f"{(here + 1) % 24:02}:00"},
                                   {"name": "now there", "start": f"{there:02}:00", "end": f"{(there + 1) % 24:02}:00"}]
        document["routing_policies"] = [
            {"name": "by central", "entity": "central", "times": [{"time_range": "now here", "rank": 0}]},
            {"name": "by local", "entity": "local", "times": [{"time_range": "now there", "rank": 0}]}]
        return document

    with site(make=make) as (p, central, _):
        at = now().replace(minute=30).strftime("%Y-%m-%dT%H:%M:%SZ")
        said = test(p, NUMBER, "3001", "127.0.0.1", at=at)
        assert [c["entity"] for c in said["candidates"]] == ["central"], said
        said = test(p, f"sip:{NUMBER}@127.0.0.1", "+4917", "127.0.0.21", at=at)
        assert [c["entity"] for c in said["candidates"]] == ["local"], said


if __name__ == "__main__":
    run([the_next_candidate_takes_what_the_first_has_no_room_for, a_trunk_with_no_room_for_more_hears_503,
         room_comes_back_however_a_call_ends, a_call_goes_by_the_time_of_where_it_comes_from])
