# SPDX-License-Identifier: Apache-2.0
"""One guest alone under TCG: starts QEMU on an image, is its box on the agent channel."""
import json
import os
import re
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time

TOP = os.environ.get("AURA_TOP") or os.path.realpath(f"{os.path.dirname(__file__)}/../../..")
sys.path.insert(0, f"{TOP}/tests/lib")
import ports  # noqa: E402

IMAGES = os.environ.get("AURA_IMAGES") or f"{TOP}/build/images"
ADDRESS = {"smgr": "10.77.0.10", "sm": "10.77.0.11", "cm": "10.77.0.12", "presence": "10.77.0.13"}
LIMIT_S = {"smgr": 15, "sm": 6, "cm": 6, "presence": 6}


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def openssl(*arguments, data=None):
    return subprocess.run(["openssl", *arguments], input=data, check=True, capture_output=True).stdout


class Authority:
    """The box's CA, by the openssl command; signs what guests ask for and makes client certificates."""

    def __init__(self, folder):
        self.folder = folder
        self.ca = f"{folder}/ca.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                "-subj", "/CN=Test CA", "-keyout", f"{folder}/ca-key.pem", "-out", self.ca,
                "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
        # Made now, so that a guest whose clock is a second behind already finds them valid.
        for name in ("auraboxd", "sm", "cm"):
            self.client(name)

    def sign(self, csr, name, address):
        extensions = f"{self.folder}/{name}.ext"
        with open(extensions, "w", encoding="ascii") as out:
            out.write(f"subjectAltName=DNS:{name}.aurabox.internal,IP:{address}\n"
                      "extendedKeyUsage=serverAuth,clientAuth\n")
        return openssl("x509", "-req", "-CA", self.ca, "-CAkey", f"{self.folder}/ca-key.pem", "-days", "30",
                       "-extfile", extensions, data=csr.encode()).decode()

    def client(self, name):
        """(certificate, key) files of a client with this common name."""
        key, cert = f"{self.folder}/{name}-client-key.pem", f"{self.folder}/{name}-client.pem"
        if not os.path.exists(cert):
            csr = openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                          "-subj", f"/CN={name}", "-keyout", key).decode()
            with open(cert, "w", encoding="ascii") as out:
                out.write(self.sign(csr, name, "10.77.0.1"))
            os.chmod(key, 0o600)
        return cert, key


class Guest:
    """A guest with its data disk; start() and kill() may be repeated on the same disk."""

    def __init__(self, name, authority, memory_mib=None, data_mib=1024):
        self.name = name
        self.authority = authority
        self.memory_mib = memory_mib or template(name)["memory_mib"]["default"]
        self.work = tempfile.mkdtemp(prefix=f"aura-guest-{name}-")
        self.disk = f"{self.work}/data.img"
        with open(self.disk, "wb") as out:
            out.truncate(data_mib << 20)
        self.process = None
        self.channel = None
        self.forward = {}
        self.seen = []
        self.certify = True
        self.config_override = None
        self.console = f"{self.work}/console.log"

    def start(self, cpus=2):
        address = ADDRESS[self.name]
        config = {"schema": 1, "name": self.name, "template": self.name,
                  "instance": "01890000-0000-7000-8000-000000000000", "domain": "aurabox.internal",
                  "interface": "eth0", "addresses": [f"{address}/24"], "gateway": "10.77.0.1", "advertise": "",
                  "peers": ADDRESS, "time": now(), "options": {}}
        with open(f"{self.work}/config.json", "w", encoding="ascii") as out:
            json.dump(self.config_override or config, out)
        self.forward = {port: ports.free_port() for port in (5432, 7443, 5060)}
        forwards = "".join(f",hostfwd=tcp:127.0.0.1:{local}-{address}:{port}"
                           for port, local in self.forward.items())
        image = f"{IMAGES}/{self.name}"
        socket_path = f"{self.work}/agent.sock"
        if os.path.exists(socket_path):
            os.unlink(socket_path)
        command = [
            "qemu-system-x86_64", "-machine", "q35,accel=tcg", "-nodefaults", "-no-user-config", "-display", "none",
            "-smp", str(cpus), "-m", str(self.memory_mib), "-no-reboot",
            "-kernel", f"{image}/vmlinuz", "-initrd", f"{image}/initrd",
            "-append", "console=ttyS0 quiet panic=-1", "-serial", f"file:{self.console}",
            "-drive", f"if=none,id=root,file={image}/root.squashfs,format=raw,readonly=on",
            "-device", "virtio-blk-pci,drive=root,serial=root",
            "-drive", f"if=none,id=data,file={self.disk},format=raw",
            "-device", "virtio-blk-pci,drive=data,serial=data",
            "-netdev", f"user,id=net,net=10.77.0.0/24,host=10.77.0.1{forwards}",
            "-device", "virtio-net-pci,netdev=net,romfile=", "-device", "virtio-rng-pci",
            "-device", "virtio-serial-pci",
            "-chardev", f"socket,id=agent,path={socket_path},server=on,wait=off",
            "-device", "virtserialport,chardev=agent,name=com.aurabox.agent.0",
            "-fw_cfg", f"name=opt/com.aurabox/config,file={self.work}/config.json"]
        self.seen = []
        self.began = time.monotonic()
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=open(f"{self.work}/qemu.log", "ab"))
        deadline = time.monotonic() + 10
        while True:
            self.channel = socket.socket(socket.AF_UNIX)
            try:
                self.channel.connect(socket_path)
                break
            except OSError:
                self.channel.close()
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(f"QEMU did not start: {self.log('qemu.log')}") from None
                time.sleep(0.02)
        self.buffer = b""
        self.send({"type": "hello"})

    def send(self, message):
        self.channel.sendall(json.dumps(message).encode() + b"\n")

    def messages(self, timeout):
        """Yield messages as they come until the time is over; answers certificate requests itself."""
        deadline = time.monotonic() + timeout
        while True:
            while b"\n" in self.buffer:
                line, self.buffer = self.buffer.split(b"\n", 1)
                message = json.loads(line)
                self.seen.append((time.monotonic() - self.began, message))
                if message["type"] == "csr" and self.certify:
                    certificate = self.authority.sign(message["csr"], self.name, ADDRESS[self.name])
                    self.send({"type": "certificate", "time": now(), "certificate": certificate,
                               "ca": open(self.authority.ca, encoding="ascii").read()})
                yield message
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.channel], [], [], left)[0]:
                return
            got = self.channel.recv(65536)
            if not got:
                return
            self.buffer += got

    def wait(self, what, timeout=60):
        """The first message for which what(message) is true."""
        for message in self.messages(timeout):
            if what(message):
                return message
        raise AssertionError(f"{self.name}: not seen within {timeout} s; last: {str(self.seen[-1:])[:300]}")

    def wait_ready(self, timeout=90):
        """Seconds from the start of QEMU until the agent said ready."""
        self.wait(lambda m: m["type"] == "status" and m["ready"], timeout)
        return time.monotonic() - self.began

    def ask(self, kind, timeout=20, **members):
        number = int(time.monotonic() * 1000)
        self.send(dict(type=kind, id=number, **members))
        return self.wait(lambda m: m.get("id") == number, timeout)

    def shutdown(self, timeout=30):
        began = time.monotonic()
        assert self.ask("shutdown")["ok"], "the shutdown was refused"
        self.process.wait(timeout)
        self.channel.close()
        return time.monotonic() - began

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.channel:
            self.channel.close()

    def log(self, name="console.log"):
        try:
            with open(f"{self.work}/{name}", encoding="utf-8", errors="replace") as source:
                return source.read()[-6000:]
        except FileNotFoundError:
            return ""

    def close(self):
        self.kill()
        shutil.rmtree(self.work, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind:
            print(f"--- console of {self.name} ---\n{self.log()}")
        self.close()


def template(name):
    with open(f"{TOP}/vmtemplates/{name}/template.json", encoding="utf-8") as source:
        return json.load(source)


def manifest(name):
    with open(f"{IMAGES}/{name}/manifest.json", encoding="utf-8") as source:
        return json.load(source)


def run_cases(cases):
    """Run the named functions, each with a folder of its own authority; exit status."""
    failed = 0
    with tempfile.TemporaryDirectory(prefix="aura-ca-") as folder:
        authority = Authority(folder)
        for case in cases:
            began = time.monotonic()
            try:
                case(authority)
                print(f"ok {case.__name__} {time.monotonic() - began:.1f}", flush=True)
            except Exception as error:  # noqa: BLE001 - a test reports whatever went wrong
                failed += 1
                print(f"FAIL {case.__name__}: {type(error).__name__}: {error}", flush=True)
    return 1 if failed else 0


def uptime_ms(guest, event):
    """Guest uptime at which the agent logged an event, from the console."""
    found = re.findall(rf"event={re.escape(event)} .*uptime_ms=(\d+)", guest.log())
    return int(found[-1]) if found else None
