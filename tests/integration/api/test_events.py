#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
"""/events and /events/stream: order, topics, resume, reset, rights, the end of a log-in, stopping, restart."""
import json
import socket
import threading
import time

from daemon import PASSWORD, Caller, Daemon, equal, run, wait_for


class Stream:
    """An open stream, read on a thread."""

    def __init__(self, caller, query="", last=None):
        self.events, self.raw, self.ended = [], [], False
        self.connection = caller.connection()
        headers = dict(caller.headers)
        if last is not None:
            headers["Last-Event-ID"] = str(last)
        self.connection.request("GET", "/api/v1/events/stream" + query, headers=headers)
        self.response = self.connection.getresponse()
        self.status = self.response.status
        if self.status == 200:
            equal(self.response.headers["Content-Type"], "text/event-stream")
            self.thread = threading.Thread(target=self.read, daemon=True)
            self.thread.start()

    def read(self):
        event = {}
        try:
            while True:
                line = self.response.readline()
                if not line:
                    break
                self.raw.append(line)
                line = line.decode().rstrip("\n")
                if line.startswith(":"):
                    continue
                if line:
                    name, _, value = line.partition(": ")
                    event[name] = value
                elif "event" in event:
                    self.events.append((int(event["id"]), event["event"], json.loads(event["data"])))
                    event = {}
                else:
                    event = {}
        except (OSError, ValueError):
            pass
        self.ended = True

    def wait(self, test, seconds=5):
        return wait_for(lambda: next((e for e in list(self.events) if test(e)), None), seconds, "an event")

    def close(self):
        """Hang up under the reading thread, let it end, then tidy."""
        try:
            self.connection.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.thread.join(10)
        self.connection.close()


def make(d, name):
    equal(d.root.post("/tokens", {"name": name, "scopes": ["vms:read"]}).status, 201)


def events_arrive_live_and_in_order(d):
    s = Stream(d.root)
    for i in range(20):
        make(d, "live-%d" % i)
    s.wait(lambda e: e[1] == "token.created" and e[2]["data"]["name"] == "live-19")
    ids = [e[0] for e in s.events]
    equal(ids, sorted(set(ids)))
    one = s.wait(lambda e: e[1] == "token.created")
    equal(sorted(one[2]), ["at", "data", "id", "subject", "topic", "type"])
    equal((one[2]["id"], one[2]["topic"], one[2]["type"], one[2]["subject"]),
          (one[0], "tokens", "token.created", one[2]["data"]["id"]))
    listed = {e["id"]: e for e in d.root.get("/events?limit=500").json["items"]}
    equal(listed[one[0]], one[2], "the list shows what the stream sent")
    s.close()


def many_writers_keep_the_order(d):
    s = Stream(d.root, "?topics=tokens")
    threads = [threading.Thread(target=lambda n: [make(d, "w%d-%d" % (n, i)) for i in range(10)], args=(n,))
               for n in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    wait_for(lambda: len(s.events) >= 80, 10, "80 events")
    ids = [e[0] for e in s.events]
    equal(ids, sorted(set(ids)), "each later event has a larger id")
    s.close()


def topics_choose(d):
    s = Stream(d.root, "?topics=admins,alarms")
    make(d, "not-this")
    equal(d.root.post("/admins", {"name": "topics", "role": "user", "password": PASSWORD}).status, 201)
    s.wait(lambda e: e[1] == "admin.created")
    equal({e[2]["topic"] for e in s.events}, {"admins"})
    s.close()
    some = d.root.get("/events?topics=admins&limit=1&count=true").json
    every = d.root.get("/events?topics=admins&limit=500").json["items"]
    equal(some["total"], len(every))
    equal(d.root.get("/events?topics=alarms&type=admin.created&count=true").json["total"], 0)


def a_gap_is_filled(d):
    s = Stream(d.root, "?topics=tokens")
    make(d, "gap-0")
    last = s.wait(lambda e: e[1] == "token.created")[0]
    s.close()
    for i in range(1, 6):
        make(d, "gap-%d" % i)
    s = Stream(d.root, "?topics=tokens", last)
    s.wait(lambda e: e[2]["data"]["name"] == "gap-5")
    equal([e[2]["data"]["name"] for e in s.events], ["gap-%d" % i for i in range(1, 6)])
    make(d, "gap-6")
    s.wait(lambda e: e[2]["data"]["name"] == "gap-6")
    s.close()


def unknown_ids_reset(d):
    for last in (10 ** 9, 2 ** 62):
        s = Stream(d.root, "", last)
        s.wait(lambda e: e[1] == "reset")
        s.close()
    equal(Stream(d.root, "", "x").status, 422)


def rights_decide_topics(d):
    caller = d.admin("evo", "operator")
    s = Stream(caller)
    equal(s.status, 200)
    make(d, "hidden")
    d.root.post("/admins", {"name": "hidden", "role": "user", "password": PASSWORD})
    time.sleep(1)
    assert not [e for e in s.events if e[2].get("topic") in ("admins", "audit", "tokens")], s.events
    assert not [e for e in caller.get("/events?limit=500").json["items"] if e["topic"] in ("admins", "audit", "tokens")]
    s.close()
    equal(Stream(d.admin("evu", "user")).status, 403)


def the_end_of_a_log_in_ends_its_streams(d):
    caller = d.admin("eve", "auditor")
    s = Stream(caller)
    equal(caller.delete("/session").status, 204)
    wait_for(lambda: s.ended, 5, "the stream's end after log-out")
    made = d.root.post("/tokens", {"name": "streamer", "scopes": ["events:read", "vms:read"]}).json
    s = Stream(Caller(d, headers={"Authorization": "Bearer " + made["token"]}))
    equal(s.status, 200)
    equal(d.root.delete("/tokens/" + made["id"]).status, 204)
    wait_for(lambda: s.ended, 5, "the stream's end after revocation")
    caller = d.session("eve")
    s = Stream(caller)
    equal(d.root.delete("/admins/eve").status, 204)
    wait_for(lambda: s.ended, 5, "the stream's end after removal")


def pings_keep_it_open(d):
    s = Stream(d.root, "?topics=alarms")
    wait_for(lambda: any(line.startswith(b": ping") for line in s.raw), 17, "a ping")
    assert not s.events
    s.close()


def many_streams_at_once(d):
    streams = [Stream(d.root, "?topics=tokens") for _ in range(60)]
    make(d, "broadcast")
    for s in streams:
        s.wait(lambda e: e[2]["data"]["name"] == "broadcast")
        s.close()
    wait_for(lambda: "aurabox_http_streams 0" in d.root.get("/metrics").raw.decode(), 10, "all streams closed")


def stopping_with_streams_open_and_resuming_after():
    with Daemon() as d:
        streams = [Stream(d.root) for _ in range(3)]
        make(d, "before")
        last = streams[0].wait(lambda e: e[1] == "token.created")[0]
        began = time.monotonic()
        equal(d.stop(), 0, "exit status with open streams")
        assert time.monotonic() - began < 15
        for s in streams:
            wait_for(lambda s=s: s.ended, 5)
        d.start()
        make(d, "after")
        s = Stream(d.root, "?topics=tokens", last)
        s.wait(lambda e: e[2]["data"]["name"] == "after")
        s.close()
        d.kill()
        d.start()
        s = Stream(d.root, "?topics=tokens", last)
        s.wait(lambda e: e[2]["data"]["name"] == "after")
        s.close()


if __name__ == "__main__":
    run([events_arrive_live_and_in_order, many_writers_keep_the_order, topics_choose, a_gap_is_filled, unknown_ids_reset,
         rights_decide_topics, the_end_of_a_log_in_ends_its_streams, pings_keep_it_open, many_streams_at_once])
    print("- stopping with streams open and resuming after")
    stopping_with_streams_open_and_resuming_after()
