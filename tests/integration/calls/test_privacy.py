#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
"""Privacy and asserted identity (RFC 3323, RFC 3325): what a callee learns of a caller who hides."""
from unittest import mock

import plane as calls
from plane import CM, DOMAIN, hang_up, plane
from sip_message import uri_of
from standalone import run

ANONYMOUS = "sip:anonymous@anonymous.invalid"
WAYS = ((("sm",), ("3009", "3010")), (("sm", "cm"), ("3001", "3002")))


def call_with(p, a, b, *headers):
    call = a.invite(b.user, headers=headers)
    return call, b.incoming()


def identities(msg):
    return [uri_of(v) for v in msg.all("P-Asserted-Identity")]


def id_hides_the_asserted_identity_alone():
    for servers, (caller, callee) in WAYS:
        with plane(servers=servers) as p:
            a, b = p.phone(caller), p.phone(callee)
            for headers, seen in (((), True), ((("Privacy", "none"),), True), ((("Privacy", "id"),), False),
                                  ((("Privacy", "header;id"),), False), ((("Privacy", "id"), ("Privacy", "none")), True)):
                call, ringing = call_with(p, a, b, *headers)
                shown = seen and "cm" in servers  # sm asserts towards applications; cm passes it on
                assert identities(ringing.invite) == ([a.aor] if shown else []), (headers, ringing.invite.encode())
                assert uri_of(ringing.invite.get("From")) == a.aor
                ringing.accept_and(call)
                hang_up(call, ringing)


def user_hides_the_person_for_the_whole_dialog():
    for transport in ("udp", "tcp"):
        for servers, (caller, callee) in WAYS:
            with plane(servers=servers) as p:
                a, b = p.phone(caller, transport), p.phone(callee, transport)
                call, ringing = call_with(p, a, b, ("Privacy", "user"), ("Subject", "me, Ada"), ("Reply-To", f"<{a.aor}>"))
                invite = ringing.invite
                assert uri_of(invite.get("From")) == ANONYMOUS and invite.from_tag, invite.encode()
                assert identities(invite) == []
                for name in ("Subject", "Reply-To", "User-Agent"):
                    assert invite.get(name) is None, (name, invite.encode())
                ringing.ring()
                progress = call.expect(180)
                assert uri_of(progress.get("From")) == a.aor, progress.encode()
                answer = ringing.accept_and(call)
                assert uri_of(answer.get("From")) == a.aor, answer.encode()
                # Inside the dialog, from either side, without any Privacy.
                info = a.send(call.in_dialog("INFO"))
                told = b.expect(lambda m: m.is_request and m.method == "INFO")
                assert uri_of(told.get("From")) == ANONYMOUS and told.from_tag == invite.from_tag, told.encode()
                b.reply(told, 200, "OK")
                done = a.answer_of(info)
                assert done.status == 200 and uri_of(done.get("From")) == a.aor, done.encode()
                back = b.send(ringing.in_dialog("INFO"))
                told = a.expect(lambda m: m.is_request and m.method == "INFO")
                assert uri_of(told.get("From")).startswith(f"sip:{callee}@"), told.encode()
                a.reply(told, 200, "OK")
                assert b.answer_of(back).status == 200
                bye = a.send(call.in_dialog("BYE"))
                assert uri_of(ringing.expect_bye().get("From")) == ANONYMOUS
                assert a.answer_of(bye).status == 200
                acks = b.received(lambda m: m.is_request and m.method == "ACK")
                assert acks and all(uri_of(m.get("From")) == ANONYMOUS for m in acks), [m.encode() for m in acks]


def who_calls_without_a_name_is_known_to_us():
    with plane() as p:
        a, b = p.phone("3001"), p.phone("3002")
        msg = a.request("INVITE", f"sip:3002@{DOMAIN}", body=a.sdp(), from_uri=ANONYMOUS, headers=[("Privacy", "id")])
        sent, _ = msg, a.send(msg)
        challenge = a.answer_of(sent)
        assert challenge.status == 407
        a.send(a.answer_challenge(sent, challenge))
        invite = b.incoming().invite
        assert identities(invite) == [] and uri_of(invite.get("From")) == ANONYMOUS, invite.encode()
        to_cm = [m for m in p.wire.requests("INVITE") if m.dest == CM]
        assert to_cm and all(identities(m) == [a.aor] for m in to_cm), [m.encode() for m in to_cm]
        # Without a password nobody calls, with or without a name.
        assert a.answer_of(a.send(a.request("INVITE", f"sip:3002@{DOMAIN}", from_uri=ANONYMOUS))).status == 407


def what_cannot_be_given_is_refused_if_it_is_critical():
    with plane(servers=("sm",)) as p:
        a, b = p.phone("3009"), p.phone("3010")
        for words in ("header;critical", "session;critical", "id;user;header;session;critical"):
            msg = a.request("INVITE", f"sip:3010@{DOMAIN}", body=a.sdp(), headers=[("Privacy", words)])
            final = a.answer_of(a.send(msg))
            assert final.status == 500, (words, final)
            a.ack(msg, final)
        b.never(lambda m: m.is_request and m.method == "INVITE", 0.3)
        call, ringing = call_with(p, a, b, ("Privacy", "user;critical"), ("Proxy-Require", "privacy"))
        assert uri_of(ringing.invite.get("From")) == ANONYMOUS
        ringing.refuse(486, "Busy Here")
        msg = a.request("INVITE", f"sip:3010@{DOMAIN}", headers=[("Proxy-Require", "secrecy")])
        final = a.answer_of(a.send(msg))
        assert final.status == 420 and final.get("Unsupported") == "secrecy", final.encode()


def of_his_own_names_a_user_may_choose():
    whole = calls.document

    def document(*args):
        made = whole(*args)
        made["users"][0]["station"]["extension"] = "3901"  # of 3001
        return made

    with mock.patch.object(calls, "document", document), plane() as p:
        a, b = p.phone("3001"), p.phone("3002")
        for preferred, shown in ((None, "3001"), (f"<sip:3901@{DOMAIN}>", "3901"), (f"<sip:3002@{DOMAIN}>", "3001"),
                                 ("<tel:3901>", "3901"), ("<sip:3901@example.org>", "3001"), (";;", "3001")):
            headers = [("P-Preferred-Identity", preferred)] if preferred else []
            call, ringing = call_with(p, a, b, *headers)
            assert identities(ringing.invite) == [f"sip:{shown}@{DOMAIN}"], (preferred, ringing.invite.encode())
            assert ringing.invite.get("P-Preferred-Identity") is None
            ringing.accept_and(call)
            hang_up(call, ringing)


if __name__ == "__main__":
    run([id_hides_the_asserted_identity_alone, user_hides_the_person_for_the_whole_dialog,
         who_calls_without_a_name_is_known_to_us, what_cannot_be_given_is_refused_if_it_is_critical,
         of_his_own_names_a_user_may_choose])
