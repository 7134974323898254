#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 90
"""aura-presence alone: PUBLISH in, NOTIFY out, with a scripted peer that plays sm."""

import contextlib
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
import ports  # noqa: E402
import sip_peer  # noqa: E402
import standalone  # noqa: E402

DOMAIN = "aurabox.internal"
PIDF = "application/pidf+xml"


def document(status="open", tuple_id="t1", activity=None, entity="pres:3001@aurabox.internal"):
    person = ("<dm:person id=\"p1\"><rpid:activities><rpid:%s/></rpid:activities></dm:person>" % activity
              if activity else "")
    return ("<?xml version=\"1.0\" encoding=\"UTF-8\"?><presence xmlns=\"urn:ietf:params:xml:ns:pidf\" "
            "xmlns:dm=\"urn:ietf:params:xml:ns:pidf:data-model\" "
            "xmlns:rpid=\"urn:ietf:params:xml:ns:pidf:rpid\" entity=\"%s\"><tuple id=\"%s\"><status>"
            "<basic>%s</basic></status></tuple>%s</presence>" % (entity, tuple_id, status, person)).encode()


class Bench:
    def __init__(self, server, sm):
        self.server = server
        self.sm = sm
        self.cseq = 0

    def request(self, method, target, asserted, headers=(), body=b"", dialog=None, peer=None, uri=None):
        """A request as sm forwards it; returns it."""
        self.cseq += 1
        call_id, from_value, to_value = dialog or (
            sip_peer.token(), "<sip:%s@%s>;tag=%s" % (asserted, DOMAIN, sip_peer.token()),
            "<sip:%s@%s>" % (target, DOMAIN))
        lines = [("Record-Route", "<sip:%s;lr>" % self.sm.hostport), ("From", from_value), ("To", to_value),
                 ("Call-ID", call_id), ("CSeq", "%d %s" % (self.cseq, method)),
                 ("Contact", "<sip:%s@%s>" % (asserted, self.sm.hostport))]
        if asserted:
            lines.append(("P-Asserted-Identity", "<sip:%s@%s>" % (asserted, DOMAIN)))
        return (peer or self.sm).request(method, uri or "sip:%s@%s" % (target, DOMAIN), lines + list(headers),
                                         body, to=self.sm.peer, content_type=PIDF)

    def publish(self, user="3001", body=b"", etag=None, expires=None, event="presence", asserted=None,
                status=200, headers=()):
        extra = [("Event", event)] if event else []
        if etag:
            extra.append(("SIP-If-Match", etag))
        if expires is not None:
            extra.append(("Expires", str(expires)))
        self.request("PUBLISH", user, user if asserted is None else asserted, extra + list(headers), body)
        return self.sm.expect((status, "PUBLISH"))

    def subscribe(self, target="3001", watcher="3002", expires=600, event="presence", status=200, asserted=None):
        extra = [("Accept", PIDF), ("Expires", str(expires))]
        if event:
            extra.append(("Event", event))
        request = self.request("SUBSCRIBE", target, watcher if asserted is None else asserted, extra)
        return request, self.sm.expect((status, "SUBSCRIBE"))

    def refresh(self, request, answer, expires, status=200):
        self.request("SUBSCRIBE", "", "3002", [("Event", "presence"), ("Expires", str(expires))],
                     dialog=(request.call_id, request.get("From"), answer.get("To")),
                     uri=answer.addr("Contact"))
        return self.sm.expect((status, "SUBSCRIBE"))

    def notified(self, call_id=None, timeout=2.0, status=200):
        notify = self.sm.expect("NOTIFY", timeout, lambda m: call_id is None or m.call_id == call_id)
        self.sm.answer(notify, status, "OK")
        return notify


@contextlib.contextmanager
def bench(*settings):
    port = ports.free_port()
    sm = sip_peer.Peer(peer=("127.0.0.1", port))
    users = [{"handle": h, "name": h, "password": "secret-" + h, "sip": {}, "station": None,
              "presence": {"enabled": h != "3003"}} for h in ("3001", "3002", "3003")]
    config = {"schema": 1, "domain": DOMAIN, "users": users, "application_sequences": [], "dial_plan": [],
              "sip_entities": [{"name": "sm", "type": "sm", "address": "127.0.0.1", "port": sm.port,
                                "transport": "udp"}]}
    with standalone.Server("aura-presence", config, "127.0.0.1:%d" % port, settings) as server:
        try:
            yield Bench(server, sm)
        except BaseException:
            for at, way, message in sm.log[-20:]:
                print("%.3f %s %s\n" % (at, way, message))
            raise
        finally:
            sm.close()


def basics(notify):
    return re.findall(r"<(?:\w+:)?basic>(\w+)</", notify.body.decode())


def a_watcher_sees_what_is_published():
    with bench() as b:
        request, answer = b.subscribe()
        assert answer.tag("To") and int(answer.get("Expires")) == 600, answer
        first = b.notified()
        assert first.call_id == request.call_id and first.get("Event") == "presence", first
        assert first.get("Subscription-State").startswith("active;expires="), first
        assert first.uri == request.addr("Contact") and first.get("Route") == "<sip:%s;lr>" % b.sm.hostport
        assert first.get("Content-Type") == PIDF and basics(first) == ["closed"], first
        assert "entity=\"sip:3001@aurabox.internal\"" in first.body.decode()

        began = time.monotonic()
        published = b.publish(body=document("open", activity="on-the-phone"))
        assert published.get("SIP-ETag") and int(published.get("Expires")) == 3600, published
        second = b.notified()
        assert time.monotonic() - began < 1.0
        assert basics(second) == ["open"] and "on-the-phone" in second.body.decode(), second
        assert second.cseq == first.cseq + 1, second

        b.publish(body=document("closed"), etag=published.get("SIP-ETag"))
        assert basics(b.notified()) == ["closed"]


def devices_are_put_together():
    with bench() as b:
        b.publish(body=document("open", "desk"))
        soft = b.publish(body=document("closed", "desk", activity="meeting"))
        b.subscribe()
        both = b.notified()
        assert sorted(basics(both)) == ["closed", "open"] and "meeting" in both.body.decode(), both
        ids = re.findall(r"<(?:\w+:)?tuple id=\"([^\"]+)\"", both.body.decode())
        assert len(set(ids)) == 2, ids
        b.publish(etag=soft.get("SIP-ETag"), expires=0)
        assert basics(b.notified()) == ["open"]


def entity_tags_are_single_use():
    with bench() as b:
        first = b.publish(body=document()).get("SIP-ETag")
        second = b.publish(etag=first).get("SIP-ETag")
        assert second != first
        b.publish(etag=first, status=412)
        b.publish(etag="unknown", body=document(), status=412)
        b.publish(etag=second, expires=0)
        b.publish(etag=second, status=412)


def publications_and_subscriptions_run_out():
    with bench("publish.min_expires_s=1", "watch.min_expires_s=1") as b:
        _, _ = b.subscribe(expires=4)
        b.notified()
        b.publish(body=document("open"), expires=1)
        assert basics(b.notified()) == ["open"]
        began = time.monotonic()
        assert basics(b.notified(timeout=3)) == ["closed"]
        assert 0.5 < time.monotonic() - began < 2.5
        last = b.notified(timeout=5)
        assert last.get("Subscription-State").startswith("terminated;reason=timeout"), last
        b.publish(body=document("open"))
        b.sm.expect_nothing("NOTIFY", 0.4)


def times_are_bounded():
    with bench() as b:
        short = b.publish(body=document(), expires=5, status=423)
        assert short.get("Min-Expires") == "60", short
        _, short = b.subscribe(expires=5, status=423)
        assert short.get("Min-Expires") == "60", short
        assert b.publish(body=document(), expires=100000).get("Expires") == "3600"
        _, long = b.subscribe(expires=100000)
        assert long.get("Expires") == "3600", long


def a_subscription_is_refreshed_and_ended():
    with bench() as b:
        request, answer = b.subscribe()
        b.notified()
        assert b.refresh(request, answer, 300).get("Expires") == "300"
        assert b.notified().get("Subscription-State").startswith("active"), request
        b.refresh(request, answer, 0)
        assert b.notified().get("Subscription-State").startswith("terminated")
        b.refresh(request, answer, 300, status=481)
        b.publish(body=document())
        b.sm.expect_nothing("NOTIFY", 0.4)


def a_fetch_is_answered_once():
    with bench() as b:
        b.publish(body=document("open"))
        b.subscribe(expires=0)
        only = b.notified()
        assert only.get("Subscription-State").startswith("terminated") and basics(only) == ["open"], only
        b.publish(body=document("closed"))
        b.sm.expect_nothing("NOTIFY", 0.4)


def a_watcher_that_is_gone_is_forgotten():
    with bench() as b:
        b.subscribe()
        b.notified(status=481)
        b.publish(body=document())
        b.sm.expect_nothing("NOTIFY", 0.4)
        metrics = b.server.get("/metrics").decode()
        assert "aura_presence_subscriptions 0" in metrics, metrics


def other_packages_are_489():
    with bench() as b:
        for event in ("dialog", "reg", "presence.winfo", None):
            _, refused = b.subscribe(event=event, status=489)
            assert refused.get("Allow-Events") == "presence", refused
        assert b.publish(body=document(), event="dialog", status=489).get("Allow-Events") == "presence"


def who_may_do_what():
    with bench() as b:
        b.publish("3001", document(), asserted="3002", status=403)
        b.publish("3003", document(), status=404)
        b.subscribe(target="3003", status=404)
        b.subscribe(target="3777", status=404)
        b.subscribe(asserted="mallory", status=403)
        stranger = sip_peer.Peer(peer=b.sm.peer)
        b.request("PUBLISH", "3001", "3001", [("Event", "presence")], document(), peer=stranger)
        stranger.expect((403, "PUBLISH"))
        b.request("SUBSCRIBE", "3001", "3002", [("Event", "presence")], peer=stranger)
        stranger.expect((403, "SUBSCRIBE"))
        stranger.close()
        b.request("OPTIONS", "3001", "3001")
        assert b.sm.expect((200, "OPTIONS")).get("Allow-Events") == "presence"
        b.request("INVITE", "3001", "3002")
        b.sm.expect((405, "INVITE"))


def bad_bodies_are_refused():
    with bench() as b:
        bomb = b"<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a \"b\">]>" + document()[38:]
        b.publish(body=b"<presence", status=400)
        b.publish(body=bomb, status=400)
        b.publish(body=b"", status=400)
        b.publish(body=document(), headers=[("Content-Type", "text/plain")], status=415)
        _, _ = b.subscribe()
        assert basics(b.notified()) == ["closed"]


def limits_hold():
    with bench("publish.max_per_user=3", "watch.max_per_user=2") as b:
        # a device that restarts forgets its tag: the oldest document makes room
        for i in range(5):
            b.publish(body=document(tuple_id="t%d" % i))
        b.subscribe(watcher="3003", expires=0)
        ids = re.findall(r"<(?:\w+:)?tuple id=\"([^\"]+)\"", b.notified().body.decode())
        assert sorted(ids) == ["t2", "t3", "t4"], ids
        statuses = []
        for _ in range(4):
            b.request("SUBSCRIBE", "3001", "3002", [("Event", "presence"), ("Expires", "600")])
            while True:
                message = b.sm.receive(2)
                if message.is_request:
                    b.sm.answer(message, 200, "OK")
                elif message.cseq_method == "SUBSCRIBE":
                    statuses.append(message.status)
                    break
        assert statuses[:2] == [200, 200] and min(statuses[2:]) >= 400, statuses


if __name__ == "__main__":
    standalone.run([a_watcher_sees_what_is_published, devices_are_put_together, entity_tags_are_single_use,
                    publications_and_subscriptions_run_out, times_are_bounded,
                    a_subscription_is_refreshed_and_ended, a_fetch_is_answered_once,
                    a_watcher_that_is_gone_is_forgotten, other_packages_are_489, who_may_do_what,
                    bad_bodies_are_refused, limits_hold])
