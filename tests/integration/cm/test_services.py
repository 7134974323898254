#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 60
"""Who is served and how: dial plan, stations, appearances, trust, what is refused at the door."""

from cm_bench import bench, sip_peer
from standalone import run


def refused(b, status, **kw):
    up = b.invite(**kw)
    answer = b.sm.expect((status, "INVITE"), where=lambda m: m.call_id == up.call_id)
    b.sm.ack_failure(up, answer, b.cm)
    b.sm.expect_nothing("INVITE", 0.05)
    return answer


def dialled_digits_become_the_extensions_user():
    with bench() as b:
        up = b.invite(dialled="3003")
        down = b.downstream(up)
        assert down.uri == "sip:grace@aurabox.internal", down
        assert down.addr("To") == "sip:3003@aurabox.internal", down
        b.sm.answer(down, 486, "Busy Here", "x")
        b.sm.ack_failure(up, b.sm.expect((486, "INVITE")), b.cm)


def numbers_and_callers_that_are_none():
    with bench() as b:
        refused(b, 404, dialled="3777")
        for dialled in ("99", "nobody"):  # what the plan does not know is sm's to route
            up = b.invite(dialled=dialled)
            down = b.downstream(up)
            assert down.uri == "sip:%s@aurabox.internal" % dialled, down
            b.sm.answer(down, 404, "Not Found", "x")
            b.sm.ack_failure(up, b.sm.expect((404, "INVITE")), b.cm)
        refused(b, 404, phase="imsterm", dialled="3777")
        refused(b, 404, phase="imsterm", dialled="3009")
        refused(b, 403, caller="3009")
        refused(b, 403, caller="mallory")
        refused(b, 403, asserted=False)
        refused(b, 484, dialled="3" * 40)


def a_station_is_busy_when_all_its_appearances_are():
    with bench() as b:
        up, answer, down, _ = b.talk("imsterm", dialled="3003", gsid="first-call")
        refused(b, 486, phase="imsterm", dialled="3003", gsid="second-call")
        refused(b, 486, phase="imsorig", caller="grace", gsid="third-call")
        b.hang_up(up, answer, down)
        again = b.invite("imsterm", dialled="3003", gsid="fourth-call")
        b.sm.answer(b.downstream(again), 486, "Busy Here", "x")
        b.sm.ack_failure(again, b.sm.expect((486, "INVITE"), where=lambda m: m.call_id == again.call_id), b.cm)


def three_appearances_take_three_calls():
    with bench() as b:
        calls = [b.talk("imsterm", dialled="3002", gsid="call-%d" % i) for i in range(3)]
        refused(b, 486, phase="imsterm", dialled="3002", gsid="call-3")
        for up, answer, down, _ in calls:
            b.hang_up(up, answer, down)


def the_door():
    with bench() as b:
        refused(b, 404, phase=None)
        refused(b, 404, phase="imsother")
        refused(b, 483, max_forwards=0)
        refused(b, 420, headers=[("Require", "precondition")])
        # a Route whose top is somebody else's
        port = b.cm_hostport
        b.cm_hostport = "192.0.2.7:5070"
        refused(b, 403)
        b.cm_hostport = port
        # sm watches over cm
        lines = [("From", "<sip:sm@aurabox.internal>;tag=a"), ("To", "<sip:cm@aurabox.internal>"),
                 ("Call-ID", "watch"), ("CSeq", "1 OPTIONS")]
        b.sm.request("OPTIONS", "sip:%s" % b.cm_hostport, lines)
        alive = b.sm.expect((200, "OPTIONS"))
        assert "INVITE" in alive.get("Allow"), alive
        b.sm.request("MESSAGE", "sip:%s" % b.cm_hostport, lines[:2] + [("Call-ID", "m"), ("CSeq", "1 MESSAGE")])
        b.sm.expect((405, "MESSAGE"))


def nobody_but_sm_is_believed():
    with bench() as b:
        stranger = sip_peer.Peer()
        sm, b.sm = b.sm, stranger
        try:
            refused(b, 403)
            refused(b, 403, phase="imsterm")
        finally:
            b.sm = sm
            stranger.close()
        assert "aura_cm_untrusted_total 2" in b.server.get("/metrics").decode()
        assert b.server.items("/v1/calls") == [] and b.server.items("/v1/records") == []


def a_loop_of_one_call_ends():
    with bench() as b:
        for i in range(16):
            up = b.invite("imsterm", caller="3001", dialled="30%02d" % (77 + i), gsid="loop")
            b.sm.ack_failure(up, b.sm.expect((404, "INVITE"), where=lambda m: m.call_id == up.call_id), b.cm)
        # halves that ended are gone; only living ones count as a loop
        calls = []
        for i in range(3):
            calls.append(b.talk("imsterm", dialled="3002", gsid="loop"))
        assert len(b.server.items("/v1/calls")) == 1
        for up, answer, down, _ in calls:
            b.hang_up(up, answer, down)


def one_call_too_many_is_refused():
    with bench("call.max_calls=2") as b:
        calls = [b.talk("imsterm", dialled="3002", gsid="call-%d" % i) for i in range(2)]
        answer = refused(b, 500, phase="imsterm", dialled="3002", gsid="call-2")
        assert "Too many calls" in answer.get("Warning"), answer
        # the second half of a call that is there is no new call
        up = b.invite("imsorig", gsid="call-0")
        b.sm.answer(b.downstream(up), 486, "Busy Here", "x")
        b.sm.ack_failure(up, b.sm.expect((486, "INVITE")), b.cm)
        for up, answer, down, _ in calls:
            b.hang_up(up, answer, down)


if __name__ == "__main__":
    run([dialled_digits_become_the_extensions_user, numbers_and_callers_that_are_none,
         a_station_is_busy_when_all_its_appearances_are, three_appearances_take_three_calls, the_door,
         nobody_but_sm_is_believed, a_loop_of_one_call_ends, one_call_too_many_is_refused])
