# SPDX-License-Identifier: Apache-2.0
"""Many calls over a careless network, and what must be true when they are over."""
import re
import time

import careless_network as net
from standalone import Server

USERS = ("3001", "3002", "3003", "3004")
WAIT_S = 120  # 64 * T1 for an ACK that never came, then for its BYE, then for what hangs from it


def password(user):
    return f"secret-{user}-{user}"


def document():
    users = [{"handle": u, "name": f"User {u}", "password": password(u), "presence": {"enabled": False},
              "station": {"extension": u, "appearances": 10}} for u in USERS]
    entities = [{"name": n, "type": n, "address": a[0], "port": a[1], "transport": "udp"}
                for n, a in (("sm", net.SM_SHOWN), ("cm", net.CM_SHOWN))]
    return {"schema": 1, "domain": net.DOMAIN, "users": users, "sip_entities": entities,
            "application_sequences": [{"name": "default", "entities": ["cm"]}],
            "dial_plan": [{"match": "3", "length": 4, "type": "extension"}]}


def metric(server, name):
    """A metric with its labels, or the sum over them."""
    text = server.get("/metrics").decode()
    name = re.escape(name) + ("" if "{" in name else r"(?:\{[^}]*\})?")
    return sum(int(float(v)) for v in re.findall(rf"^{name} (\S+)", text, re.M))


def at_rest(sm, cm):
    return (metric(sm, "aura_sm_calls") == 0 and metric(cm, "aura_cm_calls") == 0 and
            metric(sm, 'aura_sm_transactions{side="server"}') == 0 and
            metric(sm, 'aura_sm_transactions{side="client"}') <= 4)  # of the OPTIONS that watch the link


def records_of(cm):
    return cm.items("/v1/records?limit=500")


def judge(cm, phones, calls):
    """Every call that came to cm has one record, and one a half; who talked is said to have talked."""
    records = records_of(cm)
    keys = [(r["gsid"], r["half"]) for r in records]
    assert len(keys) == len(set(keys)), "a record is double"
    whole = {r["gsid"]: r for r in records if r["half"] == "call"}
    halves = [r for r in records if r["half"] != "call"]
    assert {r["gsid"] for r in halves} == set(whole), "a record is missing"
    assert len(halves) == metric(cm, "aura_cm_halves_total") == metric(cm, "aura_cm_invites_total")
    assert metric(cm, "aura_cm_records_lost_total") == 0
    assert len(whole) <= calls
    talked = sorted((p.user, callee) for p in phones for callee, status in p.results if status == 200)
    answered = sorted((r["caller"], r["callee"]) for r in whole.values() if r["result"] == "answered")
    assert set(talked) <= set(answered) and len(talked) <= len(answered), (talked, answered)
    return len(whole), len(answered)


def run(seed, calls, seconds, loss=0.05, copies=0.05, late=0.1):
    """So many calls within so many seconds; returns what happened."""
    print(f"seed {seed}: loss {loss}, copies {copies}, late {late}", flush=True)
    network = net.Network(seed, loss, copies, late)
    cm = sm = None
    failed = True
    try:
        cm = Server("aura-cm", document(), "127.0.0.1:5070",
                    ["sip.advertise=" + net.CM_SHOWN[0], "call.no_answer_s=4", "call.setup_s=8", "call.audit_s=5"])
        sm = Server("aura-sm", document(), "127.0.0.1:5060",
                    ["sip.advertise=" + net.SM_SHOWN[0], "sip.timer_c_s=10", "link.probe_ms=5000", "link.down_after_ms=30000",
                     "firewall.allow=127.0.0.0/8"])
        phones = [net.Phone(network, u, password(u), i) for i, u in enumerate(USERS)]
        back = []
        for phone in phones:
            phone.register(lambda: back.append(1))
        network.run(40, lambda: len(back) == len(phones))
        assert len(back) == len(phones), "not everybody is registered"
        for _ in range(calls):
            caller, callee = network.rng.sample(phones, 2)
            caller.call(callee.user)
            network.run(seconds / calls)
        end = time.monotonic() + WAIT_S
        while not at_rest(sm, cm) or any(p.pending for p in phones):
            network.run(1)
            assert time.monotonic() < end, (
                sm.items("/v1/calls"), cm.items("/v1/calls"), metric(sm, "aura_sm_transactions"),
                [list(p.pending) for p in phones])
        finals = [status for p in phones for _, status in p.results]
        assert len(finals) == calls, (len(finals), calls)
        whole, answered = judge(cm, phones, calls)
        failed = False
        return {"calls": calls, "records": whole, "answered": answered, "datagrams": network.passed,
                "lost": network.lost, "copied": network.copied, "late": network.delayed, "unacknowledged": sum(p.unended for p in phones),
                "finals": {s: finals.count(s) for s in sorted(set(finals))}}
    finally:
        network.close()
        for server in (sm, cm):
            if server:
                if failed:
                    server.show_log()
                status = server.stop()
                assert failed or status == 0, f"{server.argv[0]} ended with {status}"
