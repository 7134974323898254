# SPDX-License-Identifier: Apache-2.0
"""A caller and a callee while cm's guest dies; run as a program inside a box's namespace.

dead_cm.py SERVER LOCAL DOMAIN CALLER:PASSWORD CALLEE:PASSWORD: prints "ringing" when a call rings, waits
for a line on its input (cm is killed then), and prints one JSON object: when the ringing call was
answered and how, and the same for three calls made after that."""
import json
import sys
import time

from sip_phone import Phone


def settle(call, seconds):
    final = call.expect(*range(200, 700), timeout=seconds)
    return final


def main(argv):
    server, local, domain = argv[:3]
    caller, callee = (Phone(*u.split(":", 1), domain=domain, transport="udp", server=(server, 5060),
                            local=(local, 0)) for u in argv[3:])
    for phone in (caller, callee):
        assert phone.register().status == 200
    call = caller.invite(callee.user)
    callee.incoming(timeout=10).ring()
    call.expect(180, timeout=10)
    print("ringing", flush=True)
    sys.stdin.readline()
    killed = time.monotonic()
    final = settle(call, 10)
    told = {"in_flight": {"status": final.status, "after_s": final.at - killed}, "later": []}
    for _ in range(3):
        call = caller.invite(callee.user)
        final = settle(call, 5)
        told["later"].append({"status": final.status, "after_s": final.at - call.invite.at,
                              "retry_after": final.get("Retry-After")})
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
