# SPDX-License-Identifier: Apache-2.0
"""Random tables of routing: what the routing test says of a call must be what then happens on the wire."""
import contextlib
import random
import time
import uuid

from sip_message import Message
from sip_phone import SDP, Endpoint
from sip_trunk import Trunk
from standalone import Server

DOMAIN = "aurabox.internal"
SM = ("127.0.0.1", 5060)
NAMES = ("t1", "t2", "t3", "t4")
PLACES = ("P", "Q", "R")
DIGITS = "0123"


def pattern(rng):
    return "".join(rng.choice(DIGITS + "x+" if i == 0 else DIGITS + "x") for i in range(rng.randint(1, 4)))


def number(rng):
    return rng.choice(["", "", "+"]) + "".join(rng.choice(DIGITS) for _ in range(rng.randint(1, 6)))


def lengths(rng, text):
    low = rng.randint(1, len(text) + 1)
    return {"pattern": text, "min": low, "max": rng.randint(low, 8)}


def conversions(rng):
    return [{"direction": rng.choice(["ingress", "egress"]), "address": rng.choice(["destination", "both", "origination"]),
             "match": pattern(rng), "min": 1, "max": rng.randint(3, 12), "delete": rng.randint(0, 2),
             "insert": rng.choice(["", "9", "+49", "00"])} for _ in range(rng.randint(0, 4))]


def table(rng, entities):
    """A document that names those entities; "dead" is one that nobody serves."""
    policies = []
    for i in range(rng.randint(1, 8)):
        times = [{"time_range": rng.choice([None, None, "now", "never"]), "rank": rng.randint(0, 3)}
                 for _ in range(rng.randint(1, 2))]
        policies.append({"name": f"p{i}", "entity": rng.choice(NAMES + ("dead",)), "disabled": rng.random() < 0.15,
                         "times": times})
    names = [p["name"] for p in policies]

    def some():
        return rng.sample(names, rng.randint(0, min(4, len(names))))

    week = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    for entity in entities:
        entity["location"] = rng.choice([None, None, "P", "Q"])
        entity["adaptation"] = rng.choice([None, None, "a0", "a1"])
    return {
        "schema": 1, "domain": DOMAIN, "domains": [{"name": "eng.example.com"}],
        "users": [{"handle": h, "name": "X", "password": "secret-secret", "station": None}
                  for h in sorted({number(rng).strip("+") for _ in range(10)})],
        "locations": [{"name": p, "patterns": [f"127.0.0.{30 + i}"]} for i, p in enumerate(PLACES)],
        "adaptations": [{"name": f"a{i}", "state": rng.choice(["enabled", "enabled", "disabled"]),
                         "egress_domain": rng.choice([None, f"a{i}.example"]),
                         "ingress_domain": rng.choice([None, None, "eng.example.com"]),
                         "digit_conversions": conversions(rng)} for i in range(2)],
        "sip_entities": entities + [{"name": "dead", "type": "trunk", "address": "127.0.0.99", "port": 5060,
                                     "transport": "tcp", "timer_b_s": 1, "location": None,
                                     "monitoring": {"proactive_s": 900, "reactive_s": 900, "retries": 0}}],
        "time_ranges": [{"name": "now", "days": week, "start": "00:00", "end": "24:00"},
                        {"name": "never", "days": [], "start": "00:00", "end": "24:00"}],
        "routing_policies": policies,
        "dial_patterns": [{**lengths(rng, pattern(rng)), "policies": some(), "deny": rng.random() < 0.25,
                           "emergency": rng.random() < 0.1, "location": rng.choice([None, None, *PLACES]),
                           "domain": rng.choice([None, None, None, DOMAIN, "eng.example.com", "example.com"])}
                          for _ in range(rng.randint(0, 25))],
        "regular_expressions": [{"pattern": rng.choice(["^[12]", "3@", "^sip:0", "example\\.com", "^x.*@"]),
                                 "rank": rng.randint(0, 2), "policies": some(), "deny": rng.random() < 0.2}
                                for _ in range(rng.randint(0, 3))],
        "settings": {"better_match_all_overrides": rng.random() < 0.3,
                     "outbound_proxy": rng.choice([None, None, "t1"])}}


def invite(trunk, uri, caller):
    msg = Message(f"INVITE {uri} SIP/2.0")
    via = f"SIP/2.0/UDP {trunk.addr[0]}:{trunk.addr[1]};branch=z9hG4bK{uuid.uuid4().hex[:16]};rport"
    for name, value in (("Via", via), ("Max-Forwards", "70"), ("From", f"<{caller}>;tag={uuid.uuid4().hex[:8]}"),
                        ("To", f"<{uri}>"), ("Call-ID", uuid.uuid4().hex), ("CSeq", "1 INVITE"),
                        ("Contact", f"<sip:{trunk.addr[0]}:{trunk.addr[1]}>"), ("Content-Type", "application/sdp")):
        msg.add(name, value)
    msg.body = (SDP % 30000).encode()
    return msg


def ack(trunk, msg, final):
    out = Message(f"ACK {msg.uri} SIP/2.0")
    for name, value in (("Via", msg.get("Via")), ("Max-Forwards", "70"), ("From", msg.get("From")),
                        ("To", final.get("To")), ("Call-ID", msg.call_id), ("CSeq", "1 ACK")):
        out.add(name, value)
    trunk.send(out)


def expected(said):
    """(status, entity or None, Request-URI there) that the answer of the routing test promises."""
    if said["outcome"] == "user":
        return 480, None, None  # nobody is logged in
    if said["outcome"] == "entity":
        for one in said["candidates"]:
            if one["link_state"] in ("up", "unknown"):
                return 486, one["entity"], one["request_uri"]
        return 404, None, None  # by DNS, which is not asked in these tables
    return said["sip_status"], None, None


def check(sm, trunks, rng):
    sender = rng.choice(list(trunks.values()))
    host = rng.choice([DOMAIN, DOMAIN, DOMAIN, "127.0.0.1:5060", "eng.example.com", "sub.example.com"])
    uri = f"sip:{number(rng)}@{host}"
    caller = f"sip:{number(rng)}@{rng.choice([DOMAIN, 'there.example', 'eng.example.com'])}"
    question = {"caller": caller, "callee": uri, "source": "%s:%d" % sender.addr}
    said = sm.post("/v1/route-test", question)
    msg = sender.send(invite(sender, uri, caller))
    final = sender.expect(lambda m: not m.is_request and m.status >= 200 and m.branch == msg.branch, 5, f"an answer to {uri}")
    ack(sender, msg, final)
    status, name, there = expected(said)
    arrived = [(t.name, m.uri) for t in trunks.values() for m in t.invites if m.call_id == msg.call_id]
    wanted = [(name, there)] if name else []
    assert (final.status, arrived) == (status, wanted), (question, said, final.start, arrived)
    return said["outcome"]


def run_tables(count, calls, seed):
    """count tables, calls of each; how often each outcome was met."""
    rng = random.Random(seed)
    met = {}
    with contextlib.ExitStack() as stack:
        trunks = {}
        for i, name in enumerate(NAMES):
            trunks[name] = Trunk(name, (f"127.0.0.{30 + i}", 5060), "486")
            stack.callback(trunks[name].close)
        for n in range(count):
            document = table(rng, [t.entity() for t in trunks.values()])
            with Server("aura-sm", document, "127.0.0.1:5060") as sm:
                wait_settled(sm)
                for _ in range(calls):
                    outcome = check(sm, trunks, rng)
                    met[outcome] = met.get(outcome, 0) + 1
            for trunk in trunks.values():
                with trunk.cond:
                    trunk.log.clear()
                    trunk.taken.clear()
                trunk.invites.clear()
    return met


def wait_settled(sm):
    end = time.monotonic() + 8
    while True:
        states = {e["name"]: e["link"] for e in sm.items("/v1/entities")}
        if states["dead"] == "down" and all(states[n] == "up" for n in NAMES):
            return
        assert time.monotonic() < end, states
        time.sleep(0.02)
