#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
"""PUBLISH, SUBSCRIBE and NOTIFY for presence through sm, by phones over UDP and TCP."""
import signal
import tempfile
import time

from plane import DOMAIN, plane
from sip_message import param, uri_of
from standalone import Server, run

PIDF = """<?xml version="1.0" encoding="UTF-8"?>
<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="pres:3001@aurabox.internal">
<tuple id="t1"><status><basic>%s</basic></status></tuple></presence>
"""


def publish(phone, state):
    msg = phone.request("PUBLISH", phone.aor, headers=[("Event", "presence"), ("Expires", "600")])
    msg.add("Content-Type", "application/pidf+xml")
    msg.body = (PIDF % state).encode()
    _, final = phone.authenticated(msg)
    return final


def a_watcher_is_told_what_is_published():
    for transport in ("udp", "tcp"):
        with plane(servers=("sm", "presence")) as p:
            watched, watcher = p.phone("3001"), p.phone("3002", transport)
            msg = watcher.request("SUBSCRIBE", f"sip:3001@{DOMAIN}",
                                  headers=[("Event", "presence"), ("Expires", "600"),
                                           ("Accept", "application/pidf+xml")])
            sent, final = watcher.authenticated(msg)
            assert final.status in (200, 202), final
            assert final.to_tag and final.all("Record-Route"), final.encode()
            first = watcher.expect(lambda m: m.is_request and m.method == "NOTIFY")
            watcher.reply(first, 200, "OK")
            assert first.get("Event").startswith("presence")
            assert first.get("Subscription-State").startswith("active"), first.encode()
            answer = publish(watched, "open")
            assert answer.status == 200 and answer.get("SIP-ETag"), answer.encode()
            change = watcher.expect(lambda m: m.is_request and m.method == "NOTIFY"
                                    and b"<basic>open" in m.body.replace(b"pidf:", b""))
            watcher.reply(change, 200, "OK")
            # Unsubscribe inside the dialog.
            end = watcher.request("SUBSCRIBE", uri_of(final.get("Contact")), call_id=msg.call_id,
                                  cseq=sent.cseq + 1)
            end.replace("From", sent.get("From")).replace("To", final.get("To"))
            for route in reversed(final.all("Record-Route")):
                end.add("Route", route)
            end.add("Event", "presence").add("Expires", "0")
            watcher.send(end)
            assert watcher.answer_of(end).status in (200, 202)
            last = watcher.expect(lambda m: m.is_request and m.method == "NOTIFY"
                                  and m.get("Subscription-State").startswith("terminated"))
            watcher.reply(last, 200, "OK")
            assert param(last.get("To"), "tag") == sent.from_tag


def in_dialog(watcher, sent, final, cseq, expires):
    msg = watcher.request("SUBSCRIBE", uri_of(final.get("Contact")), call_id=sent.call_id, cseq=cseq)
    msg.replace("From", sent.get("From")).replace("To", final.get("To"))
    for route in reversed(final.all("Record-Route")):
        msg.add("Route", route)
    msg.add("Event", "presence").add("Expires", str(expires))
    watcher.send(msg)
    return watcher.answer_of(msg)


def a_watcher_outlives_a_restart_of_sm_and_of_presence():
    with tempfile.TemporaryDirectory() as folder:
        with plane(servers=("sm",), database=folder + "/sm.db") as p:
            p.presence = Server("aura-presence", p.config, "127.0.0.1:5080", database=folder + "/presence.db")
            p.wait_link("presence", "up")
            watched, watcher = p.phone("3001"), p.phone("3002")
            is_notify = lambda m: m.is_request and m.method == "NOTIFY"
            answer = publish(watched, "open")
            msg = watcher.request("SUBSCRIBE", f"sip:3001@{DOMAIN}", headers=[("Event", "presence"), ("Expires", "600")])
            sent, final = watcher.authenticated(msg)
            assert final.status == 200
            last = watcher.expect(is_notify)
            watcher.reply(last, 200, "OK")
            for number, server in enumerate((p.sm, p.presence, p.sm, p.presence)):
                time.sleep(0.3)
                server.stop(signal.SIGKILL)
                server.start()
                p.wait_link("presence", "up")
                if server is p.presence:  # everybody is told the whole state, unasked
                    told = watcher.expect(is_notify)
                    watcher.reply(told, 200, "OK")
                    assert told.cseq > last.cseq and b"<basic>open" in told.body.replace(b"pidf:", b""), told.encode()
                    last = told
                assert in_dialog(watcher, sent, final, sent.cseq + 1 + number, 600).status == 200
                told = watcher.expect(is_notify)
                watcher.reply(told, 200, "OK")
                assert told.cseq > last.cseq and b"<basic>open" in told.body.replace(b"pidf:", b""), told.encode()
                last = told
            msg = watched.request("PUBLISH", watched.aor, headers=[("Event", "presence"), ("Expires", "600"),
                                                                   ("SIP-If-Match", answer.get("SIP-ETag"))])
            assert watched.authenticated(msg)[1].status == 200  # its tag holds
            assert in_dialog(watcher, sent, final, sent.cseq + 9, 0).status == 200


def without_credentials_nothing_is_published():
    with plane(servers=("sm", "presence")) as p:
        phone = p.phone("3001")
        msg = phone.send(phone.request("PUBLISH", phone.aor, headers=[("Event", "presence")]))
        assert phone.answer_of(msg).status == 407
        phone.password = "wrong"
        assert publish(phone, "open").status == 407


def a_dead_presence_server_is_500_not_503():
    with plane(servers=("sm",)) as p:
        phone = p.phone("3001")
        p.wait_link("presence", "down", 3)
        assert publish(phone, "open").status == 500


if __name__ == "__main__":
    run([a_watcher_is_told_what_is_published, a_watcher_outlives_a_restart_of_sm_and_of_presence,
         without_credentials_nothing_is_published,
         a_dead_presence_server_is_500_not_503])
