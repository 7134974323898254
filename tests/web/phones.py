#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real phones (baresip) that stay between the steps of a browser test: one JSON command a line, one answer each.

{"do": "register", "handle", "password", "tone"}; {"do": "dial", "caller", "callee"} (answered at once);
{"do": "hang-up", "handle"}; {"do": "unregister", "handle"}. Ends with its input."""
import json
import os
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.dont_write_bytecode = True
sys.path.insert(0, TOP + "/packaging")
import softphone  # noqa: E402  (the path is set just above)

SERVER, HOST, DOMAIN = "10.77.0.11", "10.77.0.1", "aurabox.internal"


def obey(phones, folder, do, **what):
    if do == "register":
        phone = softphone.Phone("%s/%s" % (folder, what["handle"]), what["handle"], what["password"], DOMAIN, SERVER,
                                address=HOST, tone=what.get("tone", 440))
        phones[what["handle"]] = phone.start()
        phone.wait_registered(20)
    elif do == "dial":
        caller, callee = phones[what["caller"]], phones[what["callee"]]
        caller.events.clear()
        callee.events.clear()
        caller.dial(callee.uri)
        caller.wait("the call's answer", 15, "CALL_ESTABLISHED")
    elif do == "hang-up":
        phones[what["handle"]].hang_up()
        phones[what["handle"]].wait("the call's end", 10, "CALL_CLOSED")
    elif do == "unregister":
        phones.pop(what["handle"]).stop()
    else:
        raise ValueError(do)


def main():
    phones = {}
    with tempfile.TemporaryDirectory(prefix="aurabox-phones-") as folder:
        try:
            for line in sys.stdin:
                obey(phones, folder, **json.loads(line))
                print(json.dumps(True), flush=True)
        finally:
            for phone in phones.values():
                phone.stop()
    return 0


if __name__ == "__main__":
    os.setpgrp()  # nothing that is meant for the browser's half ends a call
    sys.exit(main())
