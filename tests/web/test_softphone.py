#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
"""The console's softphone without guests: tabs of a browser register over wss://HOST:PORT/sip, which auraboxd relays to
a real sm, and call one another and a real telephone (baresip: DTLS-SRTP and ICE); what each hears is measured."""
import os
import shutil
import sys
import tempfile

from loopback import alone, play

alone()
from beside import let_in  # noqa: E402  (found by the paths of loopback)
from daemon import Daemon  # noqa: E402
from plane import plane  # noqa: E402
from test_sip_relay import certificate  # noqa: E402


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
    folder = tempfile.mkdtemp(prefix="aura-softphone-")
    os.chmod(folder, 0o711)
    try:
        with Daemon(uc__sm="unix:" + folder + "/sm.sock", uc__cm="unix:" + folder + "/cm.sock",
                    uc__sm_websocket="127.0.0.1:5443") as d, plane(settings=certificate(d, folder)) as p:
            sm = SessionManager(folder, p)
            let_in(p.cm)
            os.symlink(p.cm.management, folder + "/cm.sock")
            play(d, {"stop_sm": sm.stop, "start_sm": sm.start, "registrations": sm.registrations}, "softphone")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
