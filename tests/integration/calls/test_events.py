#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
"""The packages that sm serves itself: reg, dialog and message-summary, and what is published for them."""
import re
import signal
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


def after_a_restart_a_refresh_is_answered_481_and_a_new_one_taken():
    """Bindings outlive sm, subscriptions do not: their NOTIFYs would have gaps in version and CSeq. The phone learns it at
    once when it refreshes (RFC 6665 section 4.1.2.2), and subscribes anew."""
    with tempfile.TemporaryDirectory() as folder:
        with plane(servers=("sm",), database=folder + "/sm.db") as p:
            a = p.phone("3001")
            packages = ("reg", "dialog", "message-summary")
            watches = [Watch(a, package) for package in packages]
            for watch in watches:
                watch.notify()
            assert len(p.sm.items("/v1/subscriptions")) == 3
            time.sleep(0.3)
            p.sm.stop(signal.SIGKILL)
            p.sm.start()
            assert [r["handle"] for r in p.sm.items("/v1/registrations")] == ["3001"]
            assert p.sm.items("/v1/subscriptions") == []
            for watch, package in zip(watches, packages):
                began = time.monotonic()
                assert watch.again(600).status == 481
                assert time.monotonic() - began < 0.5
                assert "active" in Watch(a, package).notify().get("Subscription-State")
            assert len(p.sm.items("/v1/subscriptions")) == 3


if __name__ == "__main__":
    run([sm_is_the_server_so_401, a_phone_sees_its_contacts_come_and_go, refresh_end_and_fetch,
         nobody_watches_another_unless_it_is_switched_on, dialogs_that_cm_publishes_reach_the_phone,
         what_is_published_badly_is_refused, a_mailbox_lights_the_lamp,
         a_phone_behind_a_translator_is_told_where_it_sends_from, who_does_not_answer_is_watching_no_longer,
         garbage_in_place_of_a_subscription_is_answered,
         after_a_restart_a_refresh_is_answered_481_and_a_new_one_taken])
