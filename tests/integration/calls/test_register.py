#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
"""The registrar on the wire: challenge, contacts, refresh, removal, expiry, limits."""
import os
import signal
import tempfile
import time

from plane import DOMAIN, plane
from sip_message import Message, challenge_params, param
from standalone import run


def three_messages_bind_a_phone():
    for transport in ("udp", "tcp"):
        with plane(servers=("sm",)) as p:
            phone = p.phone("3001", transport, register=False)
            msg = phone.request("REGISTER", f"sip:{DOMAIN}", to=phone.aor)
            msg.add("Expires", "1800")
            phone.send(msg)
            first = phone.answer_of(msg)
            assert first.status == 401, first
            challenge = first.get("WWW-Authenticate")
            assert f'realm="{DOMAIN}"' in challenge and "nonce=" in challenge, challenge
            again = phone.answer_challenge(msg, first)
            phone.send(again)
            final = phone.answer_of(again)
            assert final.status == 200, final
            assert final.get("Expires") == "1800", final.encode()
            assert param(final.get("Contact"), "expires") == "1800", final.encode()
            item, = p.sm.items("/v1/registrations")
            assert item["handle"] == "3001" and item["aor"] == f"sip:3001@{DOMAIN}", item
            assert item["transport"] == transport, item
            assert item["source"] == "%s:%d" % phone.addr, item
            assert item["contact"] in phone.contact and item["user_agent"] == "aurabox-test", item


def a_wrong_password_is_challenged_again():
    with plane(servers=("sm",)) as p:
        phone = p.phone("3001", register=False)
        phone.password = "wrong"
        final = phone.register()
        assert final.status == 401 and "stale=true" not in final.get("WWW-Authenticate").lower(), final
        phone = p.phone("nobody", register=False)
        assert phone.register().status == 401
        assert p.sm.items("/v1/registrations") == []


def a_nonce_serves_once():
    with plane(servers=("sm",)) as p:
        phone = p.phone("3001", register=False)
        msg = phone.request("REGISTER", f"sip:{DOMAIN}", to=phone.aor)
        good, final = phone.authenticated(msg)
        assert final.status == 200
        replay = phone.request("REGISTER", f"sip:{DOMAIN}", to=phone.aor, call_id=msg.call_id, cseq=9)
        replay.add("Authorization", good.get("Authorization"))
        phone.send(replay)
        final = phone.answer_of(replay)
        assert final.status == 401 and "stale=true" in final.get("WWW-Authenticate").lower(), final.encode()


def a_retransmission_is_no_replay():
    with plane(servers=("sm",)) as p:
        phone = p.phone("3001", register=False)
        msg = phone.request("REGISTER", f"sip:{DOMAIN}", to=phone.aor)
        good, final = phone.authenticated(msg)
        assert final.status == 200
        phone.send(good)
        assert phone.answer_of(good).status == 200


def refresh_removal_and_query():
    with plane(servers=("sm",)) as p:
        phone = p.phone("3001")
        assert phone.register().status == 200
        assert len(p.sm.items("/v1/registrations")) == 1
        query = phone.register(expires=None, contact="")
        assert query.status == 200 and len(query.all("Contact")) == 1
        gone = phone.register(expires=0)
        assert gone.status == 200 and gone.all("Contact") == [], gone.encode()
        assert p.sm.items("/v1/registrations") == []
        assert phone.register(expires=0).status == 200  # once more is fine


def a_star_removes_all():
    with plane(servers=("sm",)) as p:
        a, b = p.phone("3001"), p.phone("3001")
        assert len(p.sm.items("/v1/registrations")) == 2
        assert a.register(expires=0, contact="*").status == 200
        assert p.sm.items("/v1/registrations") == []
        assert b.register().status == 200


def ten_contacts_then_the_oldest_goes():
    with plane(servers=("sm",)) as p:
        phones = [p.phone("3001") for _ in range(11)]
        items = p.sm.items("/v1/registrations")
        assert len(items) == 10
        sources = {i["source"] for i in items}
        assert "%s:%d" % phones[0].addr not in sources and "%s:%d" % phones[10].addr in sources


def by_choice_the_eleventh_is_refused():
    with plane(servers=("sm",), settings=("registrar.when_full=refuse",)) as p:
        for _ in range(10):
            p.phone("3001")
        assert p.phone("3001", register=False).register().status == 403
        assert len(p.sm.items("/v1/registrations")) == 10


def short_times_are_refused_or_raised_long_ones_lowered():
    with plane(servers=("sm",)) as p:
        phone = p.phone("3001", register=False)
        final = phone.register(expires=30)
        assert final.status == 423 and final.get("Min-Expires") == "60", final.encode()
        assert phone.register(expires=99999).get("Expires") == "3600"
    with plane(servers=("sm",), settings=("registrar.short_expires=raise",)) as p:
        final = p.phone("3001", register=False).register(expires=30)
        assert final.status == 200 and final.get("Expires") == "60", final.encode()


def a_binding_ends_with_its_time():
    with plane(servers=("sm",), settings=("registrar.min_expires_s=1",)) as p:
        phone = p.phone("3001", register=False)
        assert phone.register(expires=1).status == 200
        assert len(p.sm.items("/v1/registrations")) == 1
        p.sm.wait_items("/v1/registrations", 0, 4)


def a_binding_over_tcp_ends_with_its_connection():
    with plane(servers=("sm",)) as p:
        phone = p.phone("3001", "tcp")
        assert len(p.sm.items("/v1/registrations")) == 1
        phone.close()
        p.sm.wait_items("/v1/registrations", 0, 2)


def nobody_registers_for_another():
    with plane(servers=("sm",)) as p:
        phone = p.phone("3001", register=False)
        msg = phone.request("REGISTER", f"sip:{DOMAIN}", to=f"sip:3002@{DOMAIN}")
        _, final = phone.authenticated(msg)
        assert final.status == 403, final
        assert p.sm.items("/v1/registrations") == []


def an_old_cseq_changes_nothing():
    with plane(servers=("sm",)) as p:
        phone = p.phone("3001")
        msg = phone.request("REGISTER", f"sip:{DOMAIN}", to=phone.aor, call_id=phone.register_call_id,
                            cseq=0, from_tag=phone.register_tag)
        msg.add("Expires", "0")
        phone.send(msg)
        first = phone.answer_of(msg)
        again = phone.answer_challenge(msg, first)
        again.replace("CSeq", "1 REGISTER")
        phone.send(again)
        assert phone.answer_of(again).status == 500
        assert len(p.sm.items("/v1/registrations")) == 1


def what_is_unauthenticated_gets_one_small_answer():
    with plane(servers=("sm",)) as p:
        phone = p.phone("3001", register=False)
        msg = phone.request("REGISTER", f"sip:{DOMAIN}", to=phone.aor)
        phone.send(msg)
        answer = phone.answer_of(msg)
        assert len(answer.encode()) <= 2 * len(msg.encode())
        phone.never(lambda m: True, 1.2)


def by_choice_the_digest_is_sha_256():
    with plane(servers=("sm",), settings=("digest.algorithms=SHA-256",)) as p:
        phone = p.phone("3001", register=False)
        msg = phone.request("REGISTER", f"sip:{DOMAIN}", to=phone.aor)
        phone.send(msg)
        first = phone.answer_of(msg)
        assert [challenge_params(c)["algorithm"] for c in first.all("WWW-Authenticate")] == ["SHA-256"]
        # MD5 credentials over the same nonce are not taken.
        weak = phone.answer_challenge(msg, Message.parse(first.encode().replace(b"SHA-256", b"MD5")))
        phone.send(weak)
        assert phone.answer_of(weak).status == 401
        assert phone.register().status == 200
        phone.password = "wrong"
        assert phone.register().status == 401
        # Calls are challenged by the same list.
        a, b = p.phone("3009"), p.phone("3010")
        call = a.invite("3010")
        assert "algorithm=SHA-256" in call.invite.get("Proxy-Authorization")
        b.incoming().accept_and(call)


def two_algorithms_are_offered_strongest_first_and_either_serves():
    with plane(servers=("sm",), settings=("digest.algorithms=SHA-256,MD5",)) as p:
        phone = p.phone("3001", register=False)
        msg = phone.request("REGISTER", f"sip:{DOMAIN}", to=phone.aor)
        phone.send(msg)
        first = phone.answer_of(msg)
        offered = [challenge_params(c) for c in first.all("WWW-Authenticate")]
        assert [c["algorithm"] for c in offered] == ["SHA-256", "MD5"], first.encode()
        assert offered[0]["nonce"] != offered[1]["nonce"]
        assert len(first.encode()) <= 2 * len(msg.encode())
        for challenge in first.all("WWW-Authenticate"):
            one = Message(first.start, [h for h in first.headers if h[0] != "WWW-Authenticate"])
            again = phone.answer_challenge(msg, one.add("WWW-Authenticate", challenge))
            again.replace("CSeq", f"{phone.register_cseq + 2} REGISTER")
            phone.register_cseq += 1
            phone.send(again)
            assert phone.answer_of(again).status == 200, challenge


def bindings_and_dialogs_outlive_a_restart():
    with tempfile.TemporaryDirectory() as folder:
        with plane(servers=("sm",), database=folder + "/sm.db") as p:
            caller, callee = p.phone("3009"), p.phone("3010")
            call = caller.invite("3010")
            ringing = callee.incoming()
            ringing.accept_and(call)
            time.sleep(0.3)
            p.sm.stop(signal.SIGKILL)
            p.sm.start()
            assert len(p.sm.items("/v1/registrations")) == 2
            bye = caller.send(call.in_dialog("BYE"))
            ringing.expect_bye()
            assert caller.answer_of(bye).status == 200
            second = caller.invite("3010")
            callee.incoming().accept_and(second)
        assert os.path.exists(folder + "/sm.db")


def a_contact_may_have_any_scheme():
    """Kept, listed, told to who watches, over a restart; nothing is ever sent there."""
    others = ["mailto:ada@example.org", "http://192.0.2.1/ada?x=1;y=2,z", "tel:+49-30-123;ext=5", "im:ada@example.org"]
    listed = lambda final: {c[1:].split(">")[0] for line in final.all("Contact") for c in [line.strip()]}
    with tempfile.TemporaryDirectory() as folder:
        with plane(servers=("sm",), database=folder + "/sm.db") as p:
            caller, callee = p.phone("3009"), p.phone("3010", "tcp")
            final = callee.register(contact=", ".join(f"<{u}>;q=0.{i + 1}" for i, u in enumerate(others)))
            assert final.status == 200 and listed(final) == {*others, callee.contact.strip("<>").split(">")[0]}, final.encode()
            assert [c for c in final.all("Contact") if "mailto" in c][0].endswith(";q=0.100"), final.encode()
            call = caller.invite("3010")
            callee.incoming().accept_and(call)  # only the phone rings
            # Not inside a dialog either: a number that a phone has registered draws nothing to it.
            lure = p.phone("3001", register=False)
            assert lure.register(contact="<tel:+4930999>").status == 200
            info = call.in_dialog("INFO")
            info.start = "INFO tel:+4930999 SIP/2.0"
            caller.send(info)
            assert caller.answer_of(info).status >= 400
            lure.never(lambda m: m.is_request, 0.2)
            callee.close()  # it takes its own Contact with it
            p.sm.wait_items("/v1/registrations", 6)
            time.sleep(0.3)
            p.sm.stop(signal.SIGKILL)
            p.sm.start()
            assert {r["contact"] for r in p.sm.items("/v1/registrations") if r["handle"] == "3010"} == set(others)
            caller.invite("3010").expect(480)  # nobody can be called there
            again = p.phone("3010")
            assert listed(again.register(contact=f"<{others[0]}>", expires=0)) == {*others[1:], again.contact.strip("<>").split(">")[0]}
            caller.invite("3010")
            again.incoming().refuse(486, "Busy Here")
            for bad in ("<mailto:a b>", "<http:>", "<1a:x>", '<x:"y">', "<:x>", "<tel:>", "<x:" + "y" * 600 + ">", "<x:\xff>"):
                assert again.register(contact=bad).status == 400, bad


if __name__ == "__main__":
    run([three_messages_bind_a_phone, a_wrong_password_is_challenged_again, a_nonce_serves_once,
         a_retransmission_is_no_replay, refresh_removal_and_query, a_star_removes_all,
         ten_contacts_then_the_oldest_goes, by_choice_the_eleventh_is_refused,
         short_times_are_refused_or_raised_long_ones_lowered, a_binding_ends_with_its_time,
         a_binding_over_tcp_ends_with_its_connection, nobody_registers_for_another,
         an_old_cseq_changes_nothing, what_is_unauthenticated_gets_one_small_answer,
         by_choice_the_digest_is_sha_256, two_algorithms_are_offered_strongest_first_and_either_serves,
         bindings_and_dialogs_outlive_a_restart, a_contact_may_have_any_scheme])
