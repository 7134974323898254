#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
"""IPv6: listen points, Via, Contact and Record-Route in brackets, received and rport, both families in one call."""
from plane import DOMAIN, Plane, document, hang_up, password, plane, talk
from sip_message import param
from sip_phone import Phone
from standalone import Server, run
from wire import Wire

SM6 = ("::1", 5060)
BOTH = ["sip.listen=127.0.0.1:5060,[::1]:5060"]


def phone6(p, user, transport="udp", register=True):
    phone = Phone(user, password(user), domain=DOMAIN, transport=transport, server=SM6, local=("::1", 0))
    p.phones.append(phone)
    if register:
        answer = phone.register()
        assert answer.status == 200, answer
    return phone


def a_phone_registers_over_ipv6():
    for transport in ("udp", "tcp"):
        with plane(servers=("sm",), settings=BOTH) as p:
            phone = phone6(p, "3001", transport)
            item, = p.sm.items("/v1/registrations")
            assert item["source"] == f"[::1]:{phone.addr[1]}", item
            assert f"sip:3001@[::1]:{phone.addr[1]}" in item["contact"], item


def both_families_talk_to_each_other():
    for transport in ("udp", "tcp"):
        with plane(settings=BOTH) as p:
            six, four = phone6(p, "3001", transport), p.phone("3002", transport)
            call, ringing = talk(six, four)
            # The leg of each phone is reached at an address of its own family.
            assert any("[::1]:5060" in r for r in call.routes[:1]), call.routes
            assert "127.0.0.1:5060" in ringing.routes[0], ringing.routes
            hang_up(call, ringing)
            call, ringing = talk(four, six)
            bye = ringing.phone.send(ringing.in_dialog("BYE"))
            call.expect_bye()
            assert ringing.phone.answer_of(bye).status == 200


def received_and_rport_tell_the_source():
    with plane(servers=("sm",), settings=BOTH) as p:
        phone = phone6(p, "3001", register=False)
        for host in ("[2001:db8::9:1]", "pc.example.com", "[::1]"):
            msg = phone.request("OPTIONS", "sip:[::1]:5060")
            msg.replace("Via", f"SIP/2.0/UDP {host}:9;branch=z9hG4bK{host.strip('[]').replace(':', '')};rport")
            phone.send(msg)
            answer = phone.expect(lambda m: not m.is_request and m.call_id == msg.call_id)
            via = answer.get("Via")
            assert answer.status == 200 and param(via, "rport") == str(phone.addr[1]), via
            assert param(via, "received").strip("[]") == "::1", via


def one_address_has_many_spellings():
    """A Route that names sm by another spelling of its address is sm's own (RFC 5118 section 4)."""
    with plane(servers=("sm",), settings=BOTH) as p:
        phone = phone6(p, "3001", register=False)
        for uri in ("sip:[0:0:0:0:0:0:0:1]:5060", "sip:[::0001]", "sip:[::1];transport=udp"):
            msg = phone.request("OPTIONS", uri, headers=[("Route", f"<{uri};lr>")])
            phone.send(msg)
            assert phone.answer_of(msg).status == 200, uri


class Plane6(Plane):
    """Everything on ::1, links included."""

    def __init__(self):  # pylint: disable=super-init-not-called
        self.config = document("tcp")
        for entity in self.config["sip_entities"]:
            entity["address"] = "::1"
        self.phones = []
        self.wire = Wire("lo")
        self.sm = self.cm = self.presence = None
        try:
            self.cm = Server("aura-cm", self.config, "[::1]:5070")
            self.sm = Server("aura-sm", self.config, "[::1]:5060")
            self.wait_link("cm", "up")
        except BaseException:
            self.close()
            raise


def a_plane_without_ipv4_carries_calls():
    p = Plane6()
    try:
        a, b = phone6(p, "3001", "tcp"), phone6(p, "3002")
        call, ringing = talk(a, b)
        assert call.invite.get("Contact").startswith("<sip:3001@[::1]:")
        hang_up(call, ringing)
    except BaseException:
        p.show()
        raise
    finally:
        p.close()


if __name__ == "__main__":
    run([a_phone_registers_over_ipv6, both_families_talk_to_each_other, received_and_rport_tell_the_source,
         one_address_has_many_spellings, a_plane_without_ipv4_carries_calls])
