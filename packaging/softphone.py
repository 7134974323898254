# SPDX-License-Identifier: Apache-2.0
"""Two real phones (baresip) for the demo call and the system tests: they send and hear tones."""
import array
import json
import math
import os
import shutil
import signal
import socket
import subprocess
import time
import wave

CONFIG = """\
poll_method epoll
sip_listen {address}:{sip_port}
sip_trans_def {transport}
call_local_timeout 60
call_max_calls 4
audio_player aufile,{folder}/heard.wav
audio_source aufile,{folder}/tone.wav
audio_alert aufile,{folder}/alert.wav
snd_path {folder}
audio_level no
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
rtp_ports {rtp_port}-{rtp_end}
jitter_buffer_delay 1-5
module_path {modules}
module g711.so
module sndfile.so
module aufile.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{ctrl_port}
"""


class PhoneError(Exception):
    """A phone did not do what a call needs; the text says what and where its log lies."""


def modules_folder():
    for folder in ("/usr/lib/baresip/modules", "/usr/lib/x86_64-linux-gnu/baresip/modules"):
        if os.path.isdir(folder):
            return folder
    raise PhoneError("baresip's modules are not installed: apt-get install baresip-core")


def free_port(address, kind):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind((address, 0))
        return s.getsockname()[1]


def write_tone(path, tone, seconds=60, rate=8000):
    with wave.open(path, "wb") as w:
        w.setnchannels(1)
        w.setsampwidth(2)
        w.setframerate(rate)
        second = array.array("h", (round(8000 * math.sin(2 * math.pi * tone * i / rate))
                                   for i in range(rate)))
        for _ in range(seconds):
            w.writeframes(second.tobytes())


class Phone:
    """One baresip process with one account. `handle` None: no account, for direct calls."""

    def __init__(self, folder, handle, password, domain, proxy, address="127.0.0.1",
                 transport="udp", tone=440, answer="auto", rtp_port=None, authority=None):
        self.folder, self.handle, self.domain = folder, handle, domain
        self.uri = "sip:%s@%s" % (handle, domain)
        os.makedirs(folder, exist_ok=True)
        os.chmod(folder, 0o700)
        self.ctrl_port = free_port("127.0.0.1", socket.SOCK_STREAM)
        self.sip_port = free_port(address, socket.SOCK_DGRAM)
        rtp_port = rtp_port or 20000 + (os.getpid() * 97 + int(tone) * 13) % 20000 // 20 * 20
        with open(folder + "/config", "w", encoding="utf-8") as f:
            f.write(CONFIG.format(address=address, sip_port=self.sip_port, transport=transport,
                                  folder=folder, tone=tone, rtp_port=rtp_port,
                                  rtp_end=rtp_port + 18, modules=modules_folder(),
                                  ctrl_port=self.ctrl_port))
            if authority:  # a file of certificates: whom TLS believes
                f.write("sip_cafile %s\n" % authority)
        account = ('<%s;transport=%s>;auth_user=%s;auth_pass=%s;outbound="sip:%s;transport=%s";'
                   "answermode=%s;regint=600;audio_codecs=PCMU/8000/1\n"
                   % (self.uri, transport, handle, password, proxy, transport, answer))
        fd = os.open(folder + "/accounts", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "w") as f:
            f.write(account)
        open(folder + "/contacts", "w", encoding="utf-8").close()
        write_tone(folder + "/tone.wav", tone)
        self.events = []
        self.buffer = b""
        self.process = None
        self.control = None

    def start(self, seconds=10):
        with open(self.folder + "/log", "wb") as log:
            self.process = subprocess.Popen(["baresip", "-f", self.folder], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=subprocess.STDOUT)
        end = time.monotonic() + seconds
        while True:
            try:
                self.control = socket.create_connection(("127.0.0.1", self.ctrl_port), 1)
                return self
            except OSError as e:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise PhoneError("phone %s did not start (%s), log: %s/log"
                                     % (self.handle, e, self.folder)) from e
                time.sleep(0.05)

    def _read(self, seconds):
        self.control.settimeout(max(seconds, 0.01))
        try:
            data = self.control.recv(65536)
        except (TimeoutError, BlockingIOError):
            return
        if not data:
            raise PhoneError("phone %s ended, log: %s/log" % (self.handle, self.folder))
        self.buffer += data
        while b":" in self.buffer:
            head, rest = self.buffer.split(b":", 1)
            size = int(head)
            if len(rest) < size + 1:
                break
            self.events.append(json.loads(rest[:size]))
            self.buffer = rest[size + 1:]

    def wait(self, what, seconds, *types):
        """The next event of one of these types; it and those before are consumed."""
        end = time.monotonic() + seconds
        while True:
            for i, event in enumerate(self.events):
                if event.get("type") in types:
                    del self.events[:i + 1]
                    return event
            left = end - time.monotonic()
            if left <= 0:
                raise PhoneError("phone %s: %s did not come within %g s, log: %s/log"
                                 % (self.handle, what, seconds, self.folder))
            self._read(min(left, 0.5))

    def command(self, name, params=""):
        text = json.dumps({"command": name, "params": params, "token": name}).encode()
        self.control.sendall(b"%d:%s," % (len(text), text))

    def wait_registered(self, seconds=15):
        """Registered, by its event or, if that came before anybody listened, by its own state."""
        end = time.monotonic() + seconds
        while True:
            for event in self.events:
                if event.get("type") == "REGISTER_FAIL":
                    raise PhoneError("phone %s was refused: %s" % (self.handle, event.get("param")))
                state = event.get("data") or "" if event.get("token") == "reginfo" else ""
                if event.get("type") == "REGISTER_OK" or "OK" in state:
                    self.events.remove(event)
                    return event
            if time.monotonic() > end:
                raise PhoneError("phone %s: the registration did not come within %g s, log: %s/log"
                                 % (self.handle, seconds, self.folder))
            self.events = [e for e in self.events if e.get("token") != "reginfo"]
            self.command("reginfo")
            self._read(0.3)

    def dial(self, uri):
        self.command("dial", uri)

    def hang_up(self):
        self.command("hangup")

    def stop(self):
        if self.control:
            self.control.close()
        if self.process and self.process.poll() is None:
            # INT lets it unregister; nothing waits longer than a lost answer would take.
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(4)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def tone_share(path, tone):
    """How much of the recorded energy lies at this frequency, 0..1 (Goertzel); 0 if silent."""
    try:
        with wave.open(path) as w:
            rate, frames = w.getframerate(), w.readframes(w.getnframes())
            channels = w.getnchannels()
    except (OSError, EOFError, wave.Error):
        return 0.0
    samples = array.array("h", frames[:len(frames) // 2 * 2])[::channels]
    best = 0.0
    size = rate // 2
    for at in range(0, max(len(samples) - size, 0) + 1, size):
        part = samples[at:at + size]
        energy = sum(s * s for s in part)
        if len(part) < size or energy < size * 100:
            continue
        w = 2 * math.cos(2 * math.pi * tone / rate)
        s1 = s2 = 0.0
        for s in part:
            s1, s2 = s + w * s1 - s2, s1
        power = s1 * s1 + s2 * s2 - w * s1 * s2
        best = max(best, 2 * power / (size * energy))
    return min(best, 1.0)


def recorded(phone):
    """What the phone decoded in its newest call; its module sndfile names the file."""
    files = [phone.folder + "/" + n for n in os.listdir(phone.folder) if n.endswith("dec.wav")]
    if not files:
        raise PhoneError("phone %s recorded nothing, log: %s/log" % (phone.handle, phone.folder))
    return max(files, key=os.path.getmtime)


def call(caller, callee, seconds=3.0, ring_seconds=15):
    """Call (the callee answers by itself), talk, hang up."""
    caller.dial(callee.uri)
    event = caller.wait("the answer", ring_seconds, "CALL_ESTABLISHED", "CALL_CLOSED")
    if event["type"] != "CALL_ESTABLISHED":
        raise PhoneError("the call was refused: %s, log: %s/log"
                         % (event.get("param"), caller.folder))
    callee.wait("the talk", 5, "CALL_ESTABLISHED")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.1)
    caller.hang_up()
    callee.wait("the end of the call", 10, "CALL_CLOSED")


def forget(folder):
    shutil.rmtree(folder, ignore_errors=True)
