#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 240
"""Export and import: the same document again, by API and command line, whole or in pieces; faults have their place and
change nothing; a real aura-sm runs on the export, shows its links beside the entities, and follows smgr's rows."""
import copy
import json
import os
import subprocess
import sys
import time

from daemon import BIN, Daemon, equal, wait_for
from smgr import Smgr
from test_contract import validate

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from ports import free_port  # noqa: E402
from standalone import Server  # noqa: E402

MORE = {
    "domains": [{"name": "example.org", "authoritative": False, "notes": "Zürich"}],
    "locations": [{"name": "Berlin", "patterns": ["10.1.0.0/16"], "time_zone": "Europe/Berlin"}],
    "adaptations": [{"name": "e164", "digit_conversions": [{"direction": "ingress", "match": "00", "delete": 2,
                                                            "insert": "+"}]}],
    "sip_entities": [{"name": "carrier", "type": "trunk", "address": "127.0.0.1", "port": 5090, "transport": "udp",
                      "location": "Berlin", "adaptation": "e164",
                      "registration": {"registrar": "127.0.0.1", "user": "4930", "password": "trunk-secret-1"}},
                     {"name": "night", "type": "gateway", "address": "127.0.0.1", "port": 5091, "transport": "udp"}],
    "entity_links": [{"entity": "carrier", "transport": "tcp", "port": 5090, "deny_new_service": True}],
    "time_ranges": [{"name": "office", "days": ["mon", "fri"], "start": "08:00", "end": "18:00"}],
    "routing_policies": [{"name": "out", "entity": "carrier", "times": [{"time_range": "office", "rank": 0}]},
                         {"name": "late", "entity": "night"}],
    "application_sequences": [{"name": "both", "entities": ["cm", {"name": "night", "mandatory": False}]}],
    "dial_patterns": [{"pattern": "+49x", "policies": ["out", "late"], "location": "Berlin"},
                      {"pattern": "112", "max": 3, "emergency": True, "policies": ["out"]}],
    "regular_expressions": [{"pattern": "^sip:.*@example\\.com$", "deny": True}],
    "implicit_users": [{"pattern": "4xxx", "max": 4, "termination_sequence": "both"}],
    "dial_plan": [{"match": "9", "length": 12, "type": "ars"}],
    "users": [{"handle": "3001", "name": "Ada", "password": "secret of Ada", "location": "Berlin",
               "sip": {"sequence": "both"}},
              {"handle": "3002", "name": "Bob", "password": "secret of Bob", "station": None, "presence": None}],
    "settings": {"outbound_proxy": "night", "emergency_unauthenticated": True},
}
ROUTING = ("dial_patterns", "regular_expressions", "implicit_users", "entity_links", "routing_policies", "time_ranges")


def pointer(answer):
    return answer.json["errors"][0]["pointer"]


def state(smgr):
    return smgr.psql("SELECT version FROM replica.counter"), smgr.psql("SELECT count(*) FROM users")


def a_document_is_taken_over(d, smgr):
    document = dict(MORE, schema=1)
    before = state(smgr)
    planned = d.root.post("/uc/import?dry_run=true", document)
    equal(planned.status, 200, planned)
    equal({(p["action"], p["target"], p["detail"]) for p in planned.json["plan"]} >=
          {("create", "uc/dial-patterns", "2"), ("create", "uc/users", "2"), ("create", "uc/sip-entities", "2")}, True,
          planned)
    equal(state(smgr), before)
    answer = d.root.post("/uc/import", document)
    equal((answer.status, answer.json["created"], answer.json["deleted"]), (200, 17, 0), answer)
    for secret in (b"trunk-secret-1", b"secret of Ada"):
        assert secret not in answer.raw + d.root.get("/events?limit=100").raw + d.root.get("/audit?limit=100").raw
    equal(d.root.get("/uc/users/3001").json["location"], "Berlin")
    equal(d.root.get("/uc/application-sequences/both").json["entities"],
          [{"name": "cm", "mandatory": True}, {"name": "night", "mandatory": False}])
    return d.root.get("/uc/export").json


def the_same_again_changes_no_row(d, smgr, whole):
    before = state(smgr)
    answer = d.root.post("/uc/import", whole)
    equal((answer.status, answer.json["created"], answer.json["changed"]), (200, 0, 0), answer)
    equal((d.root.get("/uc/export").json, state(smgr)), (whole, before))
    # what an auditor was given has no secrets, and is as equal; a password that is said is meant
    bare = dict(whole, users=[{k: v for k, v in user.items() if k != "ha1"} for user in whole["users"]])
    equal(d.root.post("/uc/import", bare).json["changed"], 0)
    without = [dict(whole["users"][0], station=None)]
    equal(d.root.post("/uc/import?dry_run=true", dict(whole, users=without)).json["plan"],
          [{"action": "change", "target": "uc/users", "detail": "1"}])
    said = [{"handle": "3001", "name": "Ada", "password": "another of Ada"}]
    equal(d.root.post("/uc/import?dry_run=true", dict(whole, users=said)).json["plan"],
          [{"action": "change", "target": "uc/users", "detail": "1"}])
    plan = [dict(whole["dial_plan"][0], type="fac")]
    equal(d.root.post("/uc/import?dry_run=true", dict(whole, dial_plan=plan)).json["plan"],
          [{"action": "change", "target": "uc/dial-plan", "detail": "1"}])


def wiped_and_taken_back_it_is_identical(d, smgr, whole):
    smgr.psql("DELETE FROM users; DELETE FROM dial_plan; UPDATE settings SET outbound_proxy = NULL; " +
              "".join("DELETE FROM %s; " % t for t in ROUTING) + "DELETE FROM application_sequences;"
              " DELETE FROM sip_entities; DELETE FROM adaptations; DELETE FROM locations;"
              " DELETE FROM domains WHERE name = 'example.org'")
    equal(len(d.root.get("/uc/export").json["sip_entities"]), 0)
    answer = d.root.post("/uc/import?replace=true", whole)
    equal(answer.status, 200, answer)
    equal((answer.json["changed"], answer.json["deleted"]), (0, 0), answer)
    equal(d.root.get("/uc/export").json, whole)


def replace_removes_what_the_document_lacks(d, smgr, whole):
    fewer = copy.deepcopy(whole)
    fewer["dial_patterns"] = [p for p in whole["dial_patterns"] if p["pattern"] != "+49x"]
    fewer["users"] = whole["users"][:1]
    del fewer["regular_expressions"]  # not there: left alone
    answer = d.root.post("/uc/import?replace=true&dry_run=true", fewer)
    equal({(p["action"], p["target"]) for p in answer.json["plan"] if p["action"] == "delete"},
          {("delete", "uc/dial-patterns"), ("delete", "uc/users")})
    answer = d.root.post("/uc/import?replace=true", fewer)
    equal((answer.status, answer.json["deleted"]), (200, 2), answer)
    now = d.root.get("/uc/export").json
    equal(([p["pattern"] for p in now["dial_patterns"]], len(now["users"]), len(now["regular_expressions"])),
          (["112"], 1, 1))
    # a row that others still name cannot go: nothing does
    wrong = dict(whole, sip_entities=[e for e in whole["sip_entities"] if e["name"] != "night"])
    wrong.pop("routing_policies")
    before = state(smgr)
    answer = d.root.post("/uc/import?replace=true", wrong)
    equal(answer.status, 422 if answer.code == "validation_failed" else 409, answer)
    equal(state(smgr), before)
    equal(d.root.post("/uc/import?replace=true", whole).status, 200)
    # ids decide between equal patterns, and new ones are drawn in the document's order
    equal({p["pattern"] for p in d.root.get("/uc/export").json["dial_patterns"]}, {"+49x", "112"})


def faults_have_their_place(d, smgr, whole):
    before = state(smgr)
    for change, where in (({"schema": 2}, "/schema"), ({"colour": []}, "/colour"), ({"domain": "other.org"}, "/domain"),
                          ({"dial_patterns": {}}, "/dial_patterns"),
                          ({"dial_patterns": whole["dial_patterns"] + [{"pattern": "5", "policies": ["none"]}]},
                           "/dial_patterns/2/policies/0"),
                          ({"users": [{"handle": "3009", "name": "No secret"}]}, "/users/0/ha1"),
                          ({"users": [{"handle": "3009", "name": "x", "ha1": {"md5": "zz", "sha256": "y"}}]},
                           "/users/0/ha1/md5"),
                          ({"users": [{"handle": "3 9", "name": "x", "password": "p"}]}, "/users/0/handle"),
                          ({"dial_plan": [{"match": "123", "length": 2, "type": "fac"}]}, "/dial_plan/0/length"),
                          ({"settings": {"outbound_proxy": "none"}}, "/settings/outbound_proxy"),
                          ({"locations": [{"name": "x", "patterns": ["x"]}]}, "/locations/0/patterns/0")):
        answer = d.root.post("/uc/import", dict(whole, **change))
        equal((answer.status, pointer(answer)), (422, where), answer)
    equal(d.root.post("/uc/import", [1]).status, 422)
    telephony, operator = d.admin("import-telephony", "telephony"), d.admin("import-operator", "operator")
    equal(operator.post("/uc/import", whole).status, 403)
    equal(telephony.post("/uc/import?dry_run=true", whole).status, 200)
    equal(state(smgr), before)


def a_change_of_domain_asks_for_passwords(d, smgr, _):
    whole, before = d.root.get("/uc/export").json, state(smgr)
    moved = dict(whole, domain="other.org")
    answer = d.root.post("/uc/import?replace=true", moved)
    equal((answer.status, pointer(answer)), (422, "/domain"), answer)
    assert "other.org, for which 2 users have no password, 3001 among them" in answer.raw.decode(), answer
    equal(state(smgr), before)
    said = [dict({k: v for k, v in user.items() if k != "ha1"}, password="new of " + user["handle"])
            for user in whole["users"]]
    answer = d.root.post("/uc/import?replace=true", dict(moved, users=said))
    equal(answer.status, 200, answer)
    equal(smgr.psql("SELECT DISTINCT realm FROM users WHERE ha1_md5 IS NOT NULL").strip(), "other.org")
    equal(d.root.post("/uc/import?replace=true", whole).status, 200)
    equal(d.root.get("/uc/export").json, whole)


def cli(d, *arguments, status=0, stdin=None):
    done = subprocess.run([os.path.join(BIN, "aurabox"), "--socket", d.socket] + list(arguments), input=stdin,
                          capture_output=True, text=True, timeout=120, check=False)
    equal(done.returncode, status, (arguments, done.stdout, done.stderr))
    return done.stdout


def by_the_command_line(d, smgr, whole):
    table = cli(d, "pattern", "list", "--sort", "pattern").splitlines()
    assert table[0].split()[:2] == ["ID", "PATTERN"] and len(table) == 3, table
    cli(d, "location", "create", "Köln", "--patterns", "10.2.0.0/16,10.3.0.0/16", "--time-zone", "Europe/Berlin")
    equal(json.loads(cli(d, "--json", "location", "show", "Köln"))["patterns"], ["10.2.0.0/16", "10.3.0.0/16"])
    made = json.loads(cli(d, "--json", "pattern", "create", "0x", "--policies", "out", "--max", "20", "--location", "Köln"))
    cli(d, "location", "delete", "Köln", status=5)
    changed = json.loads(cli(d, "--json", "pattern", "change", made["id"], "--file", "-", stdin='{"location": null}'))
    equal(changed["location"], None)
    assert "max: 20" in cli(d, "--dry-run", "pattern", "change", made["id"], "--max", "12")
    cli(d, "pattern", "delete", made["id"])
    cli(d, "location", "delete", "Köln")
    cli(d, "location", "show", "Köln", status=3)
    cli(d, "routing", "change", "--no-outbound-proxy")
    equal(json.loads(cli(d, "--json", "routing", "show"))["outbound_proxy"], None)
    text = cli(d, "export")
    assert "CREATED" in cli(d, "import", "-", stdin=text)
    # more than a body may hold: in pieces, what is named before who names it
    large = dict(whole, dial_patterns=whole["dial_patterns"] +
                 [{"pattern": "8%05d" % i, "policies": ["out"], "notes": "n" * 900} for i in range(1200)])
    answer = json.loads(cli(d, "--json", "import", "-", stdin=json.dumps(large)))
    equal(answer["created"], 1200)
    cli(d, "import", "-", stdin="[]", status=2)
    cli(d, "import", "-", stdin='{"schema": 3}', status=1)
    smgr.psql("DELETE FROM dial_patterns WHERE pattern LIKE '8%'")


def a_route_is_explained(d, document):
    operation = document["paths"]["/api/v1/uc/route-test"]["post"]
    question = {"caller": "sip:3001@aurabox.internal", "callee": "112", "source": "10.1.2.3",
                "at": "2026-11-23T10:00:00Z"}
    answer = d.root.post("/uc/route-test", question)
    equal(answer.status, 200, answer)
    validate(document, operation, answer)
    equal((answer.json["emergency"], answer.json["location"], answer.json["candidates"][0]["entity"]),
          (True, "Berlin", "carrier"), answer)
    night = d.root.post("/uc/route-test", dict(question, callee="+4930", at="2026-11-23T22:00:00Z"))
    equal([c["entity"] for c in night.json["candidates"]], ["night"], night)
    assert "112" in cli(d, "route-test", "sip:3001@aurabox.internal", "112", "--source", "10.1.2.3")
    assert '"outcome"' in cli(d, "--json", "route-test", "sip:3001@aurabox.internal", "112")
    equal(d.root.post("/uc/route-test?dry_run=true", question).json, {"plan": [], "warnings": []})
    refused = d.root.post("/uc/route-test", dict(question, callee="sip:@"))
    equal((refused.status, refused.json.get("errors", [{}])[0].get("pointer")), (422, "/callee"), refused)


def a_session_manager_runs_on_it(d, smgr, management):
    """management: where the daemon expects sm."""
    document = d.nobody.get("/openapi.json").json
    secrets = d.root.get("/uc/export").json
    sealed, = [e["registration"] for e in secrets["sip_entities"] if e["registration"]]
    assert sealed["password_sealed"].startswith("v1.") and "password" not in sealed, sealed
    equal(d.admin("import-auditor", "auditor").get("/uc/export").raw.count(b"password_sealed"), 0)
    equal(d.root.get("/uc/sip-entities/carrier").json["status"], None)
    for entity in secrets["sip_entities"]:  # without TLS, on loopback
        if entity["type"] in ("sm", "cm", "presence"):
            entity.update(address="127.0.0.1", port=free_port(), transport="tcp")
    with Server("aura-sm", secrets, "127.0.0.1:%d" % free_port()) as sm:
        os.chmod(sm.folder, 0o711)  # auraboxd is a user of its own
        os.chmod(sm.management, 0o666)
        os.symlink(sm.management, management)
        wait_for(lambda: d.root.get("/uc/sip-entities/carrier").json["status"], 10, "sm's status")
        rows = {e["name"]: e["status"] for e in d.root.get("/uc/sip-entities").json["items"]}
        equal({"carrier", "night", "cm"} <= set(rows), True, rows)
        validate(document, document["paths"]["/api/v1/uc/sip-entities"]["get"], d.root.get("/uc/sip-entities"))
        wait_for(lambda: d.root.get("/uc/sip-entities/cm").json["status"]["link"] == "down", 15, "nobody is there")
        a_route_is_explained(d, document)
        entity = d.root.get("/uc/sip-entities/carrier")
        answer = d.root.patch("/uc/sip-entities/carrier", entity.json, entity.headers["ETag"])
        equal(answer.status, 200, answer)  # live state in a body says nothing
        os.unlink(management)


def all_of_it():
    management = "/var/tmp/aura-import-%d.sock" % os.getpid()
    with Daemon(uc__sm="unix:" + management) as d, Smgr(d) as smgr:
        began = time.monotonic()
        whole = a_document_is_taken_over(d, smgr)
        for test in (the_same_again_changes_no_row, wiped_and_taken_back_it_is_identical,
                     replace_removes_what_the_document_lacks, faults_have_their_place, a_change_of_domain_asks_for_passwords,
                     by_the_command_line):
            print("- %s %.1f" % (test.__name__.replace("_", " "), time.monotonic() - began), flush=True)
            test(d, smgr, whole)
        a_session_manager_runs_on_it(d, smgr, management)


if __name__ == "__main__":
    all_of_it()
