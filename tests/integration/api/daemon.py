# SPDX-License-Identifier: Apache-2.0
"""auraboxd for the API tests: the real program on a cluster of its own, without libvirt and guests."""
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

TOP = os.environ.get("AURA_TOP") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(TOP, "tests", "lib"))
import ports  # noqa: E402

BIN = os.environ.get("AURA_BIN") or os.path.join(TOP, "build", "dev", "bin")
PASSWORD = "correct horse battery"


class Answer:
    """Status, headers and body of one answer."""

    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.raw = response.read()
        kind = self.headers.get("Content-Type", "")
        self.json = json.loads(self.raw) if "json" in kind and self.raw else None

    @property
    def code(self):
        return (self.json or {}).get("code")

    def __repr__(self):
        return "%d %s" % (self.status, self.raw[:400])


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Caller:
    """Somebody who calls the API: by session cookie, by token, by the local socket, or nobody."""

    def __init__(self, daemon, local=False, headers=None):
        self.daemon = daemon
        self.local = local
        self.headers = dict(headers or {})

    def connection(self):
        if self.local:
            return UnixConnection(self.daemon.socket)
        return http.client.HTTPSConnection("localhost", self.daemon.port, timeout=60,
                                           context=self.daemon.tls)

    def call(self, method, path, body=None, headers=None, raw=None):
        sent = dict(self.headers)
        if body is not None:
            raw = json.dumps(body).encode()
        if raw is not None:
            sent.setdefault("Content-Type",
                            "application/merge-patch+json" if method == "PATCH" else "application/json")
        sent.update(headers or {})
        sent = {k: v for k, v in sent.items() if v is not None}
        if not path.startswith("/api/") and path not in ("/healthz", "/metrics", "/sip") and path != "/":
            path = "/api/v1" + path
        connection = self.connection()
        try:
            connection.request(method, path, body=raw, headers=sent)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def get(self, path, **more):
        return self.call("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.call("POST", path, body, **more)

    def patch(self, path, body=None, etag=None, **more):
        return self.call("PATCH", path, body, headers={"If-Match": etag} if etag else None, **more)

    def delete(self, path, **more):
        return self.call("DELETE", path, **more)


class Daemon:
    """with Daemon() as d: d.root.get("/vms") ..."""

    def __init__(self, **settings):
        self.dir = tempfile.mkdtemp(prefix="aura-api-", dir="/var/tmp")
        os.chmod(self.dir, 0o711)
        self.settings = settings
        self.socket = self.dir + "/run/aurabox/api.sock"
        self.logfile = self.dir + "/auraboxd.log"
        self.process = None
        self.port = ports.free_port()

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.tell()
            self.__exit__(None, None, None)
            raise
        return self

    def arguments(self):
        settings = {"api.listen": "127.0.0.1:%d" % self.port,
                    "libvirt.uri": "qemu+unix:///system?socket=/nonexistent"}
        settings.update({k.replace("__", "."): v for k, v in self.settings.items()})
        out = [os.path.join(BIN, "auraboxd"), "--root", self.dir]
        for key, value in settings.items():
            out += ["--set", "%s=%s" % (key, value)]
        return out

    def start(self):
        env = dict(os.environ, ASAN_OPTIONS="detect_leaks=1:abort_on_error=0", LC_ALL="C.UTF-8")
        with open(self.logfile, "ab") as log:
            self.process = subprocess.Popen(self.arguments(), stdout=subprocess.PIPE, stderr=log, env=env)
        line = self.process.stdout.readline()
        assert line == b"ready\n", "auraboxd did not come up: %r" % line
        self.tls = ssl.create_default_context(cafile=self.dir + "/var/lib/aurabox/pki/ca.pem")
        self.root = Caller(self, local=True)
        self.nobody = Caller(self)

    def stop(self):
        """SIGTERM; the exit status, which ASan makes non-zero for what it found."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(60)
        self.process.stdout.close()
        self.process = None
        return status

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process = None

    def __exit__(self, kind, value, trace):
        status = self.stop() if self.process else 0
        if kind or status:
            self.tell()
        pid = self.dir + "/var/lib/aurabox/db/postmaster.pid"
        if os.path.exists(pid):
            with open(pid, encoding="ascii") as source:
                os.kill(int(source.readline()), signal.SIGINT)
            time.sleep(1)
        shutil.rmtree(self.dir, ignore_errors=True)
        assert kind or status == 0, "auraboxd ended with %d" % status

    def tell(self):
        if os.path.exists(self.logfile):
            with open(self.logfile, encoding="utf-8", errors="replace") as source:
                print("".join(source.readlines()[-80:]))

    def log(self):
        with open(self.logfile, encoding="utf-8", errors="replace") as source:
            return source.read()

    def login(self, name, password, **more):
        return self.nobody.post("/session", {"name": name, "password": password}, **more)

    def session(self, name, password=PASSWORD):
        """A caller with a session cookie and its CSRF token."""
        answer = self.login(name, password)
        assert answer.status == 200, answer
        return Caller(self, headers={"Cookie": answer.headers["Set-Cookie"].split(";")[0],
                                     "X-CSRF-Token": answer.json["csrf_token"]})

    def admin(self, name, role):
        """A new administrator with that role, logged in."""
        answer = self.root.post("/admins", {"name": name, "role": role, "password": PASSWORD})
        assert answer.status == 201, answer
        return self.session(name)

    def initial_password(self):
        with open(self.dir + "/var/lib/aurabox/initial-admin-password", encoding="ascii") as source:
            return source.read().strip()


def equal(got, want, what=""):
    assert got == want, "%s: got %r, want %r" % (what, got, want)


def wait_for(test, seconds=10, what="it"):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        value = test()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError("%s did not happen within %g s" % (what, seconds))


def run(tests, **settings):
    """Run functions that take a daemon, in order, on one daemon."""
    with Daemon(**settings) as daemon:
        for test in tests:
            print("-", test.__name__.replace("_", " "), flush=True)
            test(daemon)
