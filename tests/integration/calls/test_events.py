#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
"""The packages that sm serves itself: reg, dialog and message-summary, and what is published for them."""
import json
import re
import signal
import sqlite3
import tempfile
import time
import xml.etree.ElementTree as ET

from plane import CM, DOMAIN, plane
from sip_message import param, uri_of
from sip_phone import Endpoint, Phone
from standalone import run

REG = "{urn:ietf:params:xml:ns:reginfo}"
DLG = "{urn:ietf:params:xml:ns:dialog-info}"
DIALOG_TYPE = "application/dialog-info+xml"
SUMMARY_TYPE = "application/simple-message-summary"


def dialog_info(handle, *states, prefix=""):
    p = prefix + ":" if prefix else ""
    dialogs = "".join(f'<{p}dialog id="d{i}" direction="initiator" xmlns:x="urn:x-line" x:line="{i + 1}">'
                      f"<{p}state>{state}</{p}state></{p}dialog>" for i, state in enumerate(states))
    xmlns = f'xmlns{":" + prefix if prefix else ""}="urn:ietf:params:xml:ns:dialog-info"'
    return (f'<?xml version="1.0"?>\n<{p}dialog-info {xmlns} version="7" state="full" '
            f'entity="sip:{handle}@{DOMAIN}">{dialogs}</{p}dialog-info>').encode()


class Watch:
    """A subscription of a phone."""

    def __init__(self, phone, event, uri=None, expires=600, status=200, headers=()):
        self.phone = phone
        self.msg = phone.request("SUBSCRIBE", uri or phone.aor, headers=[("Event", event), *headers])
        self.msg.add("Expires", str(expires))
        self.sent, self.final = phone.authenticated(self.msg)
        assert self.final.status == status, self.final.encode()

    def notify(self, timeout=3.0):
        msg = self.phone.expect(lambda m: m.is_request and m.method == "NOTIFY"
                                and m.call_id == self.msg.call_id, timeout, "NOTIFY")
        self.phone.reply(msg, 200, "OK")
        assert msg.get("Event").split(";")[0] == self.msg.get("Event").split(";")[0], msg.encode()
        assert param(msg.get("To"), "tag") == self.sent.from_tag and msg.from_tag == self.final.to_tag
        return msg

    def again(self, expires):
        """Refresh, or end with 0."""
        msg = self.phone.request("SUBSCRIBE", uri_of(self.final.get("Contact")), call_id=self.msg.call_id,
                                 cseq=self.sent.cseq + 1)
        msg.replace("From", self.sent.get("From")).replace("To", self.final.get("To"))
        msg.add("Event", self.msg.get("Event")).add("Expires", str(expires))
        self.sent.replace("CSeq", f"{self.sent.cseq + 1} SUBSCRIBE")
        self.phone.send(msg)
        return self.phone.answer_of(msg)


def contacts(msg):
    root = ET.fromstring(msg.body)
    assert root.tag == REG + "reginfo" and root.get("state") == "full"
    registration, = root
    return registration, {c.find(REG + "uri").text: c for c in registration}


def trusted(p):
    """Who sends from cm's address is cm: without TLS, on loopback."""
    cm = Phone("cm", "none", domain=DOMAIN, transport="udp", local=CM, server=("127.0.0.1", 5060))
    p.phones.append(cm)
    return cm


def publish(who, handle, event, kind, body, etag=None, expires=600, headers=()):
    msg = who.request("PUBLISH", f"sip:{handle}@{DOMAIN}", headers=[("Event", event), *headers])
    msg.drop("Contact").add("Expires", str(expires))
    if etag:
        msg.add("SIP-If-Match", etag)
    if body:
        msg.add("Content-Type", kind)
        msg.body = body
    who.send(msg)
    return who.answer_of(msg)


def sm_is_the_server_so_401():
    with plane(servers=("sm",)) as p:
        phone = p.phone("3001")
        for method in ("SUBSCRIBE", "PUBLISH"):
            for event in ("reg", "dialog", "message-summary"):
                msg = phone.send(phone.request(method, phone.aor, headers=[("Event", event)]))
                final = phone.answer_of(msg)
                assert final.status == 401 and final.get("WWW-Authenticate"), final.encode()
        msg = phone.send(phone.request("SUBSCRIBE", phone.aor, headers=[("Event", "presence")]))
        assert phone.answer_of(msg).status == 407  # there it goes on to its server


def a_phone_sees_its_contacts_come_and_go():
    for transport in ("udp", "tcp"):
        with plane(servers=("sm",)) as p:
            a = p.phone("3001", transport)
            watch = Watch(a, "reg", headers=[("Accept", "application/reginfo+xml")])
            first = watch.notify()
            assert first.get("Content-Type") == "application/reginfo+xml"
            assert re.match(r"active;expires=(600|59\d)$", first.get("Subscription-State")), first.encode()
            registration, seen = contacts(first)
            assert registration.get("aor") == a.aor and registration.get("state") == "active"
            assert list(seen) == [uri_of(a.contact)] and seen[uri_of(a.contact)].get("state") == "active"
            b = p.phone("3001", "tcp")
            second = watch.notify()
            _, seen = contacts(second)
            assert set(seen) == {uri_of(a.contact), uri_of(b.contact)}
            assert ET.fromstring(second.body).get("version") == "1"
            mine = uri_of(b.contact)
            number = seen[mine].get("id")
            b.close()  # the binding goes with its connection
            _, seen = contacts(watch.notify())
            assert seen[mine].get("state") == "terminated" and seen[mine].get("event") == "unregistered"
            assert seen[mine].get("id") == number
            a.register()  # a refresh changes nothing
            a.never(lambda m: m.is_request and m.method == "NOTIFY" and ET.fromstring(m.body).get("version") != "2", 0.3)
            a.register(expires=0)
            if transport == "udp":
                registration, seen = contacts(watch.notify())
                assert registration.get("state") == "init"
                assert seen[uri_of(a.contact)].get("event") == "unregistered"


def refresh_end_and_fetch():
    with plane(servers=("sm",)) as p:
        a = p.phone("3001")
        watch = Watch(a, "message-summary")
        assert watch.notify().body == b"Messages-Waiting: no\r\nVoice-Message: 0/0 (0/0)\r\n"
        item, = p.sm.items("/v1/subscriptions")
        assert (item["handle"], item["package"], item["watcher"]) == ("3001", "message-summary", a.aor), item
        final = watch.again(300)
        assert final.status == 200 and final.get("Expires") == "300"
        watch.notify()
        assert watch.again(20).status == 423
        assert watch.again(0).status == 200
        assert watch.notify().get("Subscription-State").startswith("terminated")
        assert p.sm.items("/v1/subscriptions") == []
        assert watch.again(300).status == 481
        fetch = Watch(a, "message-summary", expires=0)
        assert fetch.notify().get("Subscription-State").startswith("terminated")
        assert p.sm.items("/v1/subscriptions") == []
        Watch(a, "message-summary", status=406, headers=[("Accept", "text/plain")])
        Watch(a, "message-summary", status=423, expires=5)


def nobody_watches_another_unless_it_is_switched_on():
    with plane(servers=("sm",)) as p:
        a = p.phone("3001")
        for event in ("reg", "dialog", "message-summary"):
            Watch(a, event, f"sip:3002@{DOMAIN}", status=403)
            Watch(a, event, f"sip:3999@{DOMAIN}", status=404)
        assert p.sm.items("/v1/subscriptions") == []
    with plane(servers=("sm",), settings=("events.dialog_watch=users",)) as p:
        a = p.phone("3001")
        Watch(a, "dialog", f"sip:3002@{DOMAIN}").notify()
        Watch(a, "reg", f"sip:3002@{DOMAIN}", status=403)
        Watch(a, "message-summary", f"sip:3002@{DOMAIN}", status=403)


def dialogs_that_cm_publishes_reach_the_phone():
    for transport in ("udp", "tcp"):
        with plane(servers=("sm",)) as p:
            cm, phone = trusted(p), p.phone("3001", transport)
            watch = Watch(phone, "dialog", headers=[("Accept", DIALOG_TYPE)])
            first = watch.notify()
            root = ET.fromstring(first.body)
            assert root.tag == DLG + "dialog-info" and list(root) == [], first.body
            assert root.get("entity") == phone.aor and root.get("state") == "full" and root.get("version") == "0"
            final = publish(cm, "3001", "dialog", DIALOG_TYPE, dialog_info("3001", "trying"))
            assert final.status == 200 and final.get("Expires") == "600", final.encode()
            etag = final.get("SIP-ETag")
            began = time.monotonic()
            root = ET.fromstring(watch.notify().body)
            assert time.monotonic() - began < 0.5
            assert root.get("version") == "1" and root[0].find(DLG + "state").text == "trying"
            assert root[0].get("{urn:x-line}line") == "1", "extensions of cm are kept"
            # Modify: the tag changes, the old one is 412 and changes nothing.
            final = publish(cm, "3001", "dialog", DIALOG_TYPE, dialog_info("3001", "confirmed", prefix="d"), etag)
            assert final.status == 200 and final.get("SIP-ETag") != etag
            root = ET.fromstring(watch.notify().body)
            assert root[0].find(DLG + "state").text == "confirmed"
            stale = publish(cm, "3001", "dialog", DIALOG_TYPE, dialog_info("3001", "terminated"), etag)
            assert stale.status == 412, stale
            etag = final.get("SIP-ETag")
            assert publish(cm, "3002", "dialog", DIALOG_TYPE, dialog_info("3002"), etag).status == 412
            # A refresh without body tells nobody; removal does.
            final = publish(cm, "3001", "dialog", None, None, etag)
            assert final.status == 200
            phone.never(lambda m: m.is_request and m.method == "NOTIFY"
                        and b'version="3"' in m.body, 0.3)
            assert publish(cm, "3001", "dialog", None, None, final.get("SIP-ETag"), 0).status == 200
            assert list(ET.fromstring(watch.notify().body)) == []


def what_is_published_badly_is_refused():
    with plane(servers=("sm",)) as p:
        cm = trusted(p)
        good = dialog_info("3001", "early")
        many = dialog_info("3001", *["early"] * 65)
        bomb = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]>' + good.split(b"?>")[1]
        for status, kind, body in ((415, "application/pidf+xml", good), (400, DIALOG_TYPE, b"<dialog-info/>"),
                                   (400, DIALOG_TYPE, good[:-5]), (400, DIALOG_TYPE, bomb),
                                   (400, DIALOG_TYPE, many),
                                   (400, DIALOG_TYPE, good.replace(b'id="d0"', b"")), (400, None, None)):
            final = publish(cm, "3001", "dialog", kind, body)
            assert final.status == status, (status, body and body[:80], final)
        for body in (b"", b"Voice-Message: 1/0\r\n", b"Messages-Waiting: perhaps\r\n",
                     b"Messages-Waiting: yes\r\nno colon\r\n", b"Messages-Waiting: yes\r\nX: \x01\r\n"):
            assert publish(cm, "3001", "message-summary", SUMMARY_TYPE, body).status == 400, body
        assert publish(cm, "3999", "dialog", DIALOG_TYPE, good).status == 404
        assert publish(cm, "3001", "reg", "application/reginfo+xml", b"<reginfo/>").status == 489
        assert publish(cm, "3001", "dialog", DIALOG_TYPE, good, expires=5).status == 423
        # A phone does not speak for cm.
        phone = p.phone("3001")
        msg = phone.request("PUBLISH", phone.aor, headers=[("Event", "dialog"), ("Content-Type", DIALOG_TYPE)])
        msg.body = good
        _, final = phone.authenticated(msg)
        assert final.status == 403, final


def a_mailbox_lights_the_lamp():
    with plane(servers=("sm",)) as p:
        cm, phone = trusted(p), p.phone("3001")
        watch = Watch(phone, "message-summary")
        watch.notify()
        text = f"Messages-Waiting: yes\r\nMessage-Account: sip:3001@{DOMAIN}\r\nVoice-Message: 2/8 (0/2)\r\n".encode()
        final = publish(cm, "3001", "message-summary", SUMMARY_TYPE, text)
        assert final.status == 200
        told = watch.notify()
        assert told.body == text and told.get("Content-Type") == SUMMARY_TYPE


def a_phone_behind_a_translator_is_told_where_it_sends_from():
    with plane(servers=("sm",)) as p:
        phone = p.phone("3001", register=False)
        inside = "<sip:3001@192.0.2.77:5999>"
        assert phone.register(contact=inside).status == 200
        msg = phone.request("SUBSCRIBE", phone.aor, headers=[("Event", "dialog"), ("Expires", "600")])
        msg.replace("Contact", inside)
        _, final = phone.authenticated(msg)
        assert final.status == 200
        told = phone.expect(lambda m: m.is_request and m.method == "NOTIFY")
        phone.reply(told, 200, "OK")
        assert told.uri == "sip:3001@192.0.2.77:5999", told.encode()


def who_does_not_answer_is_watching_no_longer():
    with plane(servers=("sm",)) as p:
        a = p.phone("3001")
        Watch(a, "reg")
        first = a.expect(lambda m: m.is_request and m.method == "NOTIFY")
        a.reply(first, 481, "Subscription does not exist")
        p.sm.wait_items("/v1/subscriptions", 0)


def garbage_in_place_of_a_subscription_is_answered():
    with plane(servers=("sm",)) as p:
        end = Endpoint("udp")
        p.phones.append(end)
        for lines in ("Event: reg\r\nExpires: -1\r\n", "Event: reg;id\r\n", "Event: dialog\r\nAccept: ,,;\r\n"):
            end.send_raw((f"SUBSCRIBE sip:3001@{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK{hash(lines)};rport\r\n"
                          f"From: <sip:3001@{DOMAIN}>;tag=1\r\nTo: <sip:3001@{DOMAIN}>\r\nCall-ID: {hash(lines)}\r\n"
                          f"CSeq: 1 SUBSCRIBE\r\nMax-Forwards: 70\r\n{lines}Content-Length: 0\r\n\r\n").encode())
            assert end.expect(lambda m: not m.is_request).status in (400, 401, 489)
        assert p.phone("3001").register().status == 200


def again_after_a_restart(watch, before, told=True):
    """What every watcher is told after a restart, and what it is answered: the CSeq of its last NOTIFY, the version of its last
    document; returns those of the newest."""
    cseq, version = before
    for refresh in ((False, True) if told else (True,)):
        if refresh:
            began = time.monotonic()
            assert watch.again(600).status == 200
            assert time.monotonic() - began < 0.5
        msg = watch.notify()
        assert msg.cseq > cseq, (msg.cseq, cseq)
        cseq = msg.cseq
        assert re.match(r"active;expires=\d+$", msg.get("Subscription-State")), msg.encode()
        if msg.get("Content-Type") != SUMMARY_TYPE:
            now = int(ET.fromstring(msg.body).get("version"))
            assert now > version and ET.fromstring(msg.body).get("state") == "full"
            version = now
    return msg, (cseq, version)


def restart(p, wait=0.3):
    time.sleep(wait)  # the journal is written every 100 ms
    p.sm.stop(signal.SIGKILL)
    p.sm.start()


def subscriptions_outlive_a_restart():
    """Over SIGKILL, twice: everybody who watches gets the whole state unasked, above all numbers that he has seen, and a
    refresh in the old dialog is served; what was published is there as well, under its tag."""
    text = f"Messages-Waiting: yes\r\nMessage-Account: sip:3001@{DOMAIN}\r\nVoice-Message: 2/8 (0/2)\r\n".encode()
    with tempfile.TemporaryDirectory() as folder:
        with plane(servers=("sm",), database=folder + "/sm.db") as p:
            a, cm = p.phone("3001"), trusted(p)
            tag = publish(cm, "3001", "dialog", DIALOG_TYPE, dialog_info("3001", "confirmed")).get("SIP-ETag")
            assert publish(cm, "3001", "message-summary", SUMMARY_TYPE, text).status == 200
            watches = {package: Watch(a, package) for package in ("reg", "dialog;id=7", "message-summary")}
            seen = {package: (watch.notify().cseq, 0) for package, watch in watches.items()}
            ended = Watch(a, "reg")
            ended.notify()
            assert ended.again(0).status == 200
            ended.notify()
            before = [(s["package"], s["watcher"]) for s in p.sm.items("/v1/subscriptions")]
            for _ in range(2):
                restart(p)
                assert sorted((s["package"], s["watcher"]) for s in p.sm.items("/v1/subscriptions")) == sorted(before)
                last = {}
                for package, watch in watches.items():
                    last[package], seen[package] = again_after_a_restart(watch, seen[package])
                _, bound = contacts(last["reg"])
                assert list(bound) == [uri_of(a.contact)]
                assert last["message-summary"].body == text
                dialogs = ET.fromstring(last["dialog;id=7"].body).findall(DLG + "dialog")
                assert [d.find(DLG + "state").text for d in dialogs] == ["confirmed"]
            assert a.never(lambda m: m.is_request and m.call_id == ended.msg.call_id, 0.1) is None
            # Its tag holds over the restart; without it, cm's new document takes the place of the old one.
            final = publish(cm, "3001", "dialog", DIALOG_TYPE, dialog_info("3001", "early", "early"), tag)
            assert final.status == 200, final
            told = watches["dialog;id=7"].notify()
            assert len(ET.fromstring(told.body)) == 2 and told.cseq == seen["dialog;id=7"][0] + 1
            restart(p)
            again_after_a_restart(watches["dialog;id=7"], (told.cseq, 0))
            assert publish(cm, "3001", "dialog", DIALOG_TYPE, dialog_info("3001", "trying")).status == 200
            told = watches["dialog;id=7"].notify()
            states = [d.find(DLG + "state").text for d in ET.fromstring(told.body).findall(DLG + "dialog")]
            assert states == ["trying"], told.encode()
            for watch in watches.values():
                assert watch.again(0).status == 200
            p.sm.wait_items("/v1/subscriptions", 0)
            restart(p)
            assert p.sm.items("/v1/subscriptions") == []


def killed_at_any_point_a_watcher_is_served_or_told_481():
    """Within the time that the journal takes: what was not written is 481, and the phone subscribes anew (RFC 6665 section
    4.1.2.2); what was goes on above every number that it has seen."""
    with tempfile.TemporaryDirectory() as folder:
        with plane(servers=("sm",), database=folder + "/sm.db") as p:
            a, cm = p.phone("3001"), trusted(p)
            for wait in (0, 0.03, 0.06, 0.09, 0.15):
                watch = Watch(a, "dialog")
                cseq = watch.notify().cseq
                time.sleep(wait)
                publish(cm, "3001", "dialog", DIALOG_TYPE, dialog_info("3001", "early"))
                cseq = watch.notify().cseq
                restart(p, 0)
                if p.sm.items("/v1/subscriptions"):
                    again_after_a_restart(watch, (cseq, 0))
                    assert watch.again(0).status == 200
                    watch.notify()
                else:
                    assert wait < 0.15 and watch.again(600).status == 481
                p.sm.wait_items("/v1/subscriptions", 0)


def a_watcher_out_of_reach_after_a_restart_comes_back():
    """Its connection went with the process, nobody listens at its Contact: the subscription waits for its refresh, over
    another connection."""
    with tempfile.TemporaryDirectory() as folder:
        with plane(servers=("sm",), database=folder + "/sm.db") as p:
            a, nat = p.phone("3001", "tcp"), p.phone("3002", register=False)
            watch = Watch(a, "reg")
            first = watch.notify()
            inside = "<sip:3002@192.0.2.77:5999>"
            assert nat.register(contact=inside).status == 200
            msg = nat.request("SUBSCRIBE", nat.aor, headers=[("Event", "dialog"), ("Expires", "600")])
            msg.replace("Contact", inside)
            assert nat.authenticated(msg)[1].status == 200
            is_notify = lambda m: m.is_request and m.method == "NOTIFY"
            nat.reply(nat.expect(is_notify), 200, "OK")
            restart(p)
            told = nat.expect(is_notify)  # behind a translator it is told where it sends from
            nat.reply(told, 200, "OK")
            assert told.uri == "sip:3002@192.0.2.77:5999"
            time.sleep(0.5)
            assert len(p.sm.items("/v1/subscriptions")) == 2
            watch.phone = p.phone("3001", "tcp")
            again_after_a_restart(watch, (first.cseq, 0), told=False)
            b = p.phone("3001", "udp")
            _, seen = contacts(watch.notify())
            if uri_of(b.contact) not in seen:  # that was of the registration before
                _, seen = contacts(watch.notify())
            assert uri_of(b.contact) in seen


def a_damaged_journal_does_not_keep_sm_from_starting():
    with tempfile.TemporaryDirectory() as folder:
        with plane(servers=("sm",), database=folder + "/sm.db") as p:
            a, cm = p.phone("3001"), trusted(p)
            watch = Watch(a, "reg")
            first = watch.notify()
            assert publish(cm, "3001", "dialog", DIALOG_TYPE, dialog_info("3001", "early")).status == 200
            time.sleep(0.3)
            p.sm.stop(signal.SIGKILL)
            with sqlite3.connect(folder + "/sm.db") as db:
                (key, good), = db.execute("SELECT key, value FROM state WHERE kind = 'subscription'").fetchall()
                (pub,), = db.execute("SELECT value FROM state WHERE kind = 'publication.dialog'").fetchall()
                far = int(time.time() * 1000) + 600000
                bad = ["", "{", "[]", "7", '"x"', "{}"]
                doc = json.loads(good)
                for name in doc:
                    for value in (None, "", -1, 1 << 40, "\x7f", [], {}, "x" * 20000):
                        if value != doc[name] and (name, value) not in (
                                ("event_id", ""), ("accept", ""), ("routes", ""), ("watcher", ""), ("remote_tag", "")):
                            bad.append(json.dumps({**doc, "local_tag": f"t{len(bad)}", "call_id": "another", name: value}))
                for i, value in enumerate(bad):
                    db.execute("INSERT INTO state VALUES ('subscription', ?, ?, ?)", (f"bad{i}", value, far))
                for i, value in enumerate(bad[:6] + [json.dumps({**json.loads(pub), **change}) for change in (
                        {"etag": ""}, {"order": -1}, {"body": "<dialog-info/>"}, {"resource": "3999"}, {"etag": "x" * 17})]):
                    db.execute("INSERT INTO state VALUES ('publication.dialog', ?, ?, ?)", (f"{i:016}", value, far))
            db.close()
            p.sm.start()
            assert any(s["package"] == "reg" for s in p.sm.items("/v1/subscriptions"))
            again_after_a_restart(watch, (first.cseq, 0))
            assert p.phone("3002").register().status == 200


if __name__ == "__main__":
    run([sm_is_the_server_so_401, a_phone_sees_its_contacts_come_and_go, refresh_end_and_fetch,
         nobody_watches_another_unless_it_is_switched_on, dialogs_that_cm_publishes_reach_the_phone,
         what_is_published_badly_is_refused, a_mailbox_lights_the_lamp,
         a_phone_behind_a_translator_is_told_where_it_sends_from, who_does_not_answer_is_watching_no_longer,
         garbage_in_place_of_a_subscription_is_answered,
         subscriptions_outlive_a_restart, killed_at_any_point_a_watcher_is_served_or_told_481,
         a_watcher_out_of_reach_after_a_restart_comes_back, a_damaged_journal_does_not_keep_sm_from_starting])
