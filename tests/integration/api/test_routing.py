#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
"""The resources of routing: each is created, read, listed, changed, planned and removed by the same rules; names go
through, what is in use stays, bad input is named, secrets are never shown."""
from daemon import Daemon, equal, run
from smgr import Smgr

TRUNK = {"name": "carrier", "type": "trunk", "address": "192.0.2.7", "transport": "udp"}
# path, a body, what it becomes beside it, a patch and one that is wrong with its pointer
RESOURCES = [
    ("domains", {"name": "example.org"}, {"authoritative": True, "notes": ""}, {"notes": "n"},
     ({"name": "-x"}, "/name")),
    ("locations", {"name": "Berlin", "patterns": ["135.12x.121.*", "10.1.0.0/16", "10.0.0.1-10.0.0.9", "2001:db8::/32"]},
     {"time_zone": None}, {"time_zone": "Europe/Berlin"}, ({"patterns": ["10.0.0.0/33"]}, "/patterns/0")),
    ("adaptations", {"name": "e164", "digit_conversions": [{"direction": "ingress", "match": "00", "delete": 2,
                                                            "insert": "+"}]},
     {"state": "enabled", "from_to": False,
      "digit_conversions": [{"direction": "ingress", "address": "both", "match": "00", "min": 1, "max": 36, "delete": 2,
                             "insert": "+"}]},
     {"egress_domain": "example.net", "egress_remove_headers": ["P-Location"]},
     ({"digit_conversions": [{"direction": "ingress", "match": "a"}]}, "/digit_conversions/0/match")),
    ("sip-entities", dict(TRUNK, location="Berlin", adaptation="e164"),
     {"port": 5060, "trusted": False, "registration": None, "timer_b_s": None,
      "monitoring": {"enabled": True, "proactive_s": 900, "reactive_s": 120, "retries": 1, "down_on": None}},
     {"monitoring": {"down_on": ["408", "503"]}, "timer_b_s": 3}, ({"location": "nowhere"}, "/location")),
    ("entity-links", {"entity": "carrier", "transport": "tcp"}, {"port": 5060, "deny_new_service": False},
     {"deny_new_service": True}, ({"entity": "nobody"}, "/entity")),
    ("time-ranges", {"name": "office", "days": ["mon", "fri"], "start": "08:00", "end": "18:00"}, {},
     {"end": "24:00"}, ({"days": ["monday"]}, "/days/0")),
    ("routing-policies", {"name": "out", "entity": "carrier"},
     {"disabled": False, "times": [{"time_range": None, "rank": 0}]},
     {"times": [{"time_range": "office", "rank": 1}]},
     ({"times": [{"time_range": None, "rank": 1}, {"time_range": "never", "rank": 1}]}, "/times/1/time_range")),
    ("dial-patterns", {"pattern": "+49x", "policies": ["out"], "domain": "example.org", "location": "Berlin"},
     {"min": 4, "max": 36, "emergency": False, "deny": False}, {"max": 12}, ({"policies": ["out", "none"]}, "/policies/1")),
    ("regular-expressions", {"pattern": "^sip:.*@example\\.com$", "policies": ["out"]}, {"rank": 0}, {"rank": 3},
     ({"policies": []}, "/policies")),
    ("application-sequences", {"name": "second", "entities": [{"name": "cm", "mandatory": False}]}, {},
     {"entities": [{"name": "cm"}]}, ({"entities": [{"name": "gone"}]}, "/entities/0/name")),
    ("implicit-users", {"pattern": "4xxx", "max": 4, "termination_sequence": "second"},
     {"min": 4, "domain": None, "origination_sequence": None}, {"origination_sequence": "second"},
     ({"min": 5}, "/max")),
    ("firewall-rules", {"pattern": "198.51.100.0/24", "action": "deny"}, {"notes": ""}, {"action": "allow"},
     ({"pattern": "198.51.100.0/33"}, "/pattern")),
]


def pointer(answer):
    return answer.json["errors"][0]["pointer"]


def each_lives_from_create_to_delete(d, smgr):
    made = []
    for path, body, more, patch, (wrong, where) in RESOURCES:
        url = "/uc/" + path
        before = d.root.get(url + "?count=true").json["total"]
        planned = d.root.post(url + "?dry_run=true", body)
        equal((planned.status, planned.json["plan"][0]["action"]), (200, "create"), planned)
        answer = d.root.post(url, body)
        equal(answer.status, 201, answer)
        one = url + "/" + answer.json["id"]
        equal(answer.headers["Location"], "/api/v1" + one)
        for name, value in dict(body, **more).items():
            equal(answer.json[name], value, (path, name))
        equal(d.root.get(one).json, answer.json, path)
        equal(d.root.get(url + "?count=true").json["total"], before + 1)
        # twice is a conflict, wherever it is
        again = d.root.post(url, body)
        equal((again.status, again.code), (409, "name_taken"), again)
        # what is wrong has its place, and changes nothing
        etag = answer.headers["ETag"]
        refused = d.root.patch(one, wrong, etag)
        equal((refused.status, pointer(refused)), (422, where), refused)
        equal(pointer(d.root.patch(one, {"colour": "red"}, etag)), "/colour")
        equal(pointer(d.root.patch(one, {"id": "x"}, etag)), "/id")
        equal(d.root.patch(one, patch).status, 428)
        equal(d.root.get(one).headers["ETag"], etag)
        planned = d.root.patch(one + "?dry_run=true", patch, etag)
        equal((planned.status, planned.json["plan"][0]["action"]), (200, "change"), planned)
        equal(d.root.get(one).headers["ETag"], etag)
        changed = d.root.patch(one, dict(answer.json, **patch), etag)  # a whole resource may come back
        equal(changed.status, 200, changed)
        assert changed.headers["ETag"] != etag
        equal(d.root.patch(one, patch, etag).status, 412)
        kind = answer.json["id"]
        types = [e["type"] for e in d.root.get("/events?topics=uc.%s&limit=10" % path).json["items"]
                 if e["subject"] == kind]
        equal(len(types), 2, types)
        made.append((path, one, answer.json))
    return made


def a_name_stands_in_the_path_and_goes_through(d, smgr):
    old = d.root.get("/uc/locations/Berlin")
    equal(old.status, 200)
    equal(d.root.patch("/uc/locations/Berlin", {"name": "Berlin 2"}, old.headers["ETag"]).status, 200)
    equal(d.root.get("/uc/sip-entities/carrier").json["location"], "Berlin 2")
    equal(d.root.get("/uc/dial-patterns?location=Berlin%202").json["items"][0]["pattern"], "+49x")
    entity = d.root.get("/uc/sip-entities/carrier")
    equal(d.root.patch("/uc/sip-entities/carrier", {"name": "central"}, entity.headers["ETag"]).status, 200)
    equal(d.root.get("/uc/routing-policies/out").json["entity"], "central")
    equal(d.root.get("/uc/entity-links").json["items"][0]["entity"], "central")
    equal(d.root.post("/uc/locations", {"name": "a/b"}).status, 422)
    equal(d.root.post("/uc/locations", {"name": "01890a5d-ac96-774b-bcce-b302099a8057"}).status, 422)
    # each row that shows the new name has a new version: call servers read it
    docs = smgr.psql("SELECT count(*) FROM replica.sm_rows WHERE doc ->> 'location' = 'Berlin 2' OR"
                     " doc ->> 'entity' = 'central'")
    equal(docs, "4")


def what_is_used_stays(d, smgr):
    for path, name, user in (("locations", "Berlin 2", "dial pattern +49x"), ("adaptations", "e164", "SIP entity central"),
                             ("sip-entities", "central", "routing policy out"), ("time-ranges", "office", "routing policy out"),
                             ("routing-policies", "out", "dial pattern +49x"), ("domains", "example.org", "dial pattern +49x"),
                             ("application-sequences", "second", "implicit user 4xxx")):
        for query in ("", "?dry_run=true"):
            answer = d.root.delete("/uc/%s/%s%s" % (path, name.replace(" ", "%20"), query))
            equal((answer.status, answer.code), (409, "state_conflict"), answer)
            assert user in answer.json["detail"], answer
    own = d.root.get("/uc/settings").json["domain"]
    equal(d.root.delete("/uc/domains/" + own).code, "state_conflict")
    etag = d.root.get("/uc/domains/" + own).headers["ETag"]
    equal(pointer(d.root.patch("/uc/domains/" + own, {"authoritative": False}, etag)), "/authoritative")
    equal(d.root.patch("/uc/domains/" + own, {"name": "elsewhere.org"}, etag).code, "state_conflict")


def secrets_go_to_sm_alone_and_sealed(d, smgr):
    entity = d.root.get("/uc/sip-entities/central")
    registration = {"registrar": "sip.example.net", "user": "4930", "password": "quite-secret-4711"}
    answer = d.root.patch("/uc/sip-entities/central", {"registration": registration}, entity.headers["ETag"])
    equal(answer.json["registration"], {"registrar": "sip.example.net", "user": "4930", "auth_user": None,
                                        "expires_s": 3600}, answer)
    answer = d.root.patch("/uc/sip-entities/central", {"registration": {"expires_s": 600}}, answer.headers["ETag"])
    for row in ("sm", "cm", "presence"):
        doc = smgr.psql("SELECT doc FROM replica.%s_rows WHERE doc ->> 'name' = 'central'" % row)
        equal(("quite-secret-4711" in doc, "password_sealed" in doc), (False, row == "sm"), row)
    for path in ("/uc/sip-entities", "/uc/sip-entities/central", "/events?limit=100", "/audit?limit=100"):
        assert b"quite-secret" not in d.root.get(path).raw, path
    planned = d.root.patch("/uc/sip-entities/central?dry_run=true", {"registration": {"password": "another-secret"}},
                           answer.headers["ETag"])
    assert b"another-secret" not in planned.raw and b"a new password" in planned.raw, planned
    equal(pointer(d.root.patch("/uc/sip-entities/central", {"registration": {"registrar": "a b"}},
                               answer.headers["ETag"])), "/registration/registrar")
    equal(d.root.patch("/uc/sip-entities/central", {"registration": None}, answer.headers["ETag"]).json["registration"],
          None)
    equal(smgr.psql("SELECT count(*) FROM entity_registrations"), "0")


def settings_are_one_row(d, smgr):
    old = d.root.get("/uc/settings")
    equal(old.json["outbound_proxy"], None)
    equal(pointer(d.root.patch("/uc/settings", {"outbound_proxy": "none"}, old.headers["ETag"])), "/outbound_proxy")
    equal(pointer(d.root.patch("/uc/settings", {"domain": "x.org"}, old.headers["ETag"])), "/domain")
    answer = d.root.patch("/uc/settings?dry_run=true", {"outbound_proxy": "central"}, old.headers["ETag"])
    equal(answer.status, 200, answer)
    equal(answer.json["plan"][0]["detail"], "outbound_proxy: none \u2192 central")
    answer = d.root.patch("/uc/settings", {"outbound_proxy": "central", "emergency_unauthenticated": True},
                          old.headers["ETag"])
    equal((answer.json["outbound_proxy"], answer.json["emergency_unauthenticated"]), ("central", True))
    equal(d.root.patch("/uc/settings", {"outbound_proxy": None}, old.headers["ETag"]).status, 412)
    assert "the outbound proxy" in d.root.delete("/uc/sip-entities/central").json["detail"]
    doc = smgr.psql("SELECT doc ->> 'outbound_proxy' FROM replica.sm_rows WHERE row_set = 'settings'")
    equal(doc, "central")
    answer = d.root.patch("/uc/settings", {"outbound_proxy": None}, answer.headers["ETag"])
    equal(answer.status, 200)
    # the limits of the firewall: null is what sm itself is configured to
    equal(set(answer.json["firewall"].values()), {None})
    for wrong, where in (({"source_burst": 0}, "/firewall/source_burst"), ({"colour": 1}, "/firewall/colour"),
                         ({"connections_max": 10241}, "/firewall/connections_max")):
        equal(pointer(d.root.patch("/uc/settings", {"firewall": wrong}, answer.headers["ETag"])), where)
    answer = d.root.patch("/uc/settings", {"firewall": {"source_per_s": 0, "failed_max": 3}}, answer.headers["ETag"])
    equal((answer.json["firewall"]["source_per_s"], answer.json["firewall"]["failed_max"]), (0, 3))
    answer = d.root.patch("/uc/settings", {"firewall": {"failed_max": None}}, answer.headers["ETag"])
    equal((answer.json["firewall"]["source_per_s"], answer.json["firewall"]["failed_max"]), (0, None))
    equal(smgr.psql("SELECT doc #>> '{firewall,source_per_s}' FROM replica.sm_rows WHERE row_set = 'settings'"), "0")
    answer = d.root.patch("/uc/settings", {"firewall": None}, answer.headers["ETag"])
    equal(set(answer.json["firewall"].values()), {None})


def lists_are_searched_sorted_and_walked(d, smgr):
    for i in range(25):
        equal(d.root.post("/uc/dial-patterns", {"pattern": "7%02d" % i, "deny": i % 2 == 0,
                                                "policies": [] if i % 2 == 0 else ["out"]}).status, 201)
    seen, cursor = [], ""
    while cursor is not None:
        page = d.root.get("/uc/dial-patterns?limit=4&sort=-pattern&q=7" + ("&cursor=" + cursor if cursor else "")).json
        seen += [p["pattern"] for p in page["items"]]
        cursor = page["next_cursor"]
    equal(seen, ["7%02d" % i for i in range(24, -1, -1)])
    equal(len(d.root.get("/uc/dial-patterns?deny=true&limit=500").json["items"]), 13)
    equal(d.root.get("/uc/dial-patterns?colour=red").status, 422)
    equal(d.root.get("/uc/dial-patterns?q=out&limit=500&count=true").json["total"], 13)


def bounds_hold(d, smgr):
    for i in range(2):
        equal(d.root.post("/uc/entity-links", {"entity": "central", "port": 6000 + i}).status, 201)
    answer = d.root.post("/uc/entity-links", {"entity": "central", "port": 7000})
    equal((answer.status, pointer(answer)), (422, "/entity"), answer)
    for path, body, where in (
            ("dial-patterns", {"pattern": "1" * 37, "policies": ["out"]}, "/pattern"),
            ("dial-patterns", {"pattern": "12a", "policies": ["out"]}, "/pattern"),
            ("dial-patterns", {"pattern": "12", "min": 5, "max": 4, "policies": ["out"]}, "/max"),
            ("dial-patterns", {"pattern": "12", "policies": ["out", "out"]}, "/policies/1"),
            ("dial-patterns", {"pattern": "12"}, "/policies"),
            ("time-ranges", {"name": "t", "start": "25:00", "end": "18:00"}, "/start"),
            ("time-ranges", {"name": "t", "start": "08:00", "end": "24:01"}, "/end"),
            ("locations", {"name": "l", "patterns": ["10.0.0.9-10.0.0.1"]}, "/patterns/0"),
            ("locations", {"name": "l", "patterns": ["300.x.1.1"]}, "/patterns/0"),
            ("locations", {"name": "l", "time_zone": "../etc/passwd"}, "/time_zone"),
            ("sip-entities", {"name": "e", "type": "trunk", "address": "a b"}, "/address"),
            ("sip-entities", {"name": "e", "type": "fax", "address": "a"}, "/type"),
            ("sip-entities", {"name": "e", "type": "trunk", "address": "a", "monitoring": {"down_on": ["200"]}},
             "/monitoring/down_on/0"),
            ("adaptations", {"name": "a", "egress_remove_headers": ["X Y"]}, "/egress_remove_headers/0"),
            ("regular-expressions", {"pattern": "", "policies": ["out"]}, "/pattern"),
            ("firewall-rules", {"pattern": "somewhere", "action": "deny"}, "/pattern"),
            ("firewall-rules", {"pattern": "192.0.2.1", "action": "drop"}, "/action"),
            ("application-sequences", {"name": "s", "entities": [{"name": "cm"}] * 17}, "/entities")):
        answer = d.root.post("/uc/" + path, body)
        equal((answer.status, pointer(answer)), (422, where), (path, body, answer))


def expressions_are_compiled_where_they_are_entered(d, smgr):
    """With the place and PCRE2's reason, by every door: nothing that sm would have to leave out."""
    good = d.root.post("/uc/regular-expressions", {"pattern": "^77[0-9]+@", "policies": ["out"]})
    equal(good.status, 201, good)
    one = "/uc/regular-expressions/" + good.json["id"]
    for pattern, reason in (("^sip:(", "missing closing parenthesis at character 6"), ("[z-a]", "at character"),
                            ("*", "at character 0"), ("a{2,1}", "at character"), ("(*UTF)x", "at character")):
        document = {"schema": 1, "regular_expressions": [{"pattern": pattern, "policies": ["out"]}]}
        for answer, where in (
                (d.root.post("/uc/regular-expressions", {"pattern": pattern, "policies": ["out"]}), "/pattern"),
                (d.root.patch(one, {"pattern": pattern}, good.headers["ETag"]), "/pattern"),
                (d.root.post("/uc/import", document), "/regular_expressions/0/pattern")):
            equal((answer.status, pointer(answer)), (422, where), (pattern, answer))
            detail = answer.json["errors"][0]["detail"]
            assert "is no regular expression: " in detail and reason in detail, detail
    equal(d.root.get(one).json["pattern"], "^77[0-9]+@")
    equal(d.root.delete(one).status, 204)


def rights_are_asked(d, smgr):
    auditor, operator = d.admin("routing-auditor", "auditor"), d.admin("routing-operator", "operator")
    equal(auditor.get("/uc/dial-patterns").status, 200)
    equal(auditor.post("/uc/domains", {"name": "x.org"}).status, 403)
    equal(operator.get("/uc/dial-patterns").status, 403)


def removed_in_the_other_order(d, smgr, made):
    equal(smgr.psql("DELETE FROM dial_patterns WHERE pattern LIKE '7%'; DELETE FROM entity_links WHERE port >= 6000"), "")
    for path, one, row in reversed(made):
        if path == "routing-policies":
            equal(d.root.delete(one, headers={"If-Match": '"old"'}).status, 412)
        if path == "time-ranges":
            equal(d.root.delete(one + "?dry_run=true").json["plan"][0]["action"], "delete")
        answer = d.root.delete(one)
        equal(answer.status, 204, (path, answer))
        equal(d.root.get(one).status, 404)
        equal(d.root.delete(one).status, 404)
        equal(smgr.psql("SELECT count(*) FROM replica.tombstone WHERE key = '%s'" % row["id"]), "1", path)


def a_route_is_asked_of_sm(d, smgr):
    question = {"caller": "sip:3001@aurabox.internal", "callee": "3002"}
    answer = d.root.post("/uc/route-test", question)
    equal((answer.status, answer.code), (503, "unavailable"), answer)  # there is no sm here
    for wrong, where in (({"callee": "1"}, "/caller"), (dict(question, source="x"), "/source"),
                         (dict(question, at="noon"), "/at"), (dict(question, transport="sctp"), "/transport")):
        answer = d.root.post("/uc/route-test", wrong)
        equal((answer.status, pointer(answer)), (422, where), answer)


def all_of_it():
    with Daemon() as d, Smgr(d) as smgr:
        made = each_lives_from_create_to_delete(d, smgr)
        a_name_stands_in_the_path_and_goes_through(d, smgr)
        what_is_used_stays(d, smgr)
        secrets_go_to_sm_alone_and_sealed(d, smgr)
        settings_are_one_row(d, smgr)
        lists_are_searched_sorted_and_walked(d, smgr)
        bounds_hold(d, smgr)
        expressions_are_compiled_where_they_are_entered(d, smgr)
        rights_are_asked(d, smgr)
        a_route_is_asked_of_sm(d, smgr)
        removed_in_the_other_order(d, smgr, made)


if __name__ == "__main__":
    all_of_it()
