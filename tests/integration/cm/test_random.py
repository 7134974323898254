#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 240
"""Calls by a careless network: random answers, losses, copies, late and wrong messages. Every half ends,
none of its records is missing or double, and cm is well (its build looks for errors of memory and leaks)."""
import heapq
import os
import random
import re
import time
from urllib.parse import quote

import one_origin
import sip_peer
from cm_bench import DOMAIN, bench
from sip_peer import sdp
from standalone import run

CALLS = int(os.environ.get("AURA_RANDOM_CALLS", "150"))
SEED = int(os.environ.get("AURA_RANDOM_SEED", "20261121"))


def number(text, name):
    """The sum of a metric over its labels."""
    name = re.escape(name) + ("" if name.endswith("}") else r"(?:\{[^}]*\})?")
    return sum(int(float(v)) for v in re.findall(r"^%s (\S+)" % name, text, re.M))


def features(b):
    """Transfers, how many of them were joined, and redirections so far."""
    metrics = b.server.get("/metrics").decode()
    return (number(metrics, "aura_cm_transfers_total"), number(metrics, 'aura_cm_transfers_total{result="joined"}'),
            number(metrics, "aura_cm_redirects_total"))


def enough(transfers, joined, redirects):
    return transfers > CALLS / 15 and joined > 0 and redirects > 3


class Chaos:
    """sm and all phones at once; remembers a little and makes mistakes on purpose."""

    def __init__(self, b, rng):
        self.b, self.rng, self.words = b, rng, random.Random(SEED)
        self.queue, self.serial = [], 0
        self.invites = {}     # Call-ID -> our INVITE
        self.dialogs = []     # (upstream INVITE, its 1xx or 2xx)
        self.below = []       # (downstream INVITE, tag)
        self.seen = []        # all that cm sent, in order
        self.talking = []     # those of them that cm has acknowledged
        self.cseq = 100
        self.careful = False

    def chance(self, p):
        return not self.careful and self.rng.random() < p

    def sdp(self):
        """Descriptions come again, come anew and differ in nothing but their count."""
        return sdp(port=self.words.choice([4000, 4000, 5000, 6000]), version=self.words.randint(1, 3))

    def later(self, act, most=0.2):
        self.serial += 1
        heapq.heappush(self.queue, (time.monotonic() + self.rng.random() * most, self.serial, act))

    def put(self, send):
        """Send: sometimes not at all, sometimes twice."""
        if not self.chance(0.04):
            self.later(send)
        if self.chance(0.08):
            self.later(send, 0.6)

    def reply(self, msg, status, **kw):
        self.put(lambda: self.b.sm.answer(msg, status, **kw))

    # -- requests of ours

    def request(self, method, pair, body=b"", headers=()):
        self.cseq += 1
        invite, early = pair
        cseq = self.cseq
        self.put(lambda: self.b.in_dialog(method, invite, early, cseq, body, headers))

    def request_down(self, method, headers=(), body=b""):
        """The same from the callee's side, of a call that may talk or not."""
        known = self.talking[-8:] if self.talking and self.chance(0.8) else self.below[-20:]
        if not known:
            return
        self.cseq += 1
        (down, tag), cseq = self.rng.choice(known), self.cseq
        self.put(lambda: self.b.in_dialog_down(method, down, tag, cseq, body, headers))

    def refer(self):
        """To somebody, to nobody, to the party of another call, with and without news."""
        to = "sip:%s@%s" % (self.rng.choice(["3003", "3003", "3003", "3002", "3999"]), DOMAIN)
        if self.dialogs and self.chance(0.25):
            invite, early = self.rng.choice(self.dialogs)
            to += "?Replaces=" + quote("%s;to-tag=%s;from-tag=%s" % (
                invite.call_id, early.tag("To"), invite.tag("From")), safe="")
        quiet = [("Refer-Sub", "false")] if self.chance(0.2) else []
        return [("Refer-To", "<%s>" % to)] + quiet

    def replaces(self):
        if not self.dialogs or not self.chance(0.15):
            return []
        invite, early = self.rng.choice(self.dialogs)
        return [("Replaces", "%s;to-tag=%s;from-tag=%s" % (invite.call_id, early.tag("To"), invite.tag("From")))]

    def begin(self, n):
        rng, b = self.rng, self.b
        require = [("Require", "100rel")] if self.chance(0.2) else []
        timer = [("Session-Expires", rng.choice(["60", "90", "1800;refresher=uas", "x"]))] if self.chance(0.3) else []
        if self.chance(0.2):
            self.off_hook(n)
            return
        invite = b.invite(rng.choice(["imsorig", "imsterm"]), rng.choice(["3001", "3002", "grace"]),
                          rng.choice(["3001", "3002", "3003", "3999"]), gsid="chaos-%d" % n,
                          body=b"" if self.chance(0.2) else None, headers=require + timer + self.replaces())
        self.invites[invite.call_id] = invite
        if self.chance(0.15):
            self.later(lambda: b.sm.cancel(invite, b.cm), 1.0)

    def off_hook(self, n):
        b, rng = self.b, self.rng
        call_id, tag, user = sip_peer.token(), sip_peer.token(), rng.choice(["3001", "3002", "grace"])

        def send(uri, cseq, body, to_tag=""):
            lines = [("Route", "<sip:%s;lr;phase=imsorig>" % b.cm_hostport),
                     ("Route", "<sip:%s;lr;phase=origdone;odi=T>" % b.sm.hostport),
                     ("From", "<sip:%s@%s>;tag=%s" % (user, DOMAIN, tag)), ("To", "<%s>%s" % (uri, to_tag)),
                     ("Call-ID", call_id), ("CSeq", "%d INVITE" % cseq),
                     ("Contact", "<sip:%s@%s>;+avaya-cm-line=%d" % (user, b.sm.hostport, rng.randint(0, 4))),
                     ("Supported", "100rel"), ("Av-Global-Session-ID", "chaos-%d" % n),
                     ("P-Asserted-Identity", "<sip:%s@%s>" % (user, DOMAIN))]
            self.invites[call_id] = b.sm.request("INVITE", uri, lines, body, to=b.cm)
            return self.invites[call_id]

        first = send("sip:%s@%s;avaya-cm-fnu=off-hook" % (user, DOMAIN), 1, b"")
        if self.chance(0.3):
            self.later(lambda: b.sm.cancel(first, b.cm), 0.8)
        if not self.chance(0.2):
            def dial():
                early = [e for i, e in self.dialogs if i.call_id == call_id]
                to_tag = ";tag=" + early[-1].tag("To") if early and self.chance(0.5) else ""
                send("sip:3002@" + DOMAIN, 2, self.sdp(), to_tag)
            self.later(dial, 0.6)

    # -- what cm sends

    def take(self, msg):
        if self.chance(0.05):
            return
        if not msg.is_request:
            self.take_answer(msg)
        elif msg.method == "INVITE":
            self.take_invite(msg)
        elif msg.method == "CANCEL":
            self.reply(msg, 200)
            for down, tag in self.below[-60:]:
                if down.call_id == msg.call_id and down.cseq == msg.cseq:
                    self.reply(down, 487, to_tag=tag)
        elif msg.method == "PUBLISH":
            self.reply(msg, 412 if self.chance(0.2) else 200, headers=[("SIP-ETag", sip_peer.token())])
        elif msg.method == "ACK":
            self.talking += [(d, t) for d, t in self.below[-60:] if d.call_id == msg.call_id and t == msg.tag("To")]
        else:
            body = self.sdp() if msg.body and msg.method != "BYE" else b""
            # Whoever was told of no end (its BYE was lost for good) has forgotten the call in the end.
            forgotten = self.careful and msg.method == "OPTIONS"
            self.reply(msg, 481 if forgotten or self.chance(0.05) else 200, body=body)

    def take_invite(self, msg):
        rng, tag = self.rng, sip_peer.token()
        if msg.tag("To"):
            self.reply(msg, rng.choice([200, 200, 200, 200, 491, 488]) if not self.careful else 200, body=self.sdp())
            return
        self.below.append((msg, tag))
        rseq = rng.randint(1, 1000)
        for step in range(rng.randint(0, 3)):
            fork = tag if not self.chance(0.2) else sip_peer.token()
            reliable = "100rel" in (msg.get("Supported") or "") and self.chance(0.5)
            headers = [("Require", "100rel"), ("RSeq", str(rseq + step))] if reliable else []
            self.reply(msg, rng.choice([180, 183]), to_tag=fork, headers=headers,
                       body=self.sdp() if self.chance(0.5) else b"")
        if self.chance(0.1):
            return  # never a final answer
        status = rng.choice([200] * 8 + [486, 404, 503, 422, 302, 302]) if not self.careful else 486
        headers = [("Min-SE", "200")] if status == 422 else []
        if status == 302:
            headers = [("Contact", "<sip:%s@%s>" % (rng.choice(["3003", "3002", "3999"]), DOMAIN))]
        self.later(lambda: self.reply(msg, status, to_tag=tag, headers=headers,
                                      body=self.sdp() if status == 200 else b""), 0.5)

    def take_answer(self, msg):
        invite = self.invites.get(msg.call_id)
        if msg.cseq_method != "INVITE" or not invite or msg.cseq != invite.cseq:
            return
        if 100 < msg.status < 300:
            self.dialogs = self.dialogs[-40:] + [(invite, msg)]
        if msg.get("RSeq") and not self.chance(0.1):
            rack = "%s %d INVITE" % (msg.get("RSeq"), invite.cseq)
            self.request("PRACK", (invite, msg), self.sdp() if self.chance(0.4) else b"", [("RAck", rack)])
        if 200 <= msg.status < 300:
            if self.chance(0.6):
                self.b.ack(invite, msg)
                self.later(lambda: self.transfer((invite, msg)), 0.5)
            elif not self.chance(0.05):
                self.put(lambda: self.b.ack(invite, msg))
            for _ in range(self.rng.randint(0, 2)):
                self.later(lambda: self.in_call((invite, msg)), 0.6)
            self.later(lambda: self.later(lambda: self.request("BYE", (invite, msg)), 1.0), 0.8)
        elif msg.status >= 300:
            self.put(lambda: self.b.sm.ack_failure(invite, msg, self.b.cm))

    def transfer(self, pair):
        """One side asks for it; at times a re-INVITE or a BYE of either crosses it."""
        if self.chance(0.5):
            self.request("REFER", pair, headers=self.refer())
        else:
            self.request_down("REFER", self.refer())
        if self.chance(0.3):
            self.later(lambda: self.request("INVITE", pair, self.sdp()), 0.3)
        if self.chance(0.15):
            self.later(lambda: self.request_down("BYE"), 0.3)

    def in_call(self, pair):
        method = self.rng.choice(["INVITE", "INVITE", "UPDATE", "INFO", "REFER", "REFER", "REFER", "NOTIFY", "OPTIONS",
                                  "PRACK", "MESSAGE"])
        headers = {"REFER": self.refer(), "NOTIFY": [("Event", "refer")],
                   "PRACK": [("RAck", "1 1 INVITE")], "UPDATE": [("Session-Expires", "90")]}.get(method, [])
        body = self.sdp() if method in ("INVITE", "UPDATE") else b""
        if self.chance(0.4):
            self.request_down(method if self.chance(0.85) else "BYE", headers, body)
        else:
            self.request(method, pair, body, headers)

    def pump(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            while self.queue and self.queue[0][0] <= time.monotonic():
                heapq.heappop(self.queue)[2]()
            msg = self.b.sm.receive(0.005)
            if msg:
                self.seen.append(msg)
                self.take(msg)
            self.b.sm.log.clear()


def every_half_ends_and_is_recorded_once():
    rng = random.Random(SEED)
    print("seed", SEED, flush=True)
    settings = ("call.no_answer_s=4", "call.setup_s=6", "call.audit_s=5")

    def many_lines(document):
        for user in document["users"]:
            if user["station"]:
                user["station"]["appearances"] = 10

    with bench(*settings, edit=many_lines) as b:
        chaos = Chaos(b, rng)
        for n in range(CALLS + CALLS // 2):  # where a busy machine left too little to chance, half as many again
            if n >= CALLS and enough(*features(b)):
                break
            chaos.begin(n)
            chaos.pump(rng.random() * 0.08)
        chaos.pump(3)
        chaos.careful = True
        for _ in range(30):  # the longest wait is 64 * T1 for an ACK that was lost, then one for a BYE
            chaos.pump(3)
            if not b.server.items("/v1/calls") and number(b.server.get("/metrics").decode(), "aura_cm_calls") == 0:
                break
        assert b.server.items("/v1/calls") == []
        metrics = b.server.get("/metrics").decode()
        taken, over = number(metrics, "aura_cm_invites_total"), number(metrics, "aura_cm_halves_total")
        transfers, joined, redirects = features(b)
        print("halves %d, transfers %d (joined %d), redirections %d" % (over, transfers, joined, redirects))
        assert taken + transfers == over > CALLS / 2, (taken, transfers, over)
        assert enough(transfers, joined, redirects), (transfers, joined, redirects)
        assert number(metrics, "aura_cm_calls") == 0 and number(metrics, "aura_cm_records_lost_total") == 0
        records = b.server.items("/v1/records?limit=500")
        keys = [(r["gsid"], r["half"]) for r in records]
        assert len(keys) == len(set(keys)), "a record is double"
        assert len([k for k in keys if k[1] != "call"]) == over, (len(keys), over)
        assert {k[0] for k in keys} == {k[0] for k in keys if k[1] == "call"}
        results = {r["result"] for r in records}
        assert len(results) >= 4, results
        b.sm.kept.clear()
        up, answer, down, _ = b.talk(gsid="after")  # and it still works
        b.hang_up(up, answer, down)
        told = one_origin.check(chaos.seen)
        print("descriptions %d" % told)
        assert told > CALLS, told


if __name__ == "__main__":
    run([every_half_ends_and_is_recorded_once])
