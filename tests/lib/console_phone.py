# SPDX-License-Identifier: Apache-2.0
"""Phones that others wrote and that are driven by typing: linphonec and twinkle-console, each in a terminal of its own."""
import os
import pty
import re
import subprocess
import threading
import time

LINPHONE = """\
[sip]
sip_port={udp}
sip_tcp_port={tcp}
sip_tls_port={tls}
default_proxy=0
guess_hostname=0
contact="{user}" <sip:{user}@127.0.0.1>
verify_server_certs=0
verify_server_cn=0
media_encryption=none
{certificate}
[net]
firewall_policy=0
stun_server=

[sound]
playback_dev_id=ANULL
capture_dev_id=ANULL
echocancellation=0

[rtp]
audio_rtp_port={rtp}

[auth_info_0]
username={user}
passwd={password}
realm={domain}
domain={domain}

[proxy_0]
reg_proxy=<sip:{server};transport={transport}>
reg_route=<sip:{server};transport={transport};lr>
reg_identity=sip:{user}@{domain}
reg_expires=600
reg_sendregister=1
publish=0
"""

TWINKLE_SYSTEM = """\
sip_port={port}
rtp_port={rtp}
dev_ringtone=alsa:null
dev_speaker=alsa:null
dev_mic=alsa:null
validate_audio_dev=no
"""

TWINKLE_USER = """\
user_name={user}
user_domain={domain}
user_display=User {user}
auth_realm={domain}
auth_name={user}
auth_pass={password}
outbound_proxy={server}
all_requests_to_proxy=no
registrar={server}
register_at_startup=yes
registration_time=600
sip_transport={transport}
"""

# Twinkle asks the DNS before it reads an address: it gets a resolver that answers nothing, at once.
TWINKLE_START = ("mount --bind resolv.conf /etc/resolv.conf && mount --bind hosts /etc/hosts && "
                 "exec twinkle-console user.cfg")


class ConsolePhone:
    """A program in a pseudo-terminal: say() types a line, expect() waits for what it prints after that."""

    def __init__(self, name, argv, folder):
        self.name, self.text, self.seen = name, "", 0
        self.news = threading.Condition()
        terminal, far = pty.openpty()
        self.terminal = terminal
        env = {**os.environ, "HOME": folder, "TERM": "dumb", "LC_ALL": "C"}
        self.process = subprocess.Popen(argv, stdin=far, stdout=far, stderr=far, cwd=folder, env=env,
                                        start_new_session=True)
        os.close(far)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        while True:
            try:
                data = os.read(self.terminal, 4096)
            except OSError:
                data = b""
            with self.news:
                self.text += data.decode("utf-8", "replace")
                self.news.notify_all()
            if not data:
                return

    def say(self, line):
        """As a person would: not while the phone is still busy with what it was told last."""
        time.sleep(0.5)
        self.seen = len(self.text)
        os.write(self.terminal, (line + "\n").encode())

    def expect(self, pattern, timeout=10.0):
        """Wait for a pattern in what was printed since the last say() or expect()."""
        end = time.monotonic() + timeout
        with self.news:
            while True:
                found = re.search(pattern, self.text[self.seen:])
                if found:
                    self.seen += found.end()
                    return found
                left = end - time.monotonic()
                if left <= 0 or not self.reader.is_alive():
                    raise AssertionError("%s did not print %r but: %s" % (self.name, pattern, self.text[-1500:]))
                self.news.wait(min(left, 0.5))

    def stop(self):
        """Its whole session: twinkle was started by a shell that it replaced."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        self.reader.join(5)
        os.close(self.terminal)


def linphone(folder, user, password, domain, server, port, transport="udp", certificate=None):
    """linphonec with one account; its own port is of that transport alone. certificate: CERTIFICATE.pem and .key are its own; over
    TLS it needs one, else it asks the person when the server asks for it."""
    os.makedirs(folder + "/.local/share/linphone")
    ports = {t: port if t == transport else 0 for t in ("udp", "tcp", "tls")}
    server += ":5061" if transport == "tls" else ""
    own = f"client_cert_chain={certificate}.pem\nclient_cert_key={certificate}.key\n" if certificate else ""
    write(folder + "/linphonerc", LINPHONE.format(user=user, password=password, domain=domain, server=server,
                                                  transport=transport, rtp=port + 1000, certificate=own, **ports))
    return ConsolePhone("linphonec " + user, ["linphonec", "-c", folder + "/linphonerc", "-d", "0", "-l", folder + "/log"], folder)


def twinkle(folder, user, password, domain, server, port, transport="udp"):
    """twinkle-console with one account. It mounts files of its own over those of the DNS: root starts it."""
    os.makedirs(folder + "/.twinkle")
    write(folder + "/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    write(folder + "/hosts", "127.0.0.1 localhost %s\n" % domain)
    write(folder + "/.twinkle/twinkle.sys", TWINKLE_SYSTEM.format(port=port, rtp=port + 1000))
    write(folder + "/.twinkle/user.cfg", TWINKLE_USER.format(user=user, password=password, domain=domain,
                                                             server=server, transport=transport))
    return ConsolePhone("twinkle " + user, ["unshare", "-m", "sh", "-c", TWINKLE_START], folder)


def write(path, text):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as f:
        f.write(text)
