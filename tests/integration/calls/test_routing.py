#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 240
"""Calls that no user of ours gets: by dial patterns to trunks, the second when the first is dead, by place and time;
and the routing test tells of each what then happens."""
import contextlib
import datetime
import signal
import subprocess
import tempfile
import time
import uuid

from plane import DOMAIN, plane
from sip_message import Message
from sip_phone import Endpoint
from sip_trunk import Trunk
from standalone import run

ALWAYS = {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}


def hours(at):
    return at.strftime("%H:%M")


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def tables(central, local, **more):
    """Site A (127.0.0.1) and B (127.0.0.8): long distance by the central trunk, then the local one."""
    document = {
        "sip_entities": [central.entity(), local.entity()],
        "locations": [{"name": "A", "patterns": ["127.0.0.1"]}, {"name": "B", "patterns": ["127.0.0.8/29"]}],
        "routing_policies": [{"name": "by central", "entity": "central"},
                             {"name": "by local", "entity": "local", "times": [{"rank": 7}]}],
        "dial_patterns": [
            {"pattern": "+", "min": 8, "max": 15, "policies": ["by local", "by central"]},
            {"pattern": "112", "max": 3, "emergency": True, "location": "A", "policies": ["by local"]},
            {"pattern": "112", "max": 3, "emergency": True, "location": "B", "policies": ["by central"]},
            {"pattern": "0190", "deny": True}]}
    for name, value in more.items():
        document[name] = document.get(name, []) + value if isinstance(value, list) else value
    return document


@contextlib.contextmanager
def site(modes=("answer", "answer"), servers=("sm", "cm"), make=tables, settings=(), links=None):
    central = Trunk("central", ("127.0.0.21", 5060), modes[0])
    local = Trunk("local", ("127.0.0.22", 5060), modes[1])
    try:
        with plane(servers=servers, settings=settings, extra=make(central, local)) as p:
            for name, state in (links or {"central": "up", "local": "up"}).items():
                p.wait_link(name, state, 8)
            yield p, central, local
    finally:
        central.close()
        local.close()


def test(p, callee, caller="3001", source="127.0.0.1", **more):
    return p.sm.post("/v1/route-test", {"caller": caller, "callee": callee, "source": source, **more})


def a_number_leaves_by_the_first_choice():
    with site() as (p, central, local):
        for user in ("3001", "3009"):  # through cm, and by sm alone
            said = test(p, "+4930123456", user)
            a = p.phone(user)
            call = a.invite("+4930123456")
            arrived = central.invited()
            call.expect(180)
            call.expect(200)
            assert said["outcome"] == "entity" and said["sip_status"] is None, said
            assert [c["entity"] for c in said["candidates"]] == ["central", "local"], said
            assert said["candidates"][0]["link_state"] == "up" and said["candidates"][1]["rank"] == 7
            assert said["request_uri"] == arrived.uri == f"sip:+4930123456@{DOMAIN}", (said, arrived.uri)
            assert said["location"] == "A"
            # The trunk is not believed, and is told nothing of ours.
            for header in ("Av-Global-Session-ID", "P-Charging-Vector", "P-Asserted-Identity", "P-Location"):
                assert arrived.get(header) is None, header
            assert not [r for r in arrived.all("Route")], arrived
            call.bye()
        assert not local.invites


def what_nobody_has_is_404_and_what_is_barred_403():
    with site() as (p, central, local):
        a = p.phone("3009")
        a.invite("99999").expect(404)
        a.invite("0190123").expect(403)
        a.invite("+491").expect(404)  # too short for the pattern
        assert test(p, "99999")["outcome"] == "not_found" and test(p, "99999")["sip_status"] == 404
        assert test(p, "0190123")["outcome"] == "denied" and test(p, "0190123")["sip_status"] == 403
        shown = [s for s in test(p, "+491")["steps"] if s["step"] == "dial_pattern"]
        assert [s["result"] for s in shown] == ["skip", "none"] and "length" in shown[0]["detail"], shown
        assert test(p, "3010")["outcome"] == "user" and test(p, "3010")["user"] == "3010"
        assert not central.invites and not local.invites


def the_transport_says_who_sends_and_what_his_link_is_worth():
    """Two entities of two links each: over UDP the first is let in, over TCP believed, so that it may call foreign domains; the
    second one's TCP takes no new calls. Over a WebSocket whoever it is is a phone. The test says what then happens."""
    asker = Trunk("asker", ("127.0.0.23", 5060))
    drained = Trunk("drained", ("127.0.0.24", 5060))

    def make(central, local):
        return tables(central, local, sip_entities=[asker.entity(), drained.entity()], settings={"outbound_proxy": "central"},
                      entity_links=[{"entity": "asker", "transport": "tcp", "port": 5060, "trusted": True},
                                    {"entity": "drained", "transport": "tcp", "port": 5060, "deny_new_service": True}])

    try:
        with site(servers=("sm",), make=make, settings=("sip.wss_listen=127.0.0.1:5443",)) as (p, central, _):
            ends = {}
            for trunk in (asker, drained):
                ends[trunk.name, "udp"] = trunk
                ends[trunk.name, "tcp"] = Endpoint("tcp", (trunk.addr[0], 0), ("127.0.0.1", 5060))
            p.phones += [end for (_, over), end in ends.items() if over == "tcp"]
            for (name, over), end in ends.items():
                for uri, status in (("sip:zoe@foreign.example", 200 if (name, over) == ("asker", "tcp") else 404),
                                    (f"sip:+4930123456@{DOMAIN}", 200)):
                    if (name, over) == ("drained", "tcp"):
                        status = 503
                    msg = Message(f"INVITE {uri} SIP/2.0")
                    via = f"SIP/2.0/{over.upper()} {end.addr[0]}:{end.addr[1]};branch=z9hG4bK{uuid.uuid4().hex[:16]}"
                    for header, value in (("Via", via), ("Max-Forwards", "70"), ("From", "<sip:900@there.example>;tag=1"),
                                          ("To", f"<{uri}>"), ("Call-ID", uuid.uuid4().hex), ("CSeq", "1 INVITE"),
                                          ("Contact", f"<sip:{end.addr[0]}:{end.addr[1]};transport={over}>")):
                        msg.add(header, value)
                    end.send(msg)
                    final = end.expect(lambda m: not m.is_request and m.status >= 200 and m.branch == msg.branch, 5)
                    assert final.status == status, (name, over, uri, final)
                    arrived = [m for m in central.invites if m.call_id == msg.call_id]
                    for source in (end.addr[0], "%s:%d" % end.addr):
                        said = test(p, uri, "sip:900@there.example", source, transport=over)
                        assert [s["name"] for s in said["steps"] if s["step"] == "caller"] == [name], said
                        trust, = [s for s in said["steps"] if s["step"] == "trust"]
                        assert trust["result"] == ("match" if (name, over) == ("asker", "tcp") else "none"), said
                        if status == 200:
                            assert said["outcome"] == "entity" and said["candidates"][0]["entity"] == "central", said
                            assert [m.uri for m in arrived] == [said["request_uri"]]
                        else:
                            # What no table of ours knows goes by DNS from a phone, and is nobody's from here.
                            assert (said["sip_status"], said["candidates"]) == (status, []) and not arrived, said
                            assert said["outcome"] == ("denied" if status == 503 else "not_found"), said
            for over in ("ws", "wss"):
                said = test(p, "+4930123456", "sip:900@there.example", "127.0.0.23", transport=over)
                assert [(s["name"], s["result"]) for s in said["steps"] if s["step"] == "caller"] == [("", "none")], said
            # Not said: its best link.
            said = test(p, "sip:zoe@foreign.example", "sip:900@there.example", "127.0.0.23")
            assert said["outcome"] == "not_found" and "over udp" in str(said["steps"]), said
            # A user is a user over whatever he calls.
            for over in ("udp", "tcp", "tls", "ws", "wss", None):
                said = test(p, "+4930123456", "3001", "127.0.0.23", transport=over)
                assert [s["name"] for s in said["steps"] if s["step"] == "caller"] == ["3001"], said
    finally:
        asker.close()
        drained.close()


def bad_questions_are_refused():
    with site(servers=("sm",)) as (p, _, _2):
        for body in ({}, {"callee": ""}, {"callee": "3001", "source": "here"}, {"callee": "3001", "at": "noon"},
                     {"callee": "sip:a b@c"}, {"callee": 3001}, {"callee": "3001", "more": 1},
                     {"callee": "x" * 513}, {"callee": "3001", "transport": "sctp"}, {"callee": "3001", "transport": "UDP"},
                     {"callee": "3001", "transport": 5}):
            problem = p.sm.post("/v1/route-test", body, 422)
            assert problem["code"] == "validation_failed", (body, problem)


def a_refused_connection_or_503_goes_on_at_once():
    with site(modes=("503", "answer")) as (p, central, local):
        a = p.phone("3001")
        call = a.invite("+4930123456")
        call.expect(180, timeout=1)
        call.expect(200)
        assert central.invites and local.invites
        took = local.invites[0].at - central.invites[0].at
        assert took <= 0.1, took
        assert central.invites[0].branch != local.invites[0].branch
        call.bye()
        # What is not a reason to go on comes back: busy is busy.
        central.mode = "486"
        a.invite("+4930123457").expect(486)
        assert len(local.invites) == 1
        # Both refuse: never 503 to a phone.
        central.mode = local.mode = "503"
        final = a.invite("+4930123458").expect(500)
        assert final.get("Retry-After") is None


def a_silent_peer_is_left_within_4_3_seconds_and_then_known():
    with site() as (p, central, local):
        central.mode = "silent"
        a = p.phone("3001")
        call = a.invite("+4930123456")
        began = call.invite.at
        call.expect(180, timeout=5)
        took = local.invites[0].at - began
        assert took <= 4.3, took
        call.expect(200)
        call.bye()
        p.wait_link("central", "down", 5)
        said = test(p, "+4930123456")
        assert [c["link_state"] for c in said["candidates"]] == ["down", "up"], said
        call = a.invite("+4930123457")
        call.expect(180, timeout=1)
        took = local.invites[1].at - call.invite.at
        assert took <= 0.1, took
        call.expect(200)
        call.bye()
        # It comes back by itself.
        central.mode = "answer"
        p.wait_link("central", "up", 5)
        call = a.invite("+4930123458")
        central.expect(lambda m: m.is_request and m.method == "INVITE" and "+4930123458" in m.uri, 2)
        call.expect(180)
        call.expect(200)


@contextlib.contextmanager
def sipp_trunk(address, folder):
    """SIPp takes the trunk's calls, and answers OPTIONS."""
    far = subprocess.Popen(["sipp", "-sn", "uas", "-aa", "-i", address, "-p", "5060", "-nostdin", "-trace_stat", "-fd", "1",
                            "-stf", f"{folder}/{address}.csv"], cwd=folder, stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield far
    finally:
        far.send_signal(signal.SIGCONT)
        far.kill()
        far.wait()


def by_sipp_s_trunks_too():
    """The same with trunks that others wrote: by the central one, by the local one when that is silent, then at once; an
    emergency by its site's own."""
    def entities(name, address):
        return {"name": name, "type": "trunk", "address": address, "port": 5060, "transport": "udp",
                "monitoring": {"proactive_s": 1, "reactive_s": 1, "retries": 0}}

    class Named:
        def __init__(self, name, address):
            self.name, self.address = name, address

        def entity(self):
            return entities(self.name, self.address)

    central, local = "127.0.0.21", "127.0.0.22"
    with tempfile.TemporaryDirectory() as folder, sipp_trunk(central, folder) as far, sipp_trunk(local, folder), \
            plane(extra=tables(Named("central", central), Named("local", local))) as p:
        for name in ("central", "local"):
            p.wait_link(name, "up", 8)
        a = p.phone("3001")

        def answered(number="+4930123456"):
            """The trunk that answered, and how long after the call its INVITE went out."""
            call = a.invite(number)
            call.expect(200, timeout=8)
            p.wire.settle()
            began = [m for m in p.wire.requests("INVITE", {call.call_id}) if m.get("Proxy-Authorization")][0].at
            last = [m for m in p.wire.requests("INVITE") if m.dest[0] in (central, local)][-1]
            call.bye()
            return last.dest[0], last.at - began

        assert answered()[0] == central
        assert answered("112")[0] == local
        far.send_signal(signal.SIGSTOP)
        where, took = answered()
        assert where == local and took <= 4.3, (where, took)
        p.wait_link("central", "down", 8)
        where, took = answered()
        assert where == local and took <= 0.1, (where, took)
        far.send_signal(signal.SIGCONT)
        p.wait_link("central", "up", 8)
        assert answered()[0] == central


def all_dead_is_500_with_the_reason():
    with site(modes=("silent", "silent"), links={"central": "down", "local": "down"}) as (p, _, _2):
        a = p.phone("3009")
        call = a.invite("+4930123456")
        final = call.expect(500)
        assert final.at - call.invite.at <= 0.2
        assert "does not answer" in final.get("Reason") and final.get("Warning").startswith("399 ")
        assert test(p, "+4930123456")["outcome"] == "down"


def an_emergency_is_where_one_is_and_goes_round_a_dead_cm():
    def make(central, local):
        document = tables(central, local)
        document["users"] = [{"handle": "3005", "name": "Nomad", "password": "secret-3005-3005", "location": "B",
                              "station": {"extension": "3005"}}]
        document["dial_patterns"] += [{"pattern": "0", "location": "B", "policies": ["by local"]},
                                      {"pattern": "0", "location": "A", "policies": ["by central"]}]
        return document

    with site(make=make) as (p, central, local):
        nomad = p.phone("3005")
        # His home is B, his desk today is in A.
        assert test(p, "112", "3005")["candidates"][0]["entity"] == "local"
        assert test(p, "0301234", "3005")["candidates"][0]["entity"] == "local"
        assert test(p, "0301234", "3001")["candidates"][0]["entity"] == "central"
        assert test(p, "112", "3005", source="127.0.0.9")["candidates"][0]["entity"] == "central"
        call = nomad.invite("112")
        local.invited()
        call.expect(180)
        call.expect(200)
        call.bye()
        call = nomad.invite("0301234")
        local.expect(lambda m: m.is_request and m.method == "INVITE" and "0301234" in m.uri, 2)
        call.expect(180)
        call.expect(200)
        call.bye()
        p.cm.stop(9)
        p.wait_link("cm", "down", 3)
        nomad.invite("0301234").expect(500)
        call = nomad.invite("112")
        call.expect(180)
        call.expect(200)
        assert "112" in local.invites[-1].uri


def an_emergency_needs_no_password_if_so_set():
    for allowed in (False, True):
        def make(central, local, allowed=allowed):
            return tables(central, local, settings={"emergency_unauthenticated": allowed})

        with site(make=make, servers=("sm",)) as (p, _, local):
            stranger = p.phone("3001", register=False)
            msg = stranger.send(stranger.request("INVITE", f"sip:112@{DOMAIN}", body=stranger.sdp()))
            final = stranger.answer_of(msg)
            assert final.status == (200 if allowed else 407), final
            assert len(local.invites) == int(allowed)
            other = stranger.send(stranger.request("INVITE", f"sip:+4930123456@{DOMAIN}", body=stranger.sdp()))
            assert stranger.answer_of(other).status == 407


def by_night_the_night_has_it():
    """The clock is the machine's: the ranges are laid round the present."""
    at = now()
    def make(central, local):
        hour = datetime.timedelta(hours=1)
        document = tables(central, local)
        document["time_ranges"] = [{"name": "now", "start": hours(at - hour), "end": hours(at + 2 * hour), **ALWAYS},
                                   {"name": "else", "start": hours(at + 2 * hour), "end": hours(at - hour), **ALWAYS}]
        document["routing_policies"] += [
            {"name": "day", "entity": "central", "times": [{"time_range": "else"}]},
            {"name": "night", "entity": "local", "times": [{"time_range": "now", "rank": 3}]}]
        document["dial_patterns"] += [{"pattern": "7", "policies": ["day", "night"]}]
        return document

    with site(make=make) as (p, central, local):
        a = p.phone("3001")
        said = test(p, "7123")
        assert [c["entity"] for c in said["candidates"]] == ["local"], said
        assert [s["result"] for s in said["steps"] if s["step"] == "policy"] == ["skip", "match"], said
        call = a.invite("7123")
        local.invited()
        call.expect(180)
        call.expect(200)
        later = (at + datetime.timedelta(hours=4)).strftime("%Y-%m-%dT%H:%M:%SZ")
        assert [c["entity"] for c in test(p, "7123", at=later)["candidates"]] == ["central"]


def an_adaptation_for_tests_changes_no_call():
    """State test_only: the routing test shows what it would do, calls go as without it."""
    def make(central, local):
        document = tables(central, local)
        document["adaptations"] = [{"name": "planned", "state": "test_only", "egress_domain": "provider.example",
                                    "digit_conversions": [{"direction": "egress", "address": "destination", "match": "+49",
                                                           "min": 8, "max": 15, "delete": 3, "insert": "0"}]}]
        document["sip_entities"][0]["adaptation"] = "planned"
        return document

    with site(make=make) as (p, central, _):
        assert test(p, "+4930123456")["request_uri"] == "sip:030123456@provider.example"
        call = p.phone("3001").invite("+4930123456")
        assert central.invited().uri == f"sip:+4930123456@{DOMAIN}"
        call.expect(200)
        call.bye()


def adaptations_change_what_they_say():
    def make(central, local):
        document = tables(central, local)
        document["adaptations"] = [
            {"name": "provider", "egress_domain": "provider.example", "egress_source_domain": "pbx.example",
             "from_to": True, "egress_remove_headers": ["User-Agent", "X-Internal", "Via"],
             "digit_conversions": [
                 {"direction": "egress", "address": "destination", "match": "+49", "min": 8, "max": 15, "delete": 3,
                  "insert": "0"},
                 {"direction": "egress", "address": "origination", "match": "300x", "min": 4, "max": 4,
                  "insert": "+4930555"},
                 {"direction": "ingress", "address": "destination", "match": "49305553", "min": 11, "max": 11,
                  "delete": 7}]}]
        document["sip_entities"][0]["adaptation"] = "provider"
        return document

    with site(make=make) as (p, central, _):
        for user in ("3001", "3009"):
            said = test(p, "+4930123456", user)
            a = p.phone(user)
            history = [("History-Info", f"<sip:3002@{DOMAIN}>;index=1, <sip:+4930123456@{DOMAIN}>;index=1.1"),
                       ("Diversion", f'"Ada" <sip:3002@{DOMAIN}>;reason=no-answer'),
                       ("Referred-By", f"<sip:3003@{DOMAIN}>")]
            call = a.invite("+4930123456", headers=[("X-Internal", "secret"), ("X-Other", "kept"), *history])
            arrived = central.invited()
            ringing = call.expect(180)
            call.expect(200)
            assert arrived.uri == said["request_uri"] == "sip:030123456@provider.example", (arrived.uri, said)
            caller = f"sip:+4930555{user}@pbx.example"
            assert arrived.get("From").startswith(f"<{caller}>"), arrived.get("From")
            assert said["candidates"][0]["headers"]["From"] == caller, said
            assert arrived.get("User-Agent") is None and arrived.get("X-Internal") is None
            assert arrived.all("Via")
            if user == "3009":
                assert arrived.get("X-Other") == "kept"
                # Who diverted is an origination, where it goes a destination.
                assert arrived.get("History-Info") == ("<sip:+49305553002@pbx.example>;index=1, "
                                                       "<sip:030123456@provider.example>;index=1.1"), arrived
                assert arrived.get("Diversion") == '"Ada" <sip:+49305553002@pbx.example>;reason=no-answer', arrived
                assert arrived.get("Referred-By") == "<sip:+49305553003@pbx.example>", arrived
                refer = call.in_dialog("REFER")
                refer.add("Refer-To", f"<sip:+4930999@{DOMAIN}?Replaces=a%3Bto-tag%3Db>")
                a.send(refer)
                sent = central.expect(lambda m: m.is_request and m.method == "REFER")
                assert sent.get("Refer-To") == "<sip:030999@provider.example?Replaces=a%3Bto-tag%3Db>", sent
            # The phone gets back the addresses that it sent.
            assert ringing.get("From") == call.invite.get("From")
            assert ringing.get("To").split(";")[0] == call.invite.get("To")
            assert call.bye().status == 200
        # A call from there: 4930555 goes, 3009 is called; the address is the machine's own.
        assert test(p, "sip:49305553009@127.0.0.1", "+4917", "127.0.0.21")["user"] == "3009"
        b = p.phone("3009")
        msg = b.request("INVITE", "sip:49305553009@127.0.0.1:5060", body=b.sdp())
        msg.replace("Via", f"SIP/2.0/UDP 127.0.0.21:5060;branch=z9hG4bKdid;rport")
        msg.replace("From", "<sip:+4917@provider.example>;tag=did")
        central.send(msg)
        ringing = b.incoming()
        assert ringing.invite.get("To").startswith("<sip:3009@"), ringing.invite.get("To")
        ringing.ring()
        central.expect(lambda m: m.status == 180, 2)


def entity(p, name):
    return next(e for e in p.sm.items("/v1/entities") if e["name"] == name)


def a_link_that_takes_no_new_calls_is_passed_over():
    def make(central, local):
        return tables(central, local, entity_links=[
            {"entity": "central", "transport": "udp", "port": 5060, "deny_new_service": True}])

    with site(make=make, links={"central": "deny_new_service", "local": "up"}) as (p, central, local):
        said = test(p, "+4930123456")
        assert [c["link_state"] for c in said["candidates"]] == ["deny_new_service", "up"], said
        a = p.phone("3001")
        call = a.invite("+4930123456")
        local.invited()
        call.expect(180)
        call.expect(200)
        msg = a.request("INVITE", f"sip:3001@{DOMAIN}", body=a.sdp(), from_uri="sip:+4917@provider.example")
        msg.replace("Via", "SIP/2.0/UDP 127.0.0.21:5060;branch=z9hG4bKdrain;rport")
        central.send(msg)
        assert central.expect(lambda m: m.status >= 200, 2).status == 503
        assert not central.invites


def another_link_serves_when_the_first_is_dead():
    second = Trunk("central", ("127.0.0.21", 5062))

    def make(central, local):
        return tables(central, local, entity_links=[{"entity": "central", "transport": "udp", "port": 5062}])

    try:
        with site(modes=("silent", "answer"), make=make,
                  links={"central": "partially_up", "local": "up"}) as (p, central, local):
            call = p.phone("3009").invite("+4930123456")
            second.invited()
            call.expect(180, timeout=1)
            call.expect(200)
            assert call.bye().status == 200
            assert not local.invites
            shown = entity(p, "central")["links"]
            assert [(one["port"], one["link"]) for one in shown] == [(5060, "down"), (5062, "up")], shown
            assert shown[0]["last_answer"] == "no answer" and shown[0]["reason"] == "silent"
    finally:
        second.close()


def what_means_down_can_be_said_and_is_shown():
    def make(central, local):
        document = tables(central, local)
        document["sip_entities"][0]["monitoring"]["down_on"] = ["405"]
        document["sip_entities"][1]["monitoring"]["enabled"] = False
        return document

    with site(make=make, links={"central": "up", "local": "unknown"}) as (p, central, local):
        shown = entity(p, "central")
        assert shown["last_request"].startswith("OPTIONS sip:127.0.0.21:5060") and shown["last_answer"] == "200 OK"
        assert shown["checked_at"] and shown["changed_at"] and shown["reason"] == "heard"
        for status, state in ((503, "up"), (405, "down"), (200, "up")):
            central.options = status
            p.wait_link("central", state, 3)
        # The other one is never asked, so never dead.
        assert not local.received(lambda m: m.method == "OPTIONS")
        assert entity(p, "local")["checked_at"] is None


def with_registration(**more):
    def make(central, local):
        document = tables(central, local)
        central.auth = ("sub-77", "provider secret")
        document["sip_entities"][0]["registration"] = {
            "registrar": "provider.example", "user": "+4930555", "auth_user": "sub-77", "password": "provider secret",
            "expires_s": 60, **more}
        return document
    return make


def registration(p, state, timeout=5.0):
    end = time.monotonic() + timeout
    while (entity(p, "central")["registration"] or {}).get("state") != state:
        assert time.monotonic() < end, entity(p, "central")
        time.sleep(0.02)
    return entity(p, "central")["registration"]


def we_register_with_a_provider_and_call_with_our_password():
    with site(make=with_registration()) as (p, central, local):
        shown = registration(p, "registered")
        assert shown["expires_at"], shown
        first, second = central.received(lambda m: m.method == "REGISTER")[:2]
        assert first.uri == second.uri == "sip:provider.example"
        assert (second.cseq, second.call_id) == (first.cseq + 1, first.call_id)
        assert first.get("From").startswith("<sip:+4930555@provider.example>"), first.get("From")
        assert "127.0.0.1:5060" in second.get("Contact") and second.get("Expires") == "60"
        for user in ("3001", "3009"):
            call = p.phone(user).invite("+4930123456")
            call.expect(180)
            call.expect(200)  # the phone saw no challenge of the provider's
            assert "provider secret" not in repr(central.invites[-1])
            assert call.bye().status == 200
        assert len(central.invites) == 2 and not local.invites
        trace = p.sm.get("/v1/trace?limit=500")
        assert "provider secret" not in str(trace) and "provider secret" not in open(p.sm.folder + "/log").read()


def a_registration_is_refreshed_and_bends_to_the_registrar():
    def make(central, local):
        central.min_expires, central.granted = 90, 4
        return with_registration()(central, local)

    with site(make=make) as (p, central, _):
        registration(p, "registered")
        asked = [m.get("Expires") for m in central.received(lambda m: m.method == "REGISTER")]
        assert asked == ["60", "60", "90", "90"], asked
        central.granted = 3600
        # Five seconds are the least that is believed: the next comes at three quarters of them.
        central.expect(lambda m: m.method == "REGISTER" and m.cseq == 5, 6)
        registration(p, "registered")


def a_wrong_password_is_said_and_calls_come_back():
    with site(make=with_registration(password="wrong")) as (p, central, _):
        shown = registration(p, "refused")
        assert "credentials" in shown["reason"], shown
        assert len(central.received(lambda m: m.method == "REGISTER")) == 2
        p.phone("3009").invite("+4930123456").expect(407)


class Application(Trunk):
    """An application of a sequence: gives every INVITE back by the Route that it came with, under a new Call-ID."""

    def reply_to(self, request, status, reason, body=b"", headers=()):
        if request.method != "INVITE":
            super().reply_to(request, status, reason, body, headers)
        elif status == 200:
            back = Message(request.start, [h for h in request.headers if h[0] != "Record-Route"], request.body)
            back.replace("Via", f"SIP/2.0/UDP {self.addr[0]}:{self.addr[1]};branch=z9hG4bK{uuid.uuid4().hex};rport")
            back.headers = [h for i, h in enumerate(back.headers) if h[0] != "Via" or h[1].find(self.addr[0]) > 0]
            back.replace("Call-ID", uuid.uuid4().hex)
            routes = request.all("Route")[1:]
            back.drop("Route")
            for route in routes:
                back.add("Route", route)
            self.send(back)


def numbers_of_a_pattern_have_sequences_like_users():
    app = Application("app", ("127.0.0.23", 5060))

    def make(central, local):
        document = tables(central, local)
        document["sip_entities"].append(app.entity(type="other", trusted=True))
        document["application_sequences"] = [{"name": "pbx", "entities": ["app"]}]
        document["implicit_users"] = [{"pattern": "45", "min": 4, "max": 4, "origination_sequence": "pbx",
                                       "termination_sequence": "pbx"}]
        document["dial_patterns"] += [{"pattern": "45", "policies": ["by local"]}]
        return document

    try:
        with site(make=make, servers=("sm",), links={"app": "up", "central": "up", "local": "up"}) as (p, central, local):
            a = p.phone("3009")
            assert [s["name"] for s in test(p, "4512", "3009")["steps"] if s["step"] == "implicit_user"] == ["45"]
            a.invite("4512")
            arrived = local.invited()
            assert arrived.uri == f"sip:4512@{DOMAIN}"
            assert [m for m in app.invites if "phase=imsterm" in m.get("Route")], app.invites
            # From such a number: its originating sequence comes first, then the callee's phone.
            msg = a.request("INVITE", f"sip:3009@{DOMAIN}", body=a.sdp(), from_uri=f"sip:4599@{DOMAIN}")
            msg.replace("Via", "SIP/2.0/UDP 127.0.0.21:5060;branch=z9hG4bKimplicit;rport")
            central.send(msg)
            ringing = a.incoming()
            assert "4599" in ringing.invite.get("From")
            assert [m for m in app.invites if "phase=imsorig" in m.get("Route")], app.invites
    finally:
        app.close()


if __name__ == "__main__":
    run([a_number_leaves_by_the_first_choice, what_nobody_has_is_404_and_what_is_barred_403,
         the_transport_says_who_sends_and_what_his_link_is_worth, bad_questions_are_refused, a_refused_connection_or_503_goes_on_at_once,
         a_silent_peer_is_left_within_4_3_seconds_and_then_known, by_sipp_s_trunks_too, all_dead_is_500_with_the_reason,
         an_emergency_is_where_one_is_and_goes_round_a_dead_cm, an_emergency_needs_no_password_if_so_set,
         by_night_the_night_has_it, adaptations_change_what_they_say,
         an_adaptation_for_tests_changes_no_call, a_link_that_takes_no_new_calls_is_passed_over,
         another_link_serves_when_the_first_is_dead, what_means_down_can_be_said_and_is_shown,
         we_register_with_a_provider_and_call_with_our_password, a_registration_is_refreshed_and_bends_to_the_registrar,
         a_wrong_password_is_said_and_calls_come_back, numbers_of_a_pattern_have_sequences_like_users])
