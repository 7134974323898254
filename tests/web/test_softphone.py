#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
"""The console's softphone without guests: tabs of a browser register over wss://HOST:PORT/sip, which auraboxd relays to
a real sm, and call one another and a real telephone (baresip: DTLS-SRTP and ICE); what each hears is measured."""
import array
import os
import shutil
import sys
import tempfile
import wave

from loopback import TOP, alone, play

alone()
from beside import let_in  # noqa: E402  (found by the paths of loopback)
from daemon import Daemon  # noqa: E402
from plane import DOMAIN, password, plane  # noqa: E402
from test_real_phones import ADDRESS, make_interface  # noqa: E402
from test_sip_relay import certificate  # noqa: E402
sys.path.insert(0, TOP + "/packaging")
import softphone  # noqa: E402


class WebTelephone(softphone.Phone):
    """baresip as WebRTC wants it: DTLS-SRTP in the profile of browsers, ICE, one port for RTP and RTCP; answers by itself."""

    def __init__(self, folder, handle):
        super().__init__(folder, handle, password(handle), DOMAIN, "127.0.0.1", ADDRESS, transport="tcp", tone=1000)
        with open(folder + "/config", "a", encoding="utf-8") as f:
            f.write("module opus.so\nmodule srtp.so\nmodule dtls_srtp.so\nmodule ice.so\nrtcp_mux yes\nrtcp_enable yes\n")
        with open(folder + "/accounts", "r+", encoding="utf-8") as f:
            account = f.read().strip()
            f.seek(0)
            f.write(account + ";mediaenc=dtls_srtp;medianat=ice\n")

    def keys(self):
        """The keys that it was sent so far."""
        self._read(0.1)
        return "".join(e.get("param", "") for e in self.events if e.get("type") == "CALL_DTMF_START")

    def loudness(self):
        """Of the loudest that it heard in its last call."""
        with wave.open(softphone.recorded(self)) as w:
            samples = array.array("h", w.readframes(w.getnframes()))
        return max(map(abs, samples), default=0)


class SessionManager:
    """sm of a plane, which auraboxd finds at one place however often it is started."""

    def __init__(self, folder, p):
        self.server, self.link = p.sm, folder + "/sm.sock"
        let_in(self.server)
        os.symlink(self.server.management, self.link)

    def stop(self):
        assert self.server.stop() == 0

    def start(self):
        self.server.start()
        let_in(self.server)

    def registrations(self):
        return sorted((i["handle"], i["transport"]) for i in self.server.items("/v1/registrations"))


def main():
    make_interface()
    folder = tempfile.mkdtemp(prefix="aura-softphone-")
    os.chmod(folder, 0o711)
    try:
        with Daemon(uc__sm="unix:" + folder + "/sm.sock", uc__cm="unix:" + folder + "/cm.sock",
                    uc__sm_websocket="127.0.0.1:5443") as d, plane(settings=certificate(d, folder)) as p:
            sm = SessionManager(folder, p)
            let_in(p.cm)
            os.symlink(p.cm.management, folder + "/cm.sock")
            baresip = WebTelephone(folder + "/baresip", "3003")
            try:
                play(d, {"stop_sm": sm.stop, "start_sm": sm.start, "registrations": sm.registrations,
                         "start_baresip": lambda: baresip.start().wait_registered() and None,
                         "keys": baresip.keys, "loudness": baresip.loudness}, "softphone")
            finally:
                baresip.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
