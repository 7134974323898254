# SPDX-License-Identifier: Apache-2.0
"""The whole appliance as quickstart makes it, in a box of its own (box.py): for the system tests."""
import json
import os
import subprocess
import sys
import time

from box import SOURCE, Box, wait_until

COMPONENTS = ("smgr", "sm", "cm", "presence")
SM = "10.77.0.11"
HOST = "10.77.0.1"
DOMAIN = "aurabox.internal"
OURS = ("/run/aurabox", "/var/lib/aurabox", "/etc/aurabox", "/var/log/aurabox")


class Appliance(Box):
    """with Appliance("calls") as a: a.quickstart(); a.demo_call("3001", "3002") ..."""

    def __init__(self, name):
        super().__init__(name, bin_dir=os.environ.get("AURA_RELEASE_BIN"))
        self.root = self.dir + "/root"
        self.answered = 0  # demo calls; each becomes a record a moment after it ended

    def place(self, path):
        if any(path == own or path.startswith(own + "/") for own in OURS):
            return self.root + path
        return super().place(path)

    def quickstart(self, *options, check=True):
        done = self.run([SOURCE + "/packaging/quickstart", "--offline", "--root", self.root, *options],
                        check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        print(done.stdout, flush=True)
        if check and done.returncode != 0:
            raise AssertionError("quickstart %s ended with %d" % (options, done.returncode))
        return done

    def log(self, key="auraboxd"):
        path = self.place("/var/log/aurabox/%s.log" % key)
        if not os.path.exists(path):
            return super().log(key)
        with open(path, encoding="utf-8", errors="replace") as source:
            return source.read()

    def tell(self):
        super().tell()
        folder = self.place("/var/log/aurabox")
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
            sys.stderr.write("--- %s\n%s" % (name, "".join(self.log(name[:-4]).splitlines(True)[-60:])))

    def daemon_pid(self):
        with open(self.place("/run/aurabox/auraboxd.pid"), encoding="ascii") as source:
            return int(source.read())

    def items(self, path):
        reply = self.api("GET", "/api/v1" + path)
        assert reply.status == 200, reply
        return reply.json["items"]

    def must(self, method, path, body=None, status=(200, 201, 202, 204)):
        reply = self.api(method, "/api/v1" + path, body)
        assert reply.status in status, reply
        return reply

    def act(self, vm, action, seconds=120):
        task = self.task(self.must("POST", "/vms/%s/actions/%s" % (vm, action)), seconds)
        assert task["state"] == "succeeded", task
        return task

    def wait_all_ready(self, seconds=120):
        for name in COMPONENTS:
            self.wait_ready(name, seconds)

    def password(self, handle):
        with open(self.place("/var/lib/aurabox/demo-users"), encoding="ascii") as source:
            return dict(line.split() for line in source)[handle]

    def demo_call(self, caller="3001", callee="3002", seconds=2, check=True):
        done = self.run([SOURCE + "/packaging/demo-call", caller, callee, "--root", self.root,
                         "--seconds", str(seconds)], check=False, stdout=subprocess.PIPE,
                        stderr=subprocess.STDOUT, text=True)
        print(done.stdout, flush=True)
        if check and done.returncode != 0:
            raise AssertionError("demo-call %s %s failed: %s" % (caller, callee, done.stdout))
        self.answered += done.returncode == 0
        return done

    def sipp_calls(self, caller, callee, calls, rate):
        done = self.run([sys.executable, SOURCE + "/tests/lib/sipp_calls.py", SM, HOST, DOMAIN, ":".join(caller),
                         ":".join(callee), str(calls), str(rate)], check=False,
                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert done.returncode == 0, done.stdout

    def phones_while_cm_dies(self, caller, callee):
        return subprocess.Popen(self.enter(
            [sys.executable, SOURCE + "/tests/lib/dead_cm.py", SM, HOST, DOMAIN, ":".join(caller),
             ":".join(callee)]), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def add_user(self, handle, password):
        self.must("POST", "/uc/users", {"handle": handle, "name": "User " + handle, "password": password,
                                        "station": {"extension": handle}})

    def registers(self, handle, password, seconds=5.0):
        """Try to register until it works; how long it took."""
        script = ("import sys; sys.path.insert(0, %r); import sip_phone as p\n"
                  "phone = p.Phone(%r, %r, domain=%r, transport='udp', server=(%r, 5060), local=(%r, 0))\n"
                  "print(phone.register().status); phone.close()"
                  % (SOURCE + "/tests/lib", handle, password, DOMAIN, SM, HOST))
        began = time.monotonic()

        def question():
            done = self.run([sys.executable, "-c", script], check=False, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)
            return done.stdout.strip().endswith("200")
        wait_until("registration of " + handle, seconds, question, pause=0.2)
        return time.monotonic() - began

    def cdr(self, count, seconds=10):
        """At least so many call records, newest first; the two halves of a call may come one after the other."""
        def question():
            items = self.items("/uc/cdr?limit=500")
            return len(items) >= count and all(len(i["halves"]) == 2 for i in items) and items
        return wait_until("%d call records" % count, seconds, question, pause=0.3)


def show(title, value):
    print("%s: %s" % (title, value if isinstance(value, str) else json.dumps(value)), flush=True)
