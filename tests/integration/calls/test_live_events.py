#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
"""Events of the topics uc.registrations and uc.calls: auraboxd beside a real sm and cm on their unix sockets."""
import signal
import time

from beside import box_beside, let_in
from daemon import equal, wait_for
from plane import hang_up, plane, talk
from standalone import run


def events(d, topic, after=0):
    return [e for e in reversed(d.root.get("/events?limit=500&topics=" + topic).json["items"]) if e["id"] > after]


def wait_event(d, topic, kind, after, test=lambda e: True, seconds=8):
    return wait_for(lambda: next((e for e in events(d, topic, after) if e["type"] == kind and test(e)), None),
                    seconds, kind)


def newest(d):
    return d.root.get("/events?limit=1").json["items"][0]["id"]


def registrations_and_calls_become_events():
    with plane() as p, box_beside(p) as d:
        wait_event(d, "uc.registrations", "registrations.changed", 0)
        wait_event(d, "uc.calls", "calls.changed", 0)
        mark = newest(d)
        ada, bob = p.phone("3001"), p.phone("3002")
        for user in ("3001", "3002"):
            event = wait_event(d, "uc.registrations", "registration.changed", mark, lambda e, u=user: e["subject"] == u)
            items = d.root.get("/uc/registrations?handle=" + user).json["items"]
            equal([event["data"]], items, "the item of the list")
        mark = newest(d)
        ada.register()  # a refresh changes nothing but the end
        time.sleep(2.5)
        equal(events(d, "uc.registrations", mark), [])

        call, ringing = talk(ada, bob)
        event = wait_event(d, "uc.calls", "call.changed", mark, lambda e: e["data"]["state"] == "talking")
        item, = d.root.get("/uc/calls").json["items"]
        equal((event["subject"], event["data"]), (item["gsid"], item))
        hang_up(call, ringing)
        gone = wait_event(d, "uc.calls", "call.deleted", mark)
        equal((gone["subject"], gone["data"]["gsid"]), (item["gsid"], item["gsid"]))

        mark = newest(d)
        equal(bob.register(expires=0).status, 200)
        gone = wait_event(d, "uc.registrations", "registration.deleted", mark)
        equal((gone["subject"], gone["data"]["handle"]), ("3002", "3002"))
        mark = newest(d)
        time.sleep(2.5)
        equal(newest(d), mark, "quiet when nothing changes")


def the_node_says_when_nothing_changed():
    with plane() as p:
        p.phone("3001")
        for server, path, count in ((p.sm, "/v1/registrations", 1), (p.cm, "/v1/calls", 0)):
            body = server.get(path)
            equal(len(body["items"]), count)
            equal(server.get(path + "?since=" + body["version"]), {"unchanged": True, "version": body["version"]})
            equal(len(server.get(path + "?since=0")["items"]), count)


def a_node_that_was_away_is_compared_with_what_was_known():
    with plane() as p, box_beside(p) as d:
        wait_event(d, "uc.registrations", "registrations.changed", 0)
        p.phone("3001")
        wait_event(d, "uc.registrations", "registration.changed", 0)
        mark = newest(d)
        p.sm.stop(signal.SIGKILL)  # its bindings were in memory
        time.sleep(1.5)
        p.sm.start()
        let_in(p.sm)
        gone = wait_event(d, "uc.registrations", "registration.deleted", mark, seconds=15)
        equal(gone["subject"], "3001")
        d.stop()
        d.start()
        wait_event(d, "uc.registrations", "registrations.changed", gone["id"], seconds=15)


if __name__ == "__main__":
    run([registrations_and_calls_become_events, the_node_says_when_nothing_changed,
         a_node_that_was_away_is_compared_with_what_was_known])
