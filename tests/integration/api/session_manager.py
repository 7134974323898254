# SPDX-License-Identifier: Apache-2.0
"""A session manager outside a guest: it follows smgr's rows, and auraboxd may ask it."""
import os
import select
import subprocess
import tempfile

from daemon import BIN


class SessionManager:
    """aura-sm that follows smgr, outside a guest; auraboxd may ask it."""

    def __init__(self, folder, smgr, settings=()):
        self.socket = folder + "/sm.sock"
        self.log = open(folder + "/sm.log", "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [BIN + "/aura-sm", "--management", self.socket, "--set", "sip.listen=127.0.0.1:5060",
             "--set", "node.smgr=" + smgr.cluster.url_as("aura_sm"), "--set", "node.database=" + folder + "/sm.db",
             *(word for each in settings for word in ("--set", each))],
            stdout=subprocess.PIPE, stderr=self.log)
        ready = select.select([self.process.stdout], [], [], 20)[0]
        assert ready and self.process.stdout.readline() == b"ready\n", self.said()
        os.chmod(self.socket, 0o666)

    def said(self):
        self.log.seek(0)
        return self.log.read()[-6000:]

    def close(self):
        self.process.terminate()
        status = self.process.wait(20)
        self.process.stdout.close()
        said = self.said()
        self.log.close()
        assert status == 0, (status, said)


def folder_for():
    """A folder that the daemon's own user may enter: Daemon(uc__sm="unix:FOLDER/sm.sock")."""
    folder = tempfile.mkdtemp(prefix="aura-sm-", dir="/var/tmp")
    os.chmod(folder, 0o711)
    return folder
