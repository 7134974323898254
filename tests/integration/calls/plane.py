# SPDX-License-Identifier: Apache-2.0
"""The call plane as three processes on loopback, with phones and with ears on the wire."""
import contextlib
import shutil
import time

import one_origin
from sip_phone import Phone
from standalone import Server
from wire import Wire

DOMAIN = "aurabox.internal"
SM, CM, PRESENCE = ("127.0.0.1", 5060), ("127.0.0.1", 5070), ("127.0.0.1", 5080)
# Users with a station are served by cm in both halves; 3009 and 3010 by sm alone.
STATIONS = ("3001", "3002", "3003", "3004")
PLAIN = ("3009", "3010")


def password(user):
    return f"secret-{user}-{user}"


def document(transport="tcp", mandatory=True):
    users = [{"handle": h, "name": f"User {h}", "password": password(h),
              "sip": {"max_contacts": 10},
              "station": {"extension": h, "appearances": 3} if h in STATIONS else None,
              "presence": {"enabled": True}} for h in STATIONS + PLAIN]
    entities = [{"name": n, "type": n, "address": a[0], "port": a[1], "transport": transport}
                for n, a in (("sm", SM), ("cm", CM), ("presence", PRESENCE))]
    entry = "cm" if mandatory else {"name": "cm", "mandatory": False}
    return {"schema": 1, "domain": DOMAIN, "users": users, "sip_entities": entities,
            "application_sequences": [{"name": "default", "entities": [entry]}],
            "dial_plan": [{"match": "3", "length": 4, "type": "extension"}]}


class Plane:
    """sm, and cm and presence where a test needs them; phones are made and closed here."""

    def __init__(self, servers=("sm", "cm"), settings=(), cm_settings=(), transport="tcp",
                 mandatory=True, database=None, extra=None):
        self.config = document(transport, mandatory)
        for name, value in (extra or {}).items():
            if isinstance(value, list):
                self.config[name] = self.config.get(name, []) + value
            else:
                self.config[name] = value
        self.wire = Wire("lo")
        self.phones = []
        self.sm = self.cm = self.presence = None
        try:
            if "cm" in servers:
                self.cm = Server("aura-cm", self.config, "127.0.0.1:5070", cm_settings)
            if "presence" in servers:
                self.presence = Server("aura-presence", self.config, "127.0.0.1:5080")
            self.sm = Server("aura-sm", self.config, "127.0.0.1:5060", settings, database)
            if self.cm:
                self.wait_link("cm", "up")
            if self.presence:
                self.wait_link("presence", "up")
        except BaseException:
            self.close()
            raise

    def entity(self, name):
        return next(e for e in self.sm.items("/v1/entities") if e["name"] == name)

    def links(self):
        return {e["name"]: e["link"] for e in self.sm.items("/v1/entities")}

    def wait_link(self, name, state, timeout=5.0):
        end = time.monotonic() + timeout
        while self.links().get(name) != state:
            assert time.monotonic() < end, f"link {name} is {self.links()}, not {state}"
            time.sleep(0.01)

    def phone(self, user, transport="udp", register=True, **kw):
        phone = Phone(user, password(user), domain=DOMAIN, transport=transport, server=SM, **kw)
        self.phones.append(phone)
        if register:
            answer = phone.register()
            assert answer.status == 200, answer
        return phone

    def close(self):
        failed = []
        for phone in self.phones:
            phone.close()
        for server in (self.sm, self.cm, self.presence):
            if server:
                status = server.stop()
                if status not in (0, -9):
                    print(open(server.folder + "/log", errors="replace").read()[-6000:], flush=True)
                    failed.append(f"{server.argv[0]} ended with {status}")
                shutil.rmtree(server.folder, ignore_errors=True)
        self.wire.close()
        assert not failed, failed

    def check_origins(self):
        """Whatever was called: all that cm said to sm had one origin a dialog. How many descriptions it was."""
        if self.wire.stop:
            return 0
        self.wire.settle()
        # what cm sends first goes over connections of its own
        places = {m.source for m in self.wire.messages if m.dest == SM and m.is_request and len(m.all("Via")) == 1
                  and (m.get("User-Agent") or "").startswith("Aurabox-cm")} | {CM}
        return one_origin.check(m for m in self.wire.messages if m.source in places)

    def show(self):
        for server in (self.sm, self.cm, self.presence):
            if server and server.process:
                server.show_log()


@contextlib.contextmanager
def plane(**kw):
    s = Plane(**kw)
    try:
        yield s
        s.check_origins()
    except BaseException:
        s.show()
        with contextlib.suppress(Exception):
            s.close()
        raise
    s.close()


def ring(caller, callee, number=None):
    """A call up to ringing, and the caller has heard so: (Call, Incoming)."""
    call = caller.invite(number or callee.user)
    ringing = callee.incoming()
    ringing.ring()
    call.expect(180)
    return call, ringing


def talk(caller, callee, number=None):
    """A whole call up to the talk: (Call, Incoming)."""
    call, ringing = ring(caller, callee, number)
    ringing.accept_and(call)
    return call, ringing


def hang_up(call, ringing):
    bye = call.phone.send(call.in_dialog("BYE"))
    ringing.expect_bye()
    assert call.phone.answer_of(bye).status == 200
