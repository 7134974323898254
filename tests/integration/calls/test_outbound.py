#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
"""Path, Service-Route, several flows of one phone (RFC 3327, 3608, 5626), and Contacts as the RFC allows them."""
import os
import re
import signal
import socket
import struct
import tempfile
import time
import zlib

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


COOKIE = 0x2112A442


def stun(kind=1, attributes=b"", fingerprint=False):
    """(transaction id, packet)."""
    name = os.urandom(12)
    size = len(attributes) + (8 if fingerprint else 0)
    packet = struct.pack(">HHI", kind, size, COOKIE) + name + attributes
    if fingerprint:
        packet += struct.pack(">HHI", 0x8028, 4, zlib.crc32(packet) ^ 0x5354554E)
    return name, packet


def stun_answer(sock, name):
    """(type, {attribute: value}) of the answer to that request, its fingerprint checked."""
    data = sock.recv(2048)
    kind, size, cookie = struct.unpack(">HHI", data[:8])
    assert cookie == COOKIE and data[8:20] == name and size == len(data) - 20, data
    at, found = 20, {}
    while at < len(data):
        attribute, length = struct.unpack(">HH", data[at:at + 4])
        found[attribute] = data[at + 4:at + 4 + length]
        if attribute == 0x8028:
            assert struct.unpack(">I", found[attribute])[0] == zlib.crc32(data[:at]) ^ 0x5354554E and at + 8 == len(data)
        at += 4 + (length + 3) // 4 * 4
    return kind, found


def unmask(value, name):
    """(address, port) in an XOR-MAPPED-ADDRESS."""
    mask = struct.pack(">I", COOKIE) + name
    address = bytes(a ^ b for a, b in zip(value[4:], mask))
    port = struct.unpack(">H", value[2:4])[0] ^ COOKIE >> 16
    return socket.inet_ntop(socket.AF_INET if value[1] == 1 else socket.AF_INET6, address), port


def a_phone_keeps_its_mapping_alive_with_stun():
    with plane(servers=("sm",), settings=("sip.listen=127.0.0.1:5060,[::1]:5060",)) as p:
        for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            with socket.socket(family, socket.SOCK_DGRAM) as sock:
                sock.settimeout(3)
                sock.connect((host, 5060))
                for attributes, fingerprint in ((b"", False), (b"", True), (struct.pack(">HH8s", 0x8022, 6, b"phone\0"), True)):
                    name, packet = stun(1, attributes, fingerprint)
                    sock.send(packet)
                    kind, found = stun_answer(sock, name)
                    assert kind == 0x0101 and unmask(found[0x0020], name) == sock.getsockname()[:2], found
                    assert (0x8028 in found) == fingerprint and len(found) == 1 + fingerprint
                name, packet = stun(1, struct.pack(">HHI", 3, 4, 6))  # CHANGE-REQUEST of RFC 3489
                sock.send(packet)
                kind, found = stun_answer(sock, name)
                assert kind == 0x0111 and found[0x0009][2:4] == b"\x04\x14" and found[0x000A] == b"\0\3", found
                # No answer: an indication, an answer, another method, a fingerprint that is wrong, what is cut off.
                good = stun(1, b"", True)[1]
                for packet in (stun(0x11)[1], stun(0x101)[1], stun(0x03)[1], good[:-1] + bytes([good[-1] ^ 1]), good[:-1], good[:20],
                               good[:8]):
                    sock.send(packet)
                sock.settimeout(0.3)
                try:
                    raise AssertionError(sock.recv(2048))
                except TimeoutError:
                    pass
        end = time.monotonic() + 3
        while b"aura_sm_stun_total 8" not in p.sm.get("/metrics"):
            assert time.monotonic() < end, p.sm.get("/metrics")
            time.sleep(0.1)
        assert all(b"\x21\x12" not in str(m).encode() for m in p.sm.items("/v1/trace"))
        # The mapping that it keeps is the one that it is called over.
        a, b = p.phone("3009"), p.phone("3010")
        name, packet = stun()
        b.sock.sendto(packet, SM)
        call, ringing = talk(a, b)
        hang_up(call, ringing)


def stun_is_no_way_round_the_firewall():
    settings = ("firewall.source_per_s=20", "firewall.source_burst=50")
    with plane(servers=("sm",), settings=settings) as p:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind(("127.0.0.2", 0))
            sock.connect(SM)
            sock.settimeout(0.3)
            for _ in range(500):
                sock.send(stun(1, b"", True)[1])
            count, size = 0, 0
            try:
                while True:
                    size += len(sock.recv(2048))
                    count += 1
            except TimeoutError:
                pass
            assert 50 <= count <= 80 and size <= 2 * 28 * count, (count, size)
        assert p.phone("3001").register().status == 200


if __name__ == "__main__":
    run([calls_follow_the_path_of_the_registration, a_path_that_the_phone_does_not_know_is_refused,
         the_service_route_leads_a_call, of_two_flows_the_newest_rings_and_the_other_stands_in,
         a_connection_that_ends_while_it_is_asked_is_no_loss, a_flow_that_comes_back_is_the_same_binding,
         requests_in_a_dialog_use_the_flows_of_its_phones, a_flow_that_somebody_made_up_leads_nowhere,
         contacts_are_given_back_as_they_came,
         a_phone_keeps_its_mapping_alive_with_stun, stun_is_no_way_round_the_firewall])
