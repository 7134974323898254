#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 240
"""Next hops and entities that are names (RFC 3263): NAPTR, SRV, addresses, and the next place when one is dead."""
import contextlib
import time

from dns_server import DnsServer
from plane import SM, document, plane, ring
from sip_phone import Incoming, Phone
from standalone import Server, run

DNS = ["dns.server=127.0.0.1@5353"]
TRUNK = {"name": "trunk", "type": "trunk", "address": "trunk.example.com", "port": 5060, "transport": "udp",
         "timer_b_s": 1, "monitoring": {"enabled": True, "proactive_s": 1, "reactive_s": 1, "retries": 0}}


def listener(p, port, transport="udp", user="far"):
    """Somebody who answers at an address of his own."""
    phone = Phone(user, "", domain="example.com", transport=transport, server=SM, local=("127.0.0.1", port))
    p.phones.append(phone)
    return phone


def answer_options(phone, seconds):
    """Answer probes for a while; how many came."""
    count, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(AssertionError):
            phone.reply(phone.expect(lambda m: m.is_request and m.method == "OPTIONS", 0.1), 200, "OK", "t")
            count += 1
    return count


def sm_with(entity, settings=()):
    config = document()
    config["sip_entities"] = [e for e in config["sip_entities"] if e["name"] == "sm"] + [entity]
    for user in config["users"]:
        user["station"] = None
    config["application_sequences"] = []
    return Server("aura-sm", config, "127.0.0.1:5060", DNS + list(settings))


def link(sm):
    return {e["name"]: e for e in sm.items("/v1/entities")}["trunk"]


def an_entity_is_found_and_found_elsewhere_when_it_dies():
    records = {("_sip._udp.trunk.example.com", "SRV"): [(10, 0, 5071, "a.example.com"), (20, 0, 5072, "b.example.com")],
               ("a.example.com", "A"): ["127.0.0.1"], ("b.example.com", "A"): ["127.0.0.1"]}

    class Holder:
        phones = []

    with DnsServer(records) as dns, sm_with(TRUNK) as sm:
        first, second = listener(Holder, 5071), listener(Holder, 5072)
        assert answer_options(first, 1.5) > 0, "the place of the better priority is asked"
        assert link(sm)["link"] == "up" and link(sm)["address"] == "127.0.0.1:5071", link(sm)
        assert ("_sip._udp.trunk.example.com", "SRV") in dns.asked and ("trunk.example.com", "A") not in dns.asked
        first.close()
        end = time.monotonic() + 9
        while answer_options(second, 0.3) == 0:
            assert time.monotonic() < end, "the second place is never asked"
        assert link(sm)["link"] == "up" and link(sm)["address"] == "127.0.0.1:5072", link(sm)
        second.close()


def the_time_that_an_answer_may_be_kept_is_kept():
    records = {("trunk.example.com", "A"): ["127.0.0.1"]}
    entity = dict(TRUNK, port=5071)

    class Holder:
        phones = []

    with DnsServer(records, ttl=1) as dns, sm_with(entity) as sm:
        first = listener(Holder, 5071)
        assert answer_options(first, 0.8) > 0
        dns.records[("trunk.example.com", "A")] = ["127.0.0.2"]
        moved = Phone("far", "", server=SM, local=("127.0.0.2", 5071))
        end = time.monotonic() + 12
        while answer_options(moved, 0.2) == 0:
            answer_options(first, 0.05)
            assert time.monotonic() < end, dns.asked
        assert link(sm)["address"] == "127.0.0.2:5071", link(sm)
        first.close()
        moved.close()


def a_contact_that_is_a_name_is_reached_where_the_dns_says():
    records = {("pc.example.com", "A"): ["127.0.0.1"]}
    with DnsServer(records) as dns, plane(servers=("sm",), settings=DNS) as p:
        caller, desk, stranger = p.phone("3009"), listener(p, 5077, user="3010"), p.phone("3010", register=False)
        answer = stranger.register(contact="<sip:3010@pc.example.com:5077>")
        assert answer.status == 200, answer
        # It was looked up with the REGISTER; until the answer is there the phone's own address serves.
        end = time.monotonic() + 3
        while ("pc.example.com", "A") not in dns.asked:
            assert time.monotonic() < end, dns.asked
            time.sleep(0.05)
        time.sleep(0.3)
        call = caller.invite("3010")
        ringing = Incoming(desk, desk.expect(lambda m: m.is_request and m.method == "INVITE"))
        ringing.ring()
        call.expect(180)
        ringing.accept_and(call)
        # In the dialog the next hop is that name as well.
        bye = caller.send(call.in_dialog("BYE"))
        ringing.expect_bye()
        assert caller.answer_of(bye).status == 200


def a_dialog_goes_on_to_a_name_with_two_places():
    """The callee's Contact is a name that sm has never heard of: NAPTR, SRV; the first place is dead."""
    records = {("far.example.com", "NAPTR"): [(20, 10, "s", "SIP+D2T", "_sip._tcp.far.example.com"),
                                              (10, 10, "s", "SIP+D2U", "_sip._udp.far.example.com"),
                                              (5, 10, "s", "SIPS+D2T", "_sips._tcp.far.example.com")],
               ("_sip._udp.far.example.com", "SRV"): [(1, 0, 5078, "dead.example.com")],
               ("_sip._tcp.far.example.com", "SRV"): [(1, 0, 5079, "alive.example.com")],
               ("dead.example.com", "A"): ["127.0.0.1"], ("alive.example.com", "A"): ["127.0.0.1"]}
    with DnsServer(records) as dns, plane(servers=("sm",), settings=DNS) as p:
        caller, callee = p.phone("3009"), p.phone("3010")
        far = listener(p, 5078)
        call, ringing = ring(caller, callee)
        callee.reply(ringing.invite, 200, "OK", ringing.tag, callee.sdp(), [("Contact", "<sip:x@far.example.com>")])
        call.expect(200)
        far.expect(lambda m: m.is_request and m.method == "ACK", 5)
        assert ("far.example.com", "NAPTR") in dns.asked
        assert ("_sips._tcp.far.example.com", "SRV") not in dns.asked  # no TLS here
        bye = caller.send(call.in_dialog("BYE"))
        far.reply(far.expect(lambda m: m.is_request and m.method == "BYE"), 503, "Service Unavailable")
        # RFC 3263 section 4.3: after a 503 the next place; nobody listens there, so the answer is known at once.
        assert caller.answer_of(bye, 8).status >= 400


def what_the_dns_does_not_know_or_say_is_refused_in_time():
    with DnsServer({}) as dns, plane(servers=("sm",), settings=DNS) as p:
        caller, callee = p.phone("3009"), p.phone("3010")
        call, ringing = ring(caller, callee)
        callee.reply(ringing.invite, 200, "OK", ringing.tag, callee.sdp(), [("Contact", "<sip:x@nowhere.example.com>")])
        call.expect(200)
        bye = caller.send(call.in_dialog("BYE"))
        assert caller.answer_of(bye).status == 481
        dns.silent = True
        call.target = "sip:x@silent.example.com"
        began = time.monotonic()
        bye = caller.send(call.in_dialog("BYE"))
        assert caller.answer_of(bye, 8).status == 481
        assert 3 < time.monotonic() - began < 7
        # Meanwhile and afterwards everybody else is served.
        assert caller.register().status == 200


if __name__ == "__main__":
    run([an_entity_is_found_and_found_elsewhere_when_it_dies, the_time_that_an_answer_may_be_kept_is_kept,
         a_contact_that_is_a_name_is_reached_where_the_dns_says, a_dialog_goes_on_to_a_name_with_two_places,
         what_the_dns_does_not_know_or_say_is_refused_in_time])
