# SPDX-License-Identifier: Apache-2.0
"""standalone - one call server run alone, as DESIGN section 9 has it: `PROG --standalone CONFIG.json`."""

import http.client
import json
import os
import select
import signal
import socket
import subprocess
import tempfile
import time


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=5)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Server:
    """A running server; use it with `with`. What it wrote is in self.log."""

    def __init__(self, program, config, listen, settings=(), database=None):
        self.folder = tempfile.mkdtemp(prefix="aura-")
        self.management = self.folder + "/management.sock"
        path = self.folder + "/config.json"
        with open(path, "w", encoding="utf-8") as f:
            json.dump(config, f)
        self.argv = [os.path.join(os.environ.get("AURA_BIN", "build/dev/bin"), program),
                     "--standalone", path, "--management", self.management,
                     "--set", "sip.listen=" + listen]
        if database:
            self.argv += ["--set", "node.database=" + database]
        for setting in settings:
            self.argv += ["--set", setting]
        self.process = None
        self.start()

    def start(self, timeout=20.0):
        self.log = open(self.folder + "/log", "ab")
        self.process = subprocess.Popen(self.argv, stdout=subprocess.PIPE, stderr=self.log)
        end = time.monotonic() + timeout
        said = b""
        while b"ready" not in said:
            left = end - time.monotonic()
            if left <= 0 or self.process.poll() is not None:
                # The end of its log is part of the message, because that is what remains of a run elsewhere.
                raise AssertionError("%s did not become ready (exit status %s): %s" % (
                    self.argv[0], self.process.poll(), self.tail(1500)))
            if select.select([self.process.stdout], [], [], left)[0]:
                said += os.read(self.process.stdout.fileno(), 100)

    def stop(self, signo=signal.SIGTERM):
        """End it; the exit status, which after SIGTERM must be 0."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signo)
        try:
            status = self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self.process.stdout.close()
        self.log.close()
        self.process = None
        return status

    def tail(self, characters):
        with open(self.folder + "/log", "r", encoding="utf-8", errors="replace") as f:
            return f.read()[-characters:]

    def show_log(self):
        print(self.tail(6000), flush=True)

    def get(self, path):
        """Body of a management resource as JSON."""
        connection = _UnixConnection(self.management)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == 200, "%s: %d %r" % (path, answer.status, body)
            return json.loads(body) if answer.getheader("Content-Type", "").endswith("json") else body
        finally:
            connection.close()

    def post(self, path, body, status=200):
        """Answer of a management resource to a JSON body."""
        connection = _UnixConnection(self.management)
        try:
            connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
            assert answer.status == status, "%s: %d %r" % (path, answer.status, text)
            return json.loads(text)
        finally:
            connection.close()

    def items(self, path):
        return self.get(path)["items"]

    def wait_items(self, path, count, timeout=5.0):
        """The items once there are that many."""
        end = time.monotonic() + timeout
        while True:
            items = self.items(path)
            if len(items) == count:
                return items
            if time.monotonic() > end:
                raise AssertionError("%s: expected %d items, have %r" % (path, count, items))
            time.sleep(0.02)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        status = self.stop()
        if kind is not None:
            self.show_log()
        elif status != 0:
            with open(self.folder + "/log", "r", encoding="utf-8", errors="replace") as f:
                print(f.read()[-6000:], flush=True)
            raise AssertionError("%s ended with status %d" % (self.argv[0], status))
        subprocess.run(["rm", "-rf", self.folder], check=False)


def run(tests):
    """Run functions one after another; every failure is shown, the exit status says if there was one."""
    import sys
    import traceback
    only = sys.argv[1:]
    failed = 0
    for test in tests:
        if only and test.__name__ not in only:
            continue
        began = time.monotonic()
        try:
            test()
            print("ok   %s %.1f" % (test.__name__, time.monotonic() - began), flush=True)
        except Exception:  # a test's failure of any kind must not hide the others
            failed += 1
            print("FAIL %s" % test.__name__, flush=True)
            traceback.print_exc(file=sys.stdout)
    sys.exit(1 if failed else 0)
