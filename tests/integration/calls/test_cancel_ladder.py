#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 240
"""CANCEL at every point of a call, through sm alone and up and down the six INVITEs of sm, cm and sm: before the 100, behind
it, while a server on the way stands still, at the 180, with a PRACK pending, with the 200 under way. The CANCEL has its own
200 (RFC 3261 section 9.2); the INVITE has a 487, or a 200 that the caller hangs up (section 9.1). Both ends then agree that
there is no call, sm and cm have none left, and cm's records tell of each once."""
import contextlib
import os
import signal
import time

from plane import CM, plane
from sip_message import Message, uri_of
from sip_phone import Call, Incoming, Timeout
from standalone import run

RELIABLE = [("Supported", "100rel"), ("Allow", "INVITE, ACK, BYE, CANCEL, PRACK, UPDATE")]


@contextlib.contextmanager
def standing_still(server):
    """The process gets no time; what is sent to it waits in its sockets."""
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.process.pid, signal.SIGCONT)


def incoming(phone, timeout=3.0):
    """The next call that comes in; a copy of an INVITE, sent again because nobody said anything, is none."""
    old = getattr(phone, "branches", set())
    msg = phone.expect(lambda m: m.is_request and m.method == "INVITE" and m.branch not in old, timeout, "an INVITE")
    phone.branches = old | {msg.branch}
    return Incoming(phone, msg)


def ring(a, b):
    call = a.invite(b.user)
    ringing = incoming(b)
    ringing.ring()
    call.expect(180)
    return call, ringing


def cancel_of(call):
    msg = Message(f"CANCEL {call.invite.uri} SIP/2.0")
    for name in ("Via", "Max-Forwards", "From", "To", "Call-ID"):
        msg.add(name, call.invite.get(name))
    return msg.add("CSeq", f"{call.invite.cseq} CANCEL")


def cancelled(call, timeout=3.0):
    """The answer to the CANCEL that was sent."""
    answer = call.phone.expect(lambda m: not m.is_request and m.cseq_method == "CANCEL"
                               and m.branch == call.invite.branch, timeout, "an answer to CANCEL")
    assert answer.status == 200, answer


def cancel(call):
    call.phone.send(cancel_of(call))
    cancelled(call)


def challenged(a, callee):
    """The INVITE with credentials, not sent yet."""
    msg = a.send(a.request("INVITE", f"sip:{callee}@{a.domain}", body=a.sdp()))
    return Call(a, a.answer_challenge(msg, a.answer_of(msg)))


def answer(ringing):
    phone = ringing.phone
    phone.reply(ringing.invite, 200, "OK", ringing.tag, phone.sdp(), [("Contact", phone.contact)])


def given_up(call):
    final = call.expect(487)
    assert final.to_tag, final
    return 487


def ended(call, ringing):
    """The callee has said 200. Either the caller has it, too, and hangs up; or the callee is acknowledged and hung up."""
    final = call.expect(200, 487)
    ringing.expect_ack()
    if final.status == 200:
        bye = call.phone.send(call.in_dialog("BYE"))
        ringing.expect_bye()
        assert call.phone.answer_of(bye).status == 200
    else:
        ringing.expect_bye()
    return final.status


def progress(ringing, rseq):
    phone = ringing.phone
    phone.reply(ringing.invite, 183, "Session Progress", ringing.tag, phone.sdp(),
                [("Contact", phone.contact), ("Require", "100rel"), ("RSeq", str(rseq))])


def prack(call, early):
    """PRACK of a provisional answer (RFC 3262 section 7.2), sent."""
    phone = call.phone
    msg = phone.request("PRACK", uri_of(early.get("Contact")), call_id=call.call_id, cseq=call.invite.cseq + 1,
                        headers=[("RAck", f"{early.get('RSeq')} {call.invite.cseq} INVITE")])
    msg.replace("From", call.local)
    msg.replace("To", early.get("To"))
    for route in reversed(early.all("Record-Route")):
        msg.add("Route", route)
    return phone.send(msg)


def expect_prack(ringing):
    return ringing.phone.expect(lambda m: m.is_request and m.method == "PRACK" and m.call_id == ringing.call_id,
                                3.0, "PRACK")


def cancelled_if_called(b):
    """The CANCEL may have come before the phone was asked at all; a phone that was asked is told."""
    try:
        ringing = incoming(b, timeout=0.6)
    except Timeout:
        return
    ringing.ring()
    ringing.expect_cancel()


# Each point: makes a call from a to b, cancels it there, sees it ended; returns the final status.

def before_the_100(p, a, b):
    """INVITE and CANCEL lie in sm's socket, one behind the other, before it has read any."""
    call = challenged(a, b.user)
    with standing_still(p.sm):
        a.send(call.invite)
        a.send(cancel_of(call))
        assert not a.received(lambda m: m.branch == call.invite.branch)
    cancelled(call)
    cancelled_if_called(b)
    return given_up(call)


def behind_the_100(p, a, b):
    """The callee's phone has it and has said nothing; its CANCEL waits for its first answer."""
    call = a.invite(b.user)
    call.expect(100)
    ringing = incoming(b)
    cancel(call)
    b.never(lambda m: m.is_request and m.method == "CANCEL" and m.call_id == ringing.call_id, 0.3)
    ringing.ring()
    ringing.expect_cancel()
    return given_up(call)


def behind_the_100_and_the_phone_answers(p, a, b):
    """The first that the callee's phone says is 200: there is nothing left to cancel."""
    call = a.invite(b.user)
    call.expect(100)
    ringing = incoming(b)
    cancel(call)
    answer(ringing)
    return ended(call, ringing)


def behind_the_100_and_the_phone_answers_later(p, a, b):
    """As before, but cm, which says 100 only after 200 ms, has had the CANCEL by then."""
    call = a.invite(b.user)
    call.expect(100)
    ringing = incoming(b)
    cancel(call)
    time.sleep(0.5)
    answer(ringing)
    return ended(call, ringing)


def while_cm_stands_still(p, a, b):
    """sm has said 100, cm has not read its INVITE."""
    if not p.cm:
        return None
    with standing_still(p.cm):
        call = a.invite(b.user)
        call.expect(100)
        cancel(call)
    cancelled_if_called(b)
    return given_up(call)


def at_the_180(p, a, b):
    call, ringing = ring(a, b)
    cancel(call)
    ringing.expect_cancel()
    return given_up(call)


def with_a_prack_pending_at_the_caller(p, a, b):
    """The caller has the 183 and does not acknowledge it."""
    call = a.invite(b.user, headers=RELIABLE)
    ringing = incoming(b)
    progress(ringing, 7)
    early = call.expect(183)
    assert early.get("RSeq") and early.get("Require") == "100rel", early.encode()
    cancel(call)
    ringing.expect_cancel()
    return given_up(call)


def with_a_prack_pending_at_the_callee(p, a, b):
    """The callee has the PRACK and does not answer it before the CANCEL."""
    call = a.invite(b.user, headers=RELIABLE)
    ringing = incoming(b)
    progress(ringing, 7)
    sent = prack(call, call.expect(183))
    there = expect_prack(ringing)
    assert there.get("RAck").split()[0] == "7", there.encode()
    cancel(call)
    ringing.expect_cancel()
    b.reply(there, 200, "OK")
    assert a.answer_of(sent).status in (200, 481)
    return given_up(call)


def behind_the_prack(p, a, b):
    call = a.invite(b.user, headers=RELIABLE)
    ringing = incoming(b)
    progress(ringing, 7)
    sent = prack(call, call.expect(183))
    b.reply(expect_prack(ringing), 200, "OK")
    assert a.answer_of(sent).status == 200
    cancel(call)
    ringing.expect_cancel()
    return given_up(call)


def the_200_reaches_sm_first(p, a, b):
    call, ringing = ring(a, b)
    with standing_still(p.sm):
        answer(ringing)
        time.sleep(0.05)
        a.send(cancel_of(call))
    cancelled(call)
    return ended(call, ringing)


def the_cancel_reaches_sm_first(p, a, b):
    call, ringing = ring(a, b)
    with standing_still(p.sm):
        a.send(cancel_of(call))
        time.sleep(0.05)
        answer(ringing)
    cancelled(call)
    status = ended(call, ringing)
    # who was told of the CANCEL, too, after its 200, has nothing to do but say so
    for m in b.received(lambda m: m.is_request and m.method == "CANCEL" and m.branch == ringing.invite.branch):
        b.reply(m, 200, "OK")
    return status


def both_wait_in_front_of_cm(p, a, b):
    """The 200 of one half and the CANCEL of the other have passed sm when cm goes on."""
    if not p.cm:
        return None
    call, ringing = ring(a, b)
    with standing_still(p.cm):
        answer(ringing)
        p.wire.settle()
        cancel(call)
        p.wire.settle()
    return ended(call, ringing)


def at_one_moment(p, a, b):
    call, ringing = ring(a, b)
    answer(ringing)
    cancel(call)
    status = ended(call, ringing)
    for m in b.received(lambda m: m.is_request and m.method == "CANCEL" and m.branch == ringing.invite.branch):
        b.reply(m, 200, "OK")
    return status


def after_the_200(p, a, b):
    """Too late: it has its own 200 and changes nothing."""
    call, ringing = ring(a, b)
    ringing.accept_and(call)
    cancel(call)
    b.never(lambda m: m.is_request and m.method in ("BYE", "CANCEL") and m.call_id == ringing.call_id, 0.3)
    bye = a.send(call.in_dialog("BYE"))
    ringing.expect_bye()
    assert a.answer_of(bye).status == 200
    return 200


POINTS = (before_the_100, behind_the_100, behind_the_100_and_the_phone_answers,
          behind_the_100_and_the_phone_answers_later, while_cm_stands_still, at_the_180, with_a_prack_pending_at_the_caller, with_a_prack_pending_at_the_callee, behind_the_prack,
          the_200_reaches_sm_first, the_cancel_reaches_sm_first, both_wait_in_front_of_cm, at_one_moment, after_the_200)


def metric(server, name):
    """Over all its labels."""
    lines = [line for line in server.get("/metrics").decode().splitlines() if line.partition(" ")[0].partition("{")[0] == name]
    assert lines, name
    return sum(int(line.rsplit(" ", 1)[1]) for line in lines)


def wait(test, server, timeout=5):
    end = time.monotonic() + timeout
    while not test():
        assert time.monotonic() < end, server.get("/metrics").decode()
        time.sleep(0.02)


def nothing_is_left(p, calls):
    p.sm.wait_items("/v1/calls", 0)
    wait(lambda: metric(p.sm, "aura_sm_calls") == 0, p.sm)
    if not p.cm:
        return
    p.cm.wait_items("/v1/calls", 0)
    wait(lambda: metric(p.cm, "aura_cm_invites_total") == metric(p.cm, "aura_cm_halves_total"), p.cm)
    assert metric(p.cm, "aura_cm_records_lost_total") == 0
    # What was cancelled before it left sm never was a call of cm's.
    asked = {phase: len({m.call_id for m in p.wire.requests("INVITE") if m.dest == CM and f"phase={phase}" in m.get("Route", "")})
             for phase in ("imsorig", "imsterm")}
    assert calls - 1 <= asked["imsorig"] <= calls, (calls, asked)
    wanted = {"call": asked["imsorig"], "orig": asked["imsorig"], "term": asked["imsterm"]}
    records = p.cm.wait_items("/v1/records?limit=500", sum(wanted.values()))
    keys = [(r["gsid"], r["half"]) for r in records]
    assert len(keys) == len(set(keys)), f"a record is double: {sorted(keys)}"
    halves = [k[1] for k in keys]
    assert {k: halves.count(k) for k in wanted} == wanted, (wanted, sorted(keys))


def cancel_everywhere(p, a, b, calls):
    """All the points; how many calls there have been so far."""
    told = []
    for point in POINTS:
        try:
            status = point(p, a, b)
            if status is None:
                continue
            calls += 1
            nothing_is_left(p, calls)
        except Exception as e:
            raise AssertionError(f"{point.__name__}, {a.transport}: {e}") from e
        told.append(f"{point.__name__} {status}")
    assert all(phone.register().status == 200 for phone in (a, b))
    print(f"{a.transport}: " + ", ".join(told), flush=True)
    return calls


def through_sm_alone():
    with plane(servers=("sm",)) as p:
        calls = 0
        for transport in ("udp", "tcp"):
            phones = [p.phone(user, transport) for user in ("3009", "3010")]
            calls = cancel_everywhere(p, *phones, calls)
            assert all(phone.register(expires=0).status == 200 for phone in phones)


def through_sm_cm_sm():
    with plane() as p:
        calls = 0
        for transport, users in (("udp", ("3001", "3002")), ("tcp", ("3003", "3004"))):
            calls = cancel_everywhere(p, *(p.phone(user, transport) for user in users), calls)
        # A call that was answered is known for 64 * T1 more, for copies of its 200 (RFC 6026 section 8.7).
        wait(lambda: metric(p.cm, "aura_cm_calls") == 0, p.cm, 60)
        nothing_is_left(p, calls)


if __name__ == "__main__":
    run([through_sm_alone, through_sm_cm_sm])
