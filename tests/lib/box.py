# SPDX-License-Identifier: Apache-2.0
"""A machine of its own for a test: network and mount namespace, private libvirtd, aurabox-priv, auraboxd.

Nothing of the host's libvirt, bridges or state is touched: the namespace is called aura-NAME, and the
folders of libvirt and Aurabox are bind mounts from a temporary folder."""
import ctypes
import http.client
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

LIB = os.path.dirname(os.path.realpath(__file__))
SOURCE = os.path.dirname(os.path.dirname(LIB))
PR_SET_CHILD_SUBREAPER = 36
# libvirt's and our folders: all of them private to the box
PRIVATE = ("run/libvirt", "var/lib/libvirt", "var/cache/libvirt", "etc/libvirt", "var/log/libvirt",
           "run/aurabox", "var/lib/aurabox", "etc/aurabox",
           "run/lock")  # libvirt locks a guest's channel there by a path that two boxes would share
# /dev/kvm may be there and unusable (then the capability cache would be built anew at each define), and
# cgroups are not visible below `ip netns exec`: QEMU runs as root and without controllers, in tests only.
QEMU_CONF = """user = "root"
group = "root"
cgroup_controllers = [ ]
namespaces = [ ]
stdio_handler = "logd"
"""
LIBVIRTD_CONF = """auth_unix_rw = "none"
auth_unix_ro = "none"
unix_sock_group = "libvirt"
unix_sock_rw_perms = "0770"
log_filters = "3:qemu 3:libvirt"
"""


class BoxError(Exception):
    """Something of the box did not come up or answer; says what and where to look."""


class Unix(http.client.HTTPConnection):
    """HTTP over auraboxd's local socket."""

    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:600]!r}"


def wait_until(what, seconds, question, pause=0.1):
    """The first true answer; BoxError when none came in time."""
    end = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > end:
            raise BoxError(f"{what}: not within {seconds} s")
        time.sleep(pause)


def ensure_user():
    try:
        pwd.getpwnam("aurabox")
    except KeyError:
        subprocess.run(["useradd", "--system", "--user-group", "--no-create-home", "--shell",
                        "/usr/sbin/nologin", "--groups", "libvirt,kvm", "aurabox"], check=True)


class Box:
    """with Box("life") as box: box.start(); box.api("GET", "/api/v1/vms") ..."""

    def __init__(self, name, bin_dir=None, images=None, folder=None, options=(),
                 libvirt=True):
        self.name = f"aura-{name}-{os.getpid()}"
        self.bin = bin_dir or os.environ.get("AURA_BIN") or f"{SOURCE}/build/dev/bin"
        self.images = images or os.environ.get("AURA_IMAGES") or f"{SOURCE}/build/images"
        self.keep = os.environ.get("AURA_KEEP")
        self.dir = folder or tempfile.mkdtemp(prefix=f"{self.name}-", dir="/var/tmp")
        self.options = list(options)
        self.libvirt = libvirt
        self.holder = None
        self.processes = {}
        self.marks = {}  # how much of each log was there when its daemon was started
        os.chmod(self.dir, 0o755)

    # -- namespace ---------------------------------------------------------------------------

    def __enter__(self):
        ensure_user()
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))
        try:
            self._namespace()
            if self.libvirt:
                self._libvirt()
        except BaseException:
            if self.holder:
                self.tell()
            self.close()
            raise
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            self.tell()
        self.close()

    def place(self, path):
        """Where a private path of the box lies for us outside: place('/var/lib/aurabox/box.db')."""
        for private in PRIVATE:
            if path == "/" + private or path.startswith("/" + private + "/"):
                return f"{self.dir}/{private.replace('/', '-')}{path[len(private) + 1:]}"
        return path

    def _namespace(self):
        # daemons that outlive their parent become ours, not PID 1's, and are ended by us
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        mounts = ["mount --make-rprivate /"]
        for private in PRIVATE:
            here = f"{self.dir}/{private.replace('/', '-')}"
            os.makedirs(here, exist_ok=True)
            os.makedirs(f"/{private}", exist_ok=True)
            mounts.append(f"mount --bind '{here}' '/{private}'")
        script = " && ".join(mounts) + " && echo up && exec sleep infinity"
        self.holder = subprocess.Popen(
            ["ip", "netns", "exec", self.name, "unshare", "-m", "sh", "-c", script],
            stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        if self.holder.stdout.readline().strip() != "up":
            raise BoxError("the namespace could not be made")
        self.run(["ip", "link", "set", "lo", "up"])

    def enter(self, argv):
        return ["nsenter", "-t", str(self.holder.pid), "-n", "-m", "--", *argv]

    def run(self, argv, check=True, **more):
        more.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run(self.enter(argv), check=check, **more)

    def output(self, argv, **more):
        return self.run(argv, stdout=subprocess.PIPE, text=True, **more).stdout

    def spawn(self, key, argv, **more):
        """Start a daemon in the box; its output goes to LOG/KEY.log."""
        log = open(f"{self.dir}/{key}.log", "ab")
        process = subprocess.Popen(self.enter(argv), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   **more)
        log.close()
        self.processes[key] = process
        return process

    def _libvirt(self):
        etc = self.place("/etc/libvirt")
        for name, text in (("qemu.conf", QEMU_CONF), ("libvirtd.conf", LIBVIRTD_CONF),
                           ("virtlogd.conf", "max_size = 262144\nmax_backups = 3\n")):
            with open(f"{etc}/{name}", "w", encoding="ascii") as out:
                out.write(text)
        for path in ("/var/lib/libvirt", "/var/cache/libvirt", "/var/log/libvirt"):
            os.chmod(self.place(path), 0o755)
        # the pid files' default places are outside the private folders
        self.spawn("virtlogd", ["virtlogd", "-p", "/run/libvirt/virtlogd.pid"])
        self.libvirtd_start()

    def libvirtd_start(self):
        self.spawn("libvirtd", [sys.executable, f"{LIB}/reaper.py", "libvirtd", "-p",
                                "/run/libvirt/libvirtd.pid"])
        wait_until("libvirtd", 30, lambda: self.run(
            ["virsh", "-q", "version"], check=False, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL).returncode == 0)

    def virsh(self, *argv, check=True):
        return self.run(["virsh", "-q", *argv], check=check, stdout=subprocess.PIPE,
                        stderr=subprocess.STDOUT, text=True).stdout.strip()

    def domains(self, active=False):
        return [line for line in self.virsh("list", "--name", *([] if active else ["--all"])
                                            ).splitlines() if line]

    def qemu_pid(self, vm):
        with open(self.place(f"/run/libvirt/qemu/aurabox-{vm}.pid"), encoding="ascii") as source:
            return int(source.read())

    # -- the appliance -------------------------------------------------------------------------

    def settings(self):
        found = ["--set", f"images.dir={self.images}"]
        for option in self.options:
            found += ["--set", option]
        return found

    def _ready(self, key, process, seconds):
        def question():
            if process.poll() is not None:
                raise BoxError(f"{key} ended with {process.returncode}; see {self.dir}/{key}.log")
            with open(f"{self.dir}/{key}.log", "rb") as source:
                source.seek(start)
                return b"ready\n" in source.read()
        start = self.marks.get(key, 0)
        wait_until(key, seconds, question)
        self.marks[key] = os.path.getsize(f"{self.dir}/{key}.log")

    def start_priv(self):
        process = self.spawn("priv", [f"{self.bin}/aurabox-priv", *self.settings()])
        self._ready("priv", process, 10)

    def start_daemon(self, seconds=60):
        process = self.spawn("auraboxd", [f"{self.bin}/auraboxd", *self.settings()])
        self._ready("auraboxd", process, seconds)
        return process

    def start(self):
        self.marks = {}
        self.start_priv()
        return self.start_daemon()

    def stop_daemon(self, number=signal.SIGTERM, seconds=30):
        process = self.processes.pop("auraboxd")
        process.send_signal(number)
        process.wait(seconds)
        self.marks["auraboxd"] = os.path.getsize(f"{self.dir}/auraboxd.log")
        return process.returncode

    def log(self, key="auraboxd"):
        with open(f"{self.dir}/{key}.log", encoding="utf-8", errors="replace") as source:
            return source.read()

    def api(self, method, path, body=None, headers=None, timeout=30):
        connection = Unix(self.place("/run/aurabox/api.sock"), timeout)
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Content-Type": "application/json"} if data is not None else {}
        sent.update(headers or {})
        try:
            connection.request(method, path, data, sent)
            reply = connection.getresponse()
            return Reply(reply.status, reply.headers, reply.read())
        finally:
            connection.close()

    def task(self, reply, seconds=120):
        """Wait for the task of a 202 and return it."""
        if reply.status != 202:
            raise BoxError(f"no task: {reply}")
        where = reply.headers["Location"]

        def question():
            task = self.api("GET", where).json
            return task["state"] in ("succeeded", "failed", "cancelled") and task
        return wait_until(f"task {where}", seconds, question)

    def deploy(self, template, seconds=120, **more):
        return self.task(self.api("POST", "/api/v1/vms", {"template": template, **more}), seconds)

    def vm(self, name):
        return self.api("GET", f"/api/v1/vms/{name}").json

    def wait_ready(self, name, seconds=90):
        return wait_until(f"{name} ready", seconds, lambda: self.vm(name).get("ready"))

    # -- end -------------------------------------------------------------------------------------

    def tell(self):
        """After a failure: the ends of the logs, auraboxd's last."""
        logs = self.place("/var/lib/aurabox/logs")
        for key in sorted(os.listdir(logs)) if os.path.isdir(logs) else ():
            print(f"--- console {key}", file=sys.stderr)
            with open(f"{logs}/{key}", encoding="utf-8", errors="replace") as source:
                sys.stderr.write("".join(source.readlines()[-40:]))
        for key in sorted(os.listdir(self.dir), key=lambda name: (name == "auraboxd.log", name)):
            if key.endswith(".log"):
                print(f"--- {key}", file=sys.stderr)
                sys.stderr.write("".join(self.log(key[:-4]).splitlines(True)[-60:]))

    def pids(self):
        found = subprocess.run(["ip", "netns", "pids", self.name], stdout=subprocess.PIPE, text=True,
                               check=False).stdout.split()
        return [int(p) for p in found]

    def close(self):
        """End every process of the namespace, then the namespace; remove the folder unless AURA_KEEP."""
        if self.holder is None:
            return
        daemon = self.processes.get("auraboxd")
        if daemon and daemon.poll() is None:
            daemon.terminate()
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                pass
        for _ in range(50):
            pids = [p for p in self.pids() if p != self.holder.pid]
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            if not pids:
                break
            self._reap()
            time.sleep(0.05)
        self.holder.kill()
        self.holder.wait()
        self.holder = None
        self._reap()
        subprocess.run(["ip", "netns", "delete", self.name], check=False)
        if not self.keep:
            shutil.rmtree(self.dir, ignore_errors=True)

    def _reap(self):
        for process in self.processes.values():
            process.poll()
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass
