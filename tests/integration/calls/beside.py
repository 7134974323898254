# SPDX-License-Identifier: Apache-2.0
"""auraboxd beside a call plane: it asks sm and cm over their unix sockets."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "api"))
from daemon import Daemon  # noqa: E402


def let_in(server):
    """auraboxd runs as its own user; the management socket is its owner's alone."""
    os.chmod(server.folder, 0o711)
    os.chmod(server.management, 0o666)


def box_beside(p):
    settings = {}
    for name, server in (("sm", p.sm), ("cm", p.cm), ("presence", p.presence)):
        if server:
            let_in(server)
            settings["uc__" + name] = "unix:" + server.management
    return Daemon(**settings)
