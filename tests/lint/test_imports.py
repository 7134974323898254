#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The import rule of daemon/README.md, checked on the #include lines."""
import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LAYER = {"base": 0, "net": 1, "codec": 1, "http": 2, "store": 2, "stack": 2, "node": 2.5,
         "control": 3, "priv": 3, "sm": 3, "cm": 3, "presence": 3, "agent": 3, "cli": 3}
ALSO = {"codec": {"base"}}      # a narrower rule than the layers give
OWNER = {                       # third-party header -> the rooms that may name it
    r"openssl/": {"net"}, r"curl/": {"net"}, r"unbound\.h": {"net"}, r"wslay/": {"net"},
    r"libxml/": {"codec"}, r"pcre2\.h": {"node"}, r"jansson\.h": {"base"},
    r"microhttpd\.h": {"http"}, r"zlib\.h": {"http"}, r"libpq-fe\.h": {"store"}, r"sqlite3\.h": {"store"},
    r"libvirt/": {"control/vm"}}
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)


def room_of(path):
    return path.split("/")[0]


def faults_of(path, text):
    """path is relative to daemon/."""
    mine = room_of(path)
    for kind, target in INCLUDE.findall(text):
        if kind == '"':
            theirs = room_of(target)
            if "/" not in target:
                if not os.path.exists("%s/daemon/%s/%s" % (TOP, os.path.dirname(path), target)):
                    yield "%s includes \"%s\": write includes from daemon/" % (path, target)
                continue
            if theirs not in LAYER:
                yield "%s includes \"%s\", which is no room" % (path, target)
            elif theirs != mine and not (LAYER[theirs] < LAYER[mine]):
                yield "%s (%s) may not include %s" % (path, mine, target)
            elif theirs != mine and mine in ALSO and theirs not in ALSO[mine]:
                yield "%s: %s sees base alone, not %s" % (path, mine, target)
            elif target.startswith("control/api/") and not path.startswith("control/api/") and \
                    path.count("/") > 1:
                yield "%s: nothing in control/ calls api/" % path
        else:
            for pattern, rooms in OWNER.items():
                if re.match(pattern, target) and not any(path.startswith(r + "/") for r in rooms):
                    yield "%s includes <%s>, which belongs to %s" % (path, target, "/".join(rooms))


def main():
    faults, files = [], 0
    for folder, _, names in os.walk(TOP + "/daemon"):
        for name in sorted(names):
            if name.endswith((".c", ".h", ".def")):
                full = folder + "/" + name
                with open(full, encoding="utf-8") as f:
                    faults += faults_of(os.path.relpath(full, TOP + "/daemon"), f.read())
                files += 1
    # The checker itself must see a breach.
    assert list(faults_of("codec/sip/x.c", '#include "net/addr.h"\n'))
    assert list(faults_of("sm/x.c", '#include <openssl/ssl.h>\n'))
    print("%d files" % files)
    for fault in faults:
        print(fault)
    return 1 if faults or files == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
