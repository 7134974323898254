#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
"""The SIP firewall: a flood, garbage, guessed passwords and too many connections leave others served."""
import socket
import threading
import time

from plane import DOMAIN, SM, password, plane, talk, hang_up
from sip_phone import Phone
from standalone import run

BAD, WORSE = "127.0.0.2", "127.0.0.3"  # 127.0.0.1 is on the allow list


def metric(p, name):
    for line in p.sm.get("/metrics").decode().splitlines():
        if line.startswith(name + " "):
            return int(line.rsplit(" ", 1)[1])
    raise AssertionError(f"no metric {name}")


def blocked(p, rule):
    value = metric(p, 'aura_sm_firewall_blocked_total{rule="%s"}' % rule)
    assert p.sm.get("/v1/firewall")["blocked"][rule] == value
    return value


def lines(p, rule):
    with open(p.sm.folder + "/log", encoding="utf-8", errors="replace") as file:
        return [l for l in file if "event=firewall.blocked" in l and f"rule={rule}" in l]


def phone_at(p, user, address, transport="udp"):
    phone = Phone(user, password(user), domain=DOMAIN, transport=transport, server=SM, local=(address, 0))
    p.phones.append(phone)
    return phone


class Flood(threading.Thread):
    """REGISTERs from one address, a thousand a second."""

    def __init__(self, phone, rate=1000, seconds=3.0):
        super().__init__(daemon=True)
        self.phone, self.rate, self.seconds, self.sent = phone, rate, seconds, 0
        self.start()

    def run(self):
        text = self.phone.request("REGISTER", f"sip:{DOMAIN}", to=self.phone.aor).encode()
        began = time.monotonic()
        while time.monotonic() < began + self.seconds:
            while self.sent < self.rate * (time.monotonic() - began):
                self.phone.sock.sendto(text.replace(b"branch=z9hG4bK", b"branch=z9hG4bK%d-" % self.sent), SM)
                self.sent += 1
            time.sleep(0.002)


def a_thousand_registers_a_second_leave_others_served():
    with plane(settings=("firewall.source_burst=300",)) as p:
        a, b = phone_at(p, "3001", WORSE), phone_at(p, "3002", "127.0.0.4")
        assert a.register().status == 200 and b.register().status == 200
        flood = Flood(phone_at(p, "3009", BAD))
        time.sleep(0.5)
        slowest, rounds = 0.0, 0
        while flood.is_alive():
            began = time.monotonic()
            assert a.register().status == 200
            call, ringing = talk(a, b)
            hang_up(call, ringing)
            slowest, rounds = max(slowest, time.monotonic() - began), rounds + 1
            time.sleep(0.1)
        assert rounds >= 3 and slowest < 1.0, (rounds, slowest)
        assert flood.sent > 2000, flood.sent
        answered = len(flood.phone.received())
        # The burst and 300 a second, no more; all else was dropped unread.
        assert 300 <= answered <= 300 + 300 * 4, (flood.sent, answered)
        assert blocked(p, "source_rate") >= flood.sent - answered - 50
        assert len(lines(p, "source_rate")) <= 5
        time.sleep(1.2)
        assert flood.phone.register().status == 200  # slow again, it is served


def garbage_ends_in_quarantine():
    with plane(servers=("sm",), settings=("firewall.quarantine_s=2",)) as p:
        bad, other = phone_at(p, "3001", BAD), phone_at(p, "3002", WORSE)
        for i in range(30):
            bad.send_raw(b"\x16\x03\x01 not SIP at all %d\r\n\r\n" % i)
        for _ in range(3):
            bad.send_raw(b"INVITE sip:x SIP/2.0\r\nVia: broken\r\n\r\n")
        msg = bad.send(bad.request("OPTIONS", f"sip:{DOMAIN}"))
        bad.never(lambda m: m.branch == msg.branch, 0.5)
        item, = p.sm.get("/v1/firewall")["quarantined"]
        assert item["address"] == BAD and item["reason"] == "malformed" and 0 < item["for_s"] <= 2, item
        with socket.socket() as sock:  # nor is it heard over a connection
            sock.bind((BAD, 0))
            sock.settimeout(2)
            sock.connect(SM)
            assert sock.recv(10) == b""
        assert other.register().status == 200
        assert blocked(p, "quarantine") >= 2
        time.sleep(2.1)
        assert bad.register().status == 200


def guessing_ends_in_quarantine():
    with plane(servers=("sm",), settings=("firewall.failed_max=5",)) as p:
        bad = phone_at(p, "3001", BAD)
        bad.password = "guess"
        for _ in range(6):
            assert bad.register().status == 401
        bad.password = password("3001")
        msg = bad.send(bad.request("REGISTER", f"sip:{DOMAIN}", to=bad.aor))
        bad.never(lambda m: m.branch == msg.branch, 0.5)
        item, = p.sm.get("/v1/firewall")["quarantined"]
        assert item["reason"] == "wrong_password", item
        assert phone_at(p, "3001", WORSE).register().status == 200  # the user is not locked out


def who_is_denied_gets_nothing():
    with plane(servers=("sm",), settings=(f"firewall.deny=192.0.2.0/24,{BAD}",)) as p:
        bad = phone_at(p, "3001", BAD)
        msg = bad.send(bad.request("OPTIONS", f"sip:{DOMAIN}"))
        bad.never(lambda m: m.branch == msg.branch, 0.5)
        assert blocked(p, "deny") == 1
        assert phone_at(p, "3001", WORSE).register().status == 200


def a_user_gone_wild_gets_500():
    with plane(servers=("sm",), settings=("firewall.user_burst=5", "firewall.user_per_s=1")) as p:
        wild, calm = phone_at(p, "3001", BAD), phone_at(p, "3002", BAD)
        statuses = [wild.register().status for _ in range(8)]
        assert statuses[:5] == [200] * 5 and 500 in statuses, statuses
        assert calm.register().status == 200
        assert blocked(p, "user_rate") == statuses.count(500)
        time.sleep(1.1)
        assert wild.register().status == 200


def connections_of_one_address_are_limited():
    with plane(servers=("sm",), settings=("firewall.connections=3",)) as p:
        phones = [phone_at(p, "3001", BAD, "tcp") for _ in range(5)]
        time.sleep(0.3)
        assert [ph.closed for ph in phones] == [False] * 3 + [True] * 2
        assert phones[0].register().status == 200
        assert phone_at(p, "3002", WORSE, "tcp").register().status == 200
        assert blocked(p, "connections") == 2
        phones[1].close()
        time.sleep(0.3)
        assert phone_at(p, "3001", BAD, "tcp").register().status == 200


if __name__ == "__main__":
    run([a_thousand_registers_a_second_leave_others_served, garbage_ends_in_quarantine, guessing_ends_in_quarantine,
         who_is_denied_gets_nothing, a_user_gone_wild_gets_500, connections_of_one_address_are_limited])
