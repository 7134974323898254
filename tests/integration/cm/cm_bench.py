# SPDX-License-Identifier: Apache-2.0
"""cm_bench - aura-cm alone, with one scripted peer that plays sm on both sides of it."""

import contextlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
import one_origin  # noqa: E402
import ports  # noqa: E402
import sip_peer  # noqa: E402
import standalone  # noqa: E402

DOMAIN = "aurabox.internal"
GSID = "64bf44a0-4f61-11ea-bea2-005056b42b9e"
HISTORY = "<sip:3002@aurabox.internal>;index=1"


def user(handle, extension=None, appearances=3):
    station = {"extension": extension, "appearances": appearances} if extension else None
    return {"handle": handle, "name": "User " + handle, "password": "secret-" + handle, "sip": {},
            "station": station, "presence": {"enabled": True}}


def config(sm_port, cm_port):
    return {
        "schema": 1, "domain": DOMAIN,
        "users": [user("3001", "3001"), user("3002", "3002"), user("grace", "3003", 1), user("3009")],
        "sip_entities": [
            {"name": "sm", "type": "sm", "address": "127.0.0.1", "port": sm_port, "transport": "udp"},
            {"name": "cm", "type": "cm", "address": "127.0.0.1", "port": cm_port, "transport": "udp"}],
        "application_sequences": [{"name": "main", "entities": ["cm"]}],
        "dial_plan": [{"match": "3", "length": 4, "type": "extension"}],
    }


class Bench:
    def __init__(self, server, sm, cm_port):
        self.server = server
        self.sm = sm
        self.cm = ("127.0.0.1", cm_port)
        self.cm_hostport = "127.0.0.1:%d" % cm_port

    def invite(self, phase="imsorig", caller="3001", dialled="3002", gsid=GSID, body=None, headers=(),
               odi="TOKEN", max_forwards=70, asserted=True):
        """The INVITE that sm sends into a half; returns it. The answer goes to self.sm."""
        done = {"imsorig": "origdone", "imsterm": "termdone"}.get(phase, "origdone")
        branch = sip_peer.token("z9hG4bK")
        lines = [
            ("Via", "SIP/2.0/UDP %s;branch=%s;rport" % (self.sm.hostport, branch)),
            ("Via", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKphone"),
            ("Max-Forwards", str(max_forwards)),
            ("Route", "<sip:%s;lr%s>" % (self.cm_hostport, ";phase=" + phase if phase else "")),
            ("Route", "<sip:%s;lr;phase=%s;odi=%s>" % (self.sm.hostport, done, odi)),
            ("Record-Route", "<sip:%s;lr>" % self.sm.hostport),
            ("From", "\"User %s\" <sip:%s@%s>;tag=%s" % (caller, caller, DOMAIN, sip_peer.token())),
            ("To", "<sip:%s@%s>" % (dialled, DOMAIN)),
            ("Call-ID", sip_peer.token()), ("CSeq", "7 INVITE"),
            ("Contact", "<sip:%s@%s>" % (caller, self.sm.hostport)),
            ("Supported", "100rel, timer, replaces"),
            ("Allow", "INVITE, ACK, BYE, CANCEL, PRACK"),
            ("User-Agent", "phone/1"),
            ("History-Info", HISTORY),
        ]
        if asserted:
            lines.append(("P-Asserted-Identity", "<sip:%s@%s>" % (caller, DOMAIN)))
        if gsid:
            lines.append(("Av-Global-Session-ID", gsid))
        return self.sm.request("INVITE", "sip:%s@%s" % (dialled, DOMAIN), lines + list(headers),
                               sip_peer.sdp() if body is None else body, to=self.cm)

    def downstream(self, upstream, timeout=2.0):
        """The INVITE that cm sends on for one that it got (it has another Call-ID)."""
        return self.sm.expect("INVITE", timeout, lambda m: m.call_id != upstream.call_id)

    def ack(self, upstream, answer, body=b"", cseq=None):
        """The caller's ACK of a 2xx, through sm."""
        lines = [("Via", self.sm.via()), ("Max-Forwards", "70"), ("From", upstream.get("From")),
                 ("To", answer.get("To")), ("Call-ID", upstream.call_id),
                 ("CSeq", "%d ACK" % (cseq or upstream.cseq))]
        return self.sm.request("ACK", answer.addr("Contact"), lines, body, to=self.cm)

    def in_dialog(self, method, upstream, answer, cseq, body=b"", headers=()):
        """A request from the caller's side inside the dialog."""
        lines = [("From", upstream.get("From")), ("To", answer.get("To")),
                 ("Call-ID", upstream.call_id), ("CSeq", "%d %s" % (cseq, method)),
                 ("Contact", "<sip:3001@%s>" % self.sm.hostport)]
        return self.sm.request(method, answer.addr("Contact"), lines + list(headers), body, to=self.cm)

    def in_dialog_down(self, method, down, to_tag, cseq, body=b"", headers=()):
        """A request from the callee's side inside the dialog."""
        lines = [("From", down.get("To") + ";tag=" + to_tag), ("To", down.get("From")),
                 ("Call-ID", down.call_id), ("CSeq", "%d %s" % (cseq, method)),
                 ("Contact", "<sip:3002@%s>" % self.sm.hostport)]
        return self.sm.request(method, down.addr("Contact"), lines + list(headers), body, to=self.cm)

    def talk(self, phase="imsorig", **kw):
        """A call up to talking: (INVITE up, its 200, INVITE down, tag of the callee)."""
        up = self.invite(phase, **kw)
        down = self.downstream(up)
        self.sm.answer(down, 180, "Ringing", "callee")
        self.sm.expect((180, "INVITE"), where=lambda m: m.call_id == up.call_id)
        self.sm.answer(down, 200, "OK", "callee", body=sip_peer.sdp(port=5000))
        answer = self.sm.expect((200, "INVITE"), where=lambda m: m.call_id == up.call_id)
        self.ack(up, answer)
        self.sm.expect("ACK", where=lambda m: m.call_id == down.call_id)
        return up, answer, down, "callee"

    def hang_up(self, up, answer, down):
        bye = self.in_dialog("BYE", up, answer, up.cseq + 100)
        self.sm.expect((200, "BYE"), where=lambda m: m.call_id == up.call_id)
        self.sm.answer(self.sm.expect("BYE", where=lambda m: m.call_id == down.call_id), 200, "OK")
        return bye


@contextlib.contextmanager
def bench(*settings, edit=None, database=None):
    """A fresh aura-cm and the peer that plays sm. Whatever the test is about, cm's descriptions have one origin."""
    cm_port = ports.free_port()
    sm = sip_peer.Peer()
    document = config(sm.port, cm_port)
    if edit:
        edit(document)
    with standalone.Server("aura-cm", document, "127.0.0.1:%d" % cm_port, settings, database) as server:
        sm.peer = ("127.0.0.1", cm_port)
        try:
            yield Bench(server, sm, cm_port)
            one_origin.check(message for _, way, message in sm.log if way == "<")
        except BaseException:
            for at, way, message in sm.log[-30:]:
                print("%.3f %s %s\n" % (at, way, message))
            raise
        finally:
            sm.close()
