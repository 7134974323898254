#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 420
# beside: others
"""Routing in a browser, without guests: an administrator's rows in a real database, followed by a real sm, whose links
and whose own word of where a call would go are what the pages show; the whole as a document; many people from a file."""
import os
import shutil
import sys
import tempfile
import threading

from loopback import alone, play

alone()
from daemon import Daemon, wait_for  # noqa: E402  (found by the paths of loopback)
from sip_peer import Peer  # noqa: E402
from session_manager import SessionManager  # noqa: E402
from smgr import Smgr  # noqa: E402

PORT = 5090


class Carrier:
    """The other end of a trunk: answers OPTIONS as long as it is there."""

    def __init__(self):
        self.peer = Peer(port=PORT)
        self.over = False
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        while not self.over:
            message = self.peer.receive(0.2)
            if message is not None and message.is_request and message.method == "OPTIONS":
                self.peer.answer(message, 200, "OK", to_tag="carrier")

    def close(self):
        self.over = True
        self.thread.join()
        self.peer.close()


def main():
    folder = tempfile.mkdtemp(prefix="aura-web-", dir="/var/tmp")
    os.chmod(folder, 0o711)
    carrier = Carrier()
    try:
        with Daemon(uc__sm="unix:" + folder + "/sm.sock") as d, Smgr(d) as smgr:
            wait_for(lambda: d.root.get("/uc/users").status == 200, 30, "the database")
            answer = d.root.post("/uc/users", {"handle": "3001", "name": "Ada", "password": "secret-3001-3001"})
            assert answer.status == 201, answer
            sm = SessionManager(folder, smgr)
            try:
                play(d, {}, "routing", "transfer", "many", seconds=380)
            finally:
                sm.close()
    finally:
        carrier.close()
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
