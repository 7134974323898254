#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
"""Path, Service-Route, several flows of one phone (RFC 3327, 3608, 5626), and Contacts as the RFC allows them."""
import re
import signal
import tempfile
import time

from plane import DOMAIN, SM, hang_up, password, plane, talk
from sip_message import param, uri_of
from sip_phone import Incoming, Phone
from standalone import run

INSTANCE = '+sip.instance="<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>"'


def is_invite(m):
    return m.is_request and m.method == "INVITE" and m.to_tag is None


def flow(phone, number, **kw):
    return phone.register(contact=f"{phone.contact};reg-id={number};{INSTANCE}",
                          headers=[("Supported", "path, outbound")], **kw)


def behind_an_edge(p, handle, extra=""):
    """A phone that registers through an edge proxy; the edge is a socket of its own."""
    phone, edge = p.phone(handle, register=False), p.phone("edge", register=False)
    path = f"<sip:flow7@{edge.addr[0]}:{edge.addr[1]};lr{extra}>"
    final = phone.register(headers=[("Supported", "path"), ("Path", path)])
    assert final.status == 200, final.encode()
    return phone, edge, path, final


def calls_follow_the_path_of_the_registration():
    with tempfile.TemporaryDirectory() as folder:
        with plane(servers=("sm",), database=folder + "/sm.db") as p:
            phone, edge, path, final = behind_an_edge(p, "3010")
            assert final.all("Path") == [path], final.encode()
            caller = p.phone("3009")
            for restarted in (False, True):
                if restarted:
                    time.sleep(0.4)  # what is kept is written by then
                    p.sm.stop(signal.SIGKILL)
                    p.sm.start()
                call = caller.invite("3010")
                invite = edge.expect(is_invite)
                assert invite.all("Route") == [path], invite.encode()
                assert invite.uri == uri_of(phone.contact)
                ringing = Incoming(edge, invite)
                ringing.accept_and(call)
                hang_up(call, ringing)
            phone.never(is_invite, 0.2)
            assert phone.register(expires=0, headers=[("Supported", "path")]).status == 200
            assert p.sm.items("/v1/registrations")[0]["handle"] == "3009"


def a_path_that_the_phone_does_not_know_is_refused():
    with plane(servers=("sm",)) as p:
        phone = p.phone("3010", register=False)
        final = phone.register(headers=[("Path", "<sip:192.0.2.1;lr>")])
        assert final.status == 420 and final.get("Unsupported") == "path", final.encode()
        final = phone.register(headers=[("Path", "<tel:5>"), ("Supported", "path")])
        assert final.status == 400, final
        final = phone.register(headers=[("Path", "<sip:192.0.2.1;lr>"), ("Supported", "path, outbound")],
                               contact=f"{phone.contact};reg-id=1;{INSTANCE}")
        assert final.status == 439, final  # that edge keeps no flows
        assert p.sm.items("/v1/registrations") == []


def the_service_route_leads_a_call():
    for transport in ("udp", "tcp"):
        with plane(servers=("sm",)) as p:
            a, b = p.phone("3009", transport, register=False), p.phone("3010")
            final = a.register()
            tail = ";transport=tcp" if transport == "tcp" else ""
            assert final.all("Service-Route") == [f"<sip:127.0.0.1:5060{tail};lr>"], final.encode()
            call = a.invite("3010", headers=[("Route", final.get("Service-Route"))])
            ringing = b.incoming()
            assert ringing.invite.all("Route") == []
            ringing.accept_and(call)
            hang_up(call, ringing)
            assert a.register(expires=0).all("Service-Route") == []
    with plane(servers=("sm",), settings=("registrar.service_route=false",)) as p:
        assert p.phone("3009", register=False).register().all("Service-Route") == []


def of_two_flows_the_newest_rings_and_the_other_stands_in():
    with plane(servers=("sm",)) as p:
        caller = p.phone("3009")
        one, two = p.phone("3010", "tcp", register=False), p.phone("3010", "tcp", register=False)
        other = p.phone("3010")  # another device
        for number, phone in ((1, one), (2, two)):
            final = flow(phone, number)
            assert final.status == 200 and final.get("Require") == "outbound", final.encode()
            assert f"reg-id={number}" in final.encode().decode()
        assert len(p.sm.items("/v1/registrations")) == 4
        call = caller.invite("3010")
        ringing, beside = two.incoming(), other.incoming()
        beside.ring()
        one.never(is_invite, 0.3)
        ringing.accept_and(call)
        beside.expect_cancel()
        hang_up(call, ringing)
        # A flow that an edge found dead: 430, the next one rings.
        call = caller.invite("3010")
        two.reply(two.expect(is_invite), 430, "Flow Failed", "t")
        ringing = one.incoming()
        other.incoming().refuse(486, "Busy Here")
        ringing.accept_and(call)
        hang_up(call, ringing)
        # The newest ends: the first is what is left.
        two.close()
        p.sm.wait_items("/v1/registrations", 3)
        call = caller.invite("3010")
        ringing = one.incoming()
        ringing.accept_and(call)
        hang_up(call, ringing)


def a_connection_that_ends_while_it_is_asked_is_no_loss():
    with plane(servers=("sm",)) as p:
        caller = p.phone("3009")
        one, two = p.phone("3010", "tcp", register=False), p.phone("3010", "tcp", register=False)
        assert flow(one, 1).status == flow(two, 2).status == 200
        call = caller.invite("3010")
        two.expect(is_invite)
        two.close()
        ringing = one.incoming()
        ringing.accept_and(call)
        hang_up(call, ringing)


def a_flow_that_comes_back_is_the_same_binding():
    with plane(servers=("sm",)) as p:
        one = p.phone("3010", "tcp", register=False)
        assert flow(one, 1).status == 200
        back = p.phone("3010", "tcp", register=False)
        assert flow(back, 1).status == 200
        item, = p.sm.items("/v1/registrations")
        assert item["source"] == "%s:%d" % back.addr
        one.close()  # the old connection has nothing to say any more
        time.sleep(0.2)
        assert len(p.sm.items("/v1/registrations")) == 1
        # Without "outbound" in Supported the number means nothing.
        plain = p.phone("3010", register=False)
        final = plain.register(contact=f"{plain.contact};reg-id=9;{INSTANCE.replace('EEFF', '0000')}")
        assert final.status == 200 and final.get("Require") is None and "reg-id=9" not in final.encode().decode()


class Hidden(Phone):
    """A phone behind a translator: all of them write the same Contact."""

    @property
    def contact(self):
        tail = ";transport=tcp" if self.transport == "tcp" else ""
        return f"<sip:inside@192.0.2.50:1111{tail}>"

    def via(self):
        return super().via().replace("%s:%d" % self.addr, "192.0.2.50:1111")


def hidden(p, user, transport):
    phone = Hidden(user, password(user), domain=DOMAIN, transport=transport, server=SM)
    p.phones.append(phone)
    assert phone.register().status == 200
    return phone


def requests_in_a_dialog_use_the_flows_of_its_phones():
    for transport in ("udp", "tcp"):
        # Served by sm alone, and by cm: there each leg is a dialog of its own.
        for servers, users in ((("sm",), ("3009", "3010")), (("sm", "cm"), ("3001", "3002"))):
            with plane(servers=servers) as p:
                a, b = (hidden(p, user, transport) for user in users)
                call, ringing = talk(a, b)
                for _ in range(2):
                    info = b.send(ringing.in_dialog("INFO"))
                    a.reply(a.expect(lambda m: m.is_request and m.method == "INFO"), 200, "OK")
                    assert b.answer_of(info).status == 200
                    info = a.send(call.in_dialog("INFO"))
                    b.reply(b.expect(lambda m: m.is_request and m.method == "INFO"), 200, "OK")
                    assert a.answer_of(info).status == 200
                bye = b.send(ringing.in_dialog("BYE"))
                call.expect_bye()
                assert b.answer_of(bye).status == 200


def a_flow_that_somebody_made_up_leads_nowhere():
    with plane(servers=("sm",)) as p:
        a, b = hidden(p, "3009", "tcp"), hidden(p, "3010", "tcp")
        call, _ = talk(a, b)
        victim = p.phone("3010", "tcp")
        own = call.routes[0]
        token = re.search(r";fo=(c[0-9a-f]+\.)([0-9a-f]+)-([0-9a-f]+)", own)
        assert token, own
        for number in range(1, 12):
            if "%x" % number == token.group(2):
                continue
            call.routes = [own.replace(token.group(0), f";fo={token.group(1)}{number:x}-{token.group(3)}")]
            a.send(call.in_dialog("INFO"))
        time.sleep(0.5)
        assert not victim.received(lambda m: m.is_request and m.method == "INFO")
        # Those of one dialog are none of another's.
        call.routes = [own]
        first = call.in_dialog("INFO")
        second = a.invite("3010")
        victim.incoming().accept_and(second)
        second.routes = [re.sub(r";fo=[^;>]*", token.group(0), second.routes[0])]
        a.send(second.in_dialog("INFO"))
        b.never(lambda m: m.is_request and m.method == "INFO" and m.call_id == second.call_id, 0.5)
        a.send(first)
        b.expect(lambda m: m.is_request and m.method == "INFO" and m.call_id == call.call_id)


def contacts_are_given_back_as_they_came():
    with plane(servers=("sm",)) as p:
        phone, caller = p.phone("3010", register=False), p.phone("3009")
        host, port = phone.addr
        written = f"Andrew Prokop <SIP:aprokop@{host}:{port};x=y?Subject=hello>;methods=\"INVITE,ACK\";+a.b=\"1;2\";video"
        final = phone.register(contact=written)
        contact = final.get("Contact")
        assert uri_of(contact) == f"SIP:aprokop@{host}:{port};x=y?Subject=hello", contact
        for kept in (';methods="INVITE,ACK"', ';+a.b="1;2"', ";video"):
            assert kept in contact, contact
        assert param(contact, "expires") == "3600"
        # Headers of the URI are no part of a request to it (RFC 3261 section 19.1.5).
        caller.invite("3010")
        assert phone.expect(is_invite).uri == f"SIP:aprokop@{host}:{port};x=y"
        assert phone.register(contact=f"sip:aprokop@{host}:{port};x=y", expires=0).status == 200
        final = phone.register(contact=f"{phone.contact}, <sip:two@[2001:db8::2]:5070>;q=0.5,three <sips:3@example.org>")
        uris = [uri_of(c) for c in final.all("Contact")]
        assert {uri_of(phone.contact), "sip:two@[2001:db8::2]:5070", "sips:3@example.org"} <= set(uris), uris


if __name__ == "__main__":
    run([calls_follow_the_path_of_the_registration, a_path_that_the_phone_does_not_know_is_refused,
         the_service_route_leads_a_call, of_two_flows_the_newest_rings_and_the_other_stands_in,
         a_connection_that_ends_while_it_is_asked_is_no_loss, a_flow_that_comes_back_is_the_same_binding,
         requests_in_a_dialog_use_the_flows_of_its_phones, a_flow_that_somebody_made_up_leads_nowhere,
         contacts_are_given_back_as_they_came])
