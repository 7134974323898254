#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
# needs: images
"""smgr alone: first boot, who may connect, freeze, clean stop, and what a cut of the first boot leaves."""
import json
import os
import random
import socket
import ssl
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from guest import Guest, run_cases, uptime_ms  # noqa: E402


def psql(guest, role, client, query):
    """(exit status, output) of one query over TLS with the certificate of 'client' (None: without)."""
    # libpq matches the server's certificate against host= and connects to hostaddr=.
    words = (f"host=smgr.aurabox.internal hostaddr=127.0.0.1 port={guest.forward[5432]} dbname=uc user={role} "
             f"sslmode=verify-full sslrootcert={guest.authority.ca} connect_timeout=10")
    if client:
        cert, key = guest.authority.client(client)
        words += f" sslcert={cert} sslkey={key}"
    env = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
    done = subprocess.run(["psql", "-XAtq", "-c", query, words], env=dict(env, HOME="/nonexistent"),
                          capture_output=True, text=True, timeout=30, check=False)
    return done.returncode, (done.stdout + done.stderr).strip()


def https_get(guest, path, client):
    """The raw answer of the management API to one GET."""
    context = ssl.create_default_context(cafile=guest.authority.ca)
    if client:
        context.load_cert_chain(*guest.authority.client(client))
    with socket.create_connection(("127.0.0.1", guest.forward[7443]), 10) as plain:
        with context.wrap_socket(plain, server_hostname="smgr.aurabox.internal") as tls:
            tls.sendall(f"GET {path} HTTP/1.1\r\nHost: smgr\r\nConnection: close\r\n\r\n".encode())
            answer = b""
            while block := tls.recv(65536):
                answer += block
            return answer.decode()


def refused(function, *arguments):
    try:
        return "200" not in function(*arguments).split("\r\n")[0]
    except OSError:
        return True


def serves_only_certificates_of_the_box(authority):
    with Guest("smgr", authority) as guest:
        guest.start()
        seconds = guest.wait_ready()
        print(f"   first boot ready after {seconds:.1f} s, agent says {uptime_ms(guest, 'agent.ready')} ms")
        answer = psql(guest, "aura_admin", "auraboxd", "SELECT 1+1")
        assert answer == (0, "2"), answer
        answer = psql(guest, "aura_cm", "cm", "SELECT current_user")
        assert answer == (0, "aura_cm"), answer
        for role, client in (("aura_admin", "cm"), ("aura_cm", "sm"), ("aura_admin", None), ("postgres", "auraboxd")):
            status, text = psql(guest, role, client, "SELECT 1")
            assert status != 0, f"{client} became {role}: {text}"
        status, text = psql(guest, "aura_cm", "cm", "CREATE TABLE t (x int)")
        assert status != 0 and "permission denied" in text, text
        answer = https_get(guest, "/health", "auraboxd")
        health = json.loads(answer.split("\r\n\r\n", 1)[1])
        assert health["ready"] is True and health["replica"] is None, answer
        assert "aurabox_guest_ready 1" in https_get(guest, "/metrics", "auraboxd")
        assert refused(https_get, guest, "/health", "cm"), "cm may use smgr's management API"
        assert refused(https_get, guest, "/health", None), "no certificate was needed"


def keeps_rows_over_stop_and_cut(authority):
    with Guest("smgr", authority) as guest:
        guest.start()
        guest.wait_ready()
        assert psql(guest, "aura_admin", "auraboxd", "CREATE TABLE kept (x int); INSERT INTO kept VALUES (1)")[0] == 0
        print(f"   clean stop {guest.shutdown():.1f} s")
        guest.start()
        print(f"   second boot ready after {guest.wait_ready():.1f} s")
        assert psql(guest, "aura_admin", "auraboxd", "INSERT INTO kept VALUES (2)")[0] == 0
        guest.kill()
        guest.start()
        # With a certificate on its disk it serves though the box signs nothing.
        guest.certify = False
        guest.wait_ready()
        assert psql(guest, "aura_admin", "auraboxd", "SELECT sum(x) FROM kept") == (0, "3")


def freeze_holds_writes_and_ends_by_itself(authority):
    with Guest("smgr", authority) as guest:
        guest.start()
        guest.wait_ready()
        assert guest.ask("freeze", timeout_s=60)["ok"]
        assert not guest.ask("freeze", timeout_s=60)["ok"], "frozen twice"
        assert guest.ask("thaw")["ok"]
        assert not guest.ask("thaw")["ok"], "thawed what was not frozen"
        assert guest.ask("freeze", timeout_s=2)["ok"]
        began = time.monotonic()
        assert psql(guest, "aura_admin", "auraboxd", "CREATE TABLE late (x int)")[0] == 0
        assert time.monotonic() - began > 0.5, "a write went through while the disk was frozen"
        assert not guest.ask("thaw")["ok"], "the watchdog did not thaw"


def identity_is_its_own(authority):
    identifiers = set()
    for _ in range(2):
        with Guest("smgr", authority) as guest:
            guest.start()
            guest.wait_ready()
            status, text = psql(guest, "aura_admin", "auraboxd", "SELECT system_identifier FROM pg_control_system()")
            assert status == 0, text
            identifiers.add(text)
    assert len(identifiers) == 2, "two guests have one database identifier"


def first_boot_survives_cuts(authority):
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    for _ in range(int(os.environ.get("AURA_CUTS", "2"))):
        delay = chance.uniform(1.5, 6.5)
        with Guest("smgr", authority) as guest:
            guest.start()
            for _ in guest.messages(delay):
                pass
            guest.kill()
            guest.start()
            seconds = guest.wait_ready()
            print(f"   cut after {delay:.2f} s (seed {seed}): ready {seconds:.1f} s later")
            assert psql(guest, "aura_admin", "auraboxd", "SELECT 1") == (0, "1")


if __name__ == "__main__":
    sys.exit(run_cases([serves_only_certificates_of_the_box, keeps_rows_over_stop_and_cut,
                        freeze_holds_writes_and_ends_by_itself, identity_is_its_own, first_boot_survives_cuts]))
