#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
"""A trunk's password is sealed in the database and in exports, and still sm registers with it, also after kill -9."""
import os
import shutil
import stat
import subprocess
import time

from daemon import Daemon, equal, wait_for
from session_manager import SessionManager, folder_for
from sip_trunk import Trunk
from smgr import Smgr

SECRET = "quite-secret-4711"
OTHER = "another-secret-0815"


def state_of(d):
    return ((d.root.get("/uc/sip-entities/carrier").json["status"] or {}).get("registration") or {}).get("state")


def change(d, registration):
    entity = d.root.get("/uc/sip-entities/carrier")
    return d.root.patch("/uc/sip-entities/carrier", {"registration": registration}, entity.headers["ETag"])


def sealed_of(document):
    return next(e for e in document["sip_entities"] if e["name"] == "carrier")["registration"].get("password_sealed")


def sm_registers(d, trunk):
    answer = d.root.post("/uc/sip-entities", {
        "name": "carrier", "type": "trunk", "address": trunk.addr[0], "port": trunk.addr[1], "transport": "udp",
        "registration": {"registrar": "provider.example", "user": "4930555", "password": SECRET}})
    equal(answer.status, 201, answer)
    assert "password" not in answer.json["registration"] and "password_sealed" not in answer.json["registration"], answer
    wait_for(lambda: state_of(d) == "registered", 20, "the registration")


def nobody_reads_it(d, smgr, folder):
    dump = subprocess.run(["pg_dump", "--data-only", smgr.cluster.url], capture_output=True, text=True) \
        if shutil.which("pg_dump") else None
    if dump is not None and dump.returncode == 0:
        assert SECRET not in dump.stdout and "v1." in dump.stdout
    row = smgr.psql("SELECT password_sealed FROM entity_registrations")
    assert row.startswith("v1.") and SECRET not in row, row
    everything = d.root.get("/uc/export")
    assert SECRET.encode() not in everything.raw
    equal(sealed_of(everything.json), row)
    auditor = d.admin("sealed-auditor", "auditor")
    assert row.encode() not in auditor.get("/uc/export").raw
    for path in ("/events?limit=200", "/audit?limit=200", "/uc/sip-entities", "/uc/trace?limit=100"):
        raw = d.root.get(path).raw
        assert SECRET.encode() not in raw and row.encode() not in raw, path
    assert SECRET not in d.log()
    for name in os.listdir(folder):
        if os.path.isfile(folder + "/" + name):
            with open(folder + "/" + name, "rb") as file:
                assert SECRET.encode() not in file.read(), name
    key = os.stat(d.dir + "/var/lib/aurabox/pki/secrets.key")
    equal(stat.S_IMODE(key.st_mode), 0o600)
    return row


def an_import_takes_it_back(d, smgr, row):
    document = d.root.get("/uc/export").json
    equal(change(d, None).status, 200)
    part = {"schema": 1, "sip_entities": [e for e in document["sip_entities"] if e["name"] == "carrier"]}
    answer = d.root.post("/uc/import", part)
    equal(answer.status, 200, answer)
    equal(smgr.psql("SELECT password_sealed FROM entity_registrations"), row)
    equal(d.root.post("/uc/import", part).json["unchanged"], 1)
    wait_for(lambda: state_of(d) == "registered", 20, "the registration")
    foreign = row[:-3] + ("AAA" if not row.endswith("AAA") else "BBB")
    for wrong in (foreign, "v1.AAAA", SECRET):
        answer = change(d, {"password_sealed": wrong})
        equal((answer.status, answer.json["errors"][0]["pointer"]), (422, "/registration/password_sealed"), answer)


def a_new_one_is_used_at_once(d, smgr, trunk, row):
    def registers():
        return len([m for way, m in list(trunk.log) if way == "in" and m.is_request and m.method == "REGISTER"])

    before = registers()
    trunk.auth = ("4930555", OTHER)
    equal(change(d, {"password": OTHER}).status, 200)
    assert smgr.psql("SELECT password_sealed FROM entity_registrations") != row
    wait_for(lambda: registers() >= before + 2, 10, "a REGISTER and one that answers")
    wait_for(lambda: state_of(d) == "registered", 10, "the registration")


def main():
    folder = folder_for()
    trunk = Trunk("carrier", ("127.0.0.21", 5060))
    trunk.auth = ("4930555", SECRET)
    try:
        with Daemon(uc__sm="unix:" + folder + "/sm.sock") as d, Smgr(d) as smgr:
            wait_for(lambda: d.root.get("/uc/users").status == 200, 30, "the database")
            sm = SessionManager(folder, smgr)
            try:
                sm_registers(d, trunk)
                row = nobody_reads_it(d, smgr, folder)
                an_import_takes_it_back(d, smgr, row)
                time.sleep(0.3)  # the journal is written in groups
                sm.process.kill()
                sm.process.wait()
                sm = SessionManager(folder, smgr)
                wait_for(lambda: state_of(d) == "registered", 20, "the registration after kill -9")
                a_new_one_is_used_at_once(d, smgr, trunk, row)
            finally:
                sm.close()
    finally:
        trunk.close()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
