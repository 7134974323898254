# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL of the test's own (made by store/pg_cluster), psql, and control/uc as a tool."""
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

TOP = os.environ.get("AURA_TOP") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ.get("AURA_BIN") or os.path.join(TOP, "build", "dev", "bin")
TOOL = os.path.join(os.path.dirname(BIN), "tests", "uc_tool")
SQL = os.path.join(TOP, "sql", "uc")
USER = "postgres"
ENV = dict(os.environ, ASAN_OPTIONS="detect_leaks=1", LC_ALL="C.UTF-8")


class Cluster:
    """The cluster runs as USER; the test is root, which may be any role on the socket."""

    def __init__(self, database="uc"):
        self.dir = tempfile.mkdtemp(prefix="aura-pg-")
        os.chmod(self.dir, 0o711)
        self.database = database
        self.roles = ()
        self.start()

    def _tool(self, *more):
        return tool_raw("cluster", f"{self.dir}/db", f"{self.dir}/run", USER, self.database, *more)

    def start(self):
        answer = self._tool()
        assert "value" in answer, answer
        self.pid = answer["value"]["pid"]
        self.url = answer["value"]["url"]
        if self.roles:
            self.allow(*self.roles)

    def stop(self):
        assert "value" in self._tool("stop")

    def kill(self):
        """As a power cut would: the postmaster and its children at once."""
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.pid)], capture_output=True, text=True).stdout
        for pid in [self.pid] + [int(p) for p in children.split()]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.3)

    def allow(self, *roles):
        """Let root be these roles too: what certificates do in the guest. A start writes the file anew."""
        self.roles = roles
        with open(f"{self.dir}/db/pg_ident.conf", "a") as file:
            for role in roles:
                file.write(f"aurabox root {role}\n")
        self.psql("SELECT pg_reload_conf()", database="postgres")
        time.sleep(0.2)

    def url_as(self, role):
        return self.url.replace("user=aurabox", f"user={role}")

    def psql(self, sql, role="aurabox", database=None, check=True):
        done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", f"{self.dir}/run",
                               "-U", role, "-d", database or self.database, "-c", sql],
                              capture_output=True, text=True)
        if check and done.returncode != 0:
            raise AssertionError(done.stderr)
        return done.stdout.strip() if check else (done.returncode, done.stdout.strip(), done.stderr)

    def uc(self, verb, *args, role="aurabox", sql=SQL):
        return tool_raw(self.url_as(role), sql, verb, *[a if isinstance(a, str) else json.dumps(a) for a in args])

    def close(self):
        try:
            self.stop()
        finally:
            shutil.rmtree(self.dir, ignore_errors=True)


def tool_raw(*args, **env):
    done = subprocess.run([TOOL, *args], capture_output=True, text=True, env=dict(ENV, **env), timeout=120)
    if "Sanitizer" in done.stderr or not done.stdout:
        raise AssertionError(f"{args}: {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def eventually(check, seconds, what):
    """check() until it is true; returns how long that took."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if check():
            return time.monotonic() - began
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")
