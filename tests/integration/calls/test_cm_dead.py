#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
"""cm dies: calls in flight are answered then, later ones at once, never with 503."""
import os
import re
import signal
import socket
import time

from plane import CM, hang_up, plane, ring, talk
from standalone import run


def is_refusal(final):
    assert final.status == 500, final
    assert "SIP" in final.get("Reason", "") and final.get("Warning", "").startswith("399 "), final.encode()
    assert final.get("Retry-After") is None


def quick_refusal(phone, callee="3002"):
    call = phone.invite(callee)
    began = call.invite.at
    final = call.expect(500)
    took = final.at - began
    assert took <= 0.2, f"{took:.3f} s"
    is_refusal(final)


def kill_cm(p):
    p.cm.stop(signal.SIGKILL)
    p.wait_link("cm", "down", 2.0)


def killed_while_a_phone_rings():
    with plane() as p:
        a, b = p.phone("3001"), p.phone("3002")
        call, ringing = ring(a, b)
        killed = time.monotonic()
        p.cm.stop(signal.SIGKILL)
        final = call.expect(500, timeout=3)
        assert final.at - killed <= 2.0, final.at - killed
        is_refusal(final)
        ringing.expect_cancel()
        p.wait_link("cm", "down", 0.5)
        quick_refusal(a)
        p.sm.wait_items("/v1/calls", 0)


def killed_when_nothing_is_going_on():
    with plane() as p:
        a = p.phone("3001")
        p.phone("3002")
        kill_cm(p)
        for _ in range(5):
            quick_refusal(a)


def many_calls_write_one_line_a_second():
    with plane() as p:
        a = p.phone("3001")
        p.phone("3002")
        kill_cm(p)
        began = time.monotonic()
        for _ in range(40):
            quick_refusal(a)
        time.sleep(1.1)
        quick_refusal(a)
        took = time.monotonic() - began
        with open(p.sm.folder + "/log", encoding="utf-8") as log:
            lines = [line for line in log if "event=call.unavailable" in line]
        assert 2 <= len(lines) <= took + 1, (took, lines)
        left_out = [int(re.search(r" unlogged=(\d+)", line)[1]) for line in lines]
        assert len(lines) + sum(left_out) == 41, "every call is counted: %s" % lines


def back_again_calls_work():
    with plane() as p:
        a, b = p.phone("3001"), p.phone("3002")
        kill_cm(p)
        p.cm.start()
        p.wait_link("cm", "up", 5.0)
        call, ringing = talk(a, b)
        hang_up(call, ringing)


def silent_it_is_dead_within_two_seconds():
    """Stopped, not killed: connections stand, nothing answers, as when a whole guest is gone."""
    with plane() as p:
        a, b = p.phone("3001"), p.phone("3002")
        os.kill(p.cm.process.pid, signal.SIGSTOP)
        try:
            stopped = time.monotonic()
            call = a.invite("3002")
            final = call.expect(500, timeout=3)
            assert final.at - stopped <= 2.2, final.at - stopped
            is_refusal(final)
            quick_refusal(a)
        finally:
            os.kill(p.cm.process.pid, signal.SIGCONT)
        p.wait_link("cm", "up", 5.0)
        deadline = time.monotonic() + 5
        while p.cm.items("/v1/calls") and time.monotonic() < deadline:
            time.sleep(0.1)
        call, ringing = talk(a, b)
        hang_up(call, ringing)


def sm_that_stood_still_blames_nobody():
    """What cm answered meanwhile waits unread in sm's socket: no silence of cm's, no call is given up."""
    with plane() as p:
        a, b = p.phone("3001"), p.phone("3002")
        call, ringing = ring(a, b)
        before = p.entity("cm")
        os.kill(p.cm.process.pid, signal.SIGSTOP)
        try:
            time.sleep(0.7)  # a probe has been sent by now
            os.kill(p.sm.process.pid, signal.SIGSTOP)
        finally:
            os.kill(p.cm.process.pid, signal.SIGCONT)
        time.sleep(2.2)
        os.kill(p.sm.process.pid, signal.SIGCONT)
        time.sleep(0.5)
        after = p.entity("cm")
        assert (after["link"], after["changed_at"]) == ("up", before["changed_at"]), (before, after)
        ringing.accept_and(call)
        hang_up(call, ringing)


def when_a_link_changed_is_always_the_same_moment():
    with plane() as p:
        assert len({p.entity("cm")["changed_at"] for _ in range(100)}) == 1


def an_optional_application_is_skipped():
    with plane(mandatory=False) as p:
        a, b = p.phone("3001"), p.phone("3002")
        kill_cm(p)
        call, ringing = talk(a, b)
        assert not [m for m in p.wire.requests("INVITE", {call.call_id}) if m.dest == CM]
        hang_up(call, ringing)


def an_optional_application_that_dies_with_the_call_is_skipped():
    with plane(mandatory=False) as p:
        a, b = p.phone("3001"), p.phone("3002")
        os.kill(p.cm.process.pid, signal.SIGSTOP)
        try:
            call = a.invite("3002")
            ringing = b.incoming(timeout=3)
            ringing.accept_and(call)
        finally:
            os.kill(p.cm.process.pid, signal.SIGCONT)


def cm_never_there_at_all():
    with plane(servers=("sm",)) as p:
        a = p.phone("3001")
        p.wait_link("cm", "down", 3.0)
        quick_refusal(a)
        # Users that need no cm are not touched by it.
        c, d = p.phone("3009"), p.phone("3010")
        call, ringing = talk(c, d)
        hang_up(call, ringing)


def a_busy_answer_503_of_cm_reaches_no_phone():
    """Something in cm's place that answers every INVITE with 503: the phone gets 500."""
    with plane(servers=("sm",), transport="udp") as p:
        fake = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        fake.bind(CM)
        fake.settimeout(0.1)
        stop = []

        def answer():
            while not stop:
                try:
                    data, source = fake.recvfrom(65535)
                except socket.timeout:
                    continue
                head = data.decode().split("\r\n")
                if head[0].startswith("ACK"):
                    continue
                status = "200 OK" if head[0].startswith("OPTIONS") else "503 Service Unavailable"
                keep = [h for h in head[1:] if h.split(":")[0].lower() in
                        ("via", "from", "call-id", "cseq", "to")]
                keep = [h + ";tag=x" if h.lower().startswith("to:") else h for h in keep]
                fake.sendto(("SIP/2.0 " + status + "\r\n" + "\r\n".join(keep)
                             + "\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n").encode(), source)

        import threading
        thread = threading.Thread(target=answer)
        thread.start()
        try:
            p.wait_link("cm", "up", 5.0)
            a = p.phone("3001")
            call = a.invite("3002")
            final = call.expect(500)
            assert final.get("Retry-After") is None
        finally:
            stop.append(True)
            thread.join()
            fake.close()


if __name__ == "__main__":
    run([killed_while_a_phone_rings, killed_when_nothing_is_going_on, many_calls_write_one_line_a_second, back_again_calls_work,
         silent_it_is_dead_within_two_seconds, sm_that_stood_still_blames_nobody, when_a_link_changed_is_always_the_same_moment,
         an_optional_application_is_skipped,
         an_optional_application_that_dies_with_the_call_is_skipped, cm_never_there_at_all,
         a_busy_answer_503_of_cm_reaches_no_phone])
