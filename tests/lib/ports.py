# SPDX-License-Identifier: Apache-2.0
"""ports - which port a program under test may listen on."""

import itertools
import random
import socket

# Below what Linux gives to sockets that name no port (ip_local_port_range, 32768 and up): such a socket, opened
# before the program binds its own, would otherwise now and then get the very port that was just found free.
FIRST, COUNT = 20000, 10000
_next = itertools.count(random.randrange(COUNT // 2) * 2, 2)


def free_port():
    """A port of loopback that is free for UDP and TCP; the one above it (TLS) is not given to anybody else."""
    for _ in range(COUNT // 2):
        port = FIRST + next(_next) % COUNT
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp, \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            try:
                tcp.bind(("127.0.0.1", port))
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free between %d and %d" % (FIRST, FIRST + COUNT))
