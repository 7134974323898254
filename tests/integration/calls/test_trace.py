#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 240
"""The trace of sm and cm through the API of auraboxd: lists, one message, a call as a ladder."""
import time

from beside import box_beside
from daemon import equal
from plane import hang_up, plane, talk
from sip_message import param
from standalone import run


def one_call(p, transport="udp"):
    """A whole call; its global session id."""
    ada, bob = p.phone("3001", transport), p.phone("3002", transport)
    call, ringing = talk(ada, bob)
    gsid = p.sm.items("/v1/calls")[0]["gsid"]
    hang_up(call, ringing)
    p.sm.wait_items("/v1/calls", 0)
    return ada, bob, call, gsid


def walk(d, path, limit):
    """All pages of a list."""
    items, cursor = [], None
    while True:
        answer = d.root.get(f"{path}&limit={limit}" + (f"&cursor={cursor}" if cursor else ""))
        assert answer.status == 200, answer
        assert len(answer.json["items"]) <= limit
        items += answer.json["items"]
        cursor = answer.json["next_cursor"]
        if cursor is None:
            return items
        assert len(answer.json["items"]) == limit


def a_list_is_walked_and_filtered():
    with plane(servers=("sm", "cm", "presence")) as p, box_beside(p) as d:
        _, _, call, gsid = one_call(p)
        answer = d.root.get("/uc/trace?limit=500&count=true").json
        everything = answer["items"]
        equal(answer["total"], len(everything))
        equal({n["node"]: n["state"] for n in answer["nodes"]}, {"sm": "ok", "cm": "ok", "presence": "ok"})
        equal([i["at_us"] for i in everything], sorted((i["at_us"] for i in everything), reverse=True))
        equal(len({i["id"] for i in everything}), len(everything))
        equal({i["node"] for i in everything} >= {"sm", "cm"}, True)
        assert not [i for i in everything if i["summary"].startswith("OPTIONS ")], "probes are left out"

        ids = [i["id"] for i in everything]
        for limit in (1, 7, 50):
            equal([i["id"] for i in walk(d, "/uc/trace?sort=-at_us", limit)], ids)
            equal([i["id"] for i in walk(d, "/uc/trace?sort=at_us", limit)], ids[::-1])

        def found(query, test):
            got = [i["id"] for i in d.root.get("/uc/trace?limit=500&" + query).json["items"]]
            wanted = [i["id"] for i in everything if test(i)]
            equal(got, wanted, query)
            assert 0 < len(got) < len(everything), (query, len(got), len(everything))

        found("gsid=" + gsid, lambda i: i["gsid"] == gsid)
        found("call_id=" + call.call_id, lambda i: i["call_id"] == call.call_id)
        found("node=cm", lambda i: i["node"] == "cm")
        found("q=record-ROUTE", lambda i: "record-route" in i["message"].lower())
        phone = "%s:%d" % call.phone.addr
        found("address=" + phone, lambda i: phone in (i["local"], i["remote"]))
        equal(d.root.get("/uc/trace?address=192.0.2.1").json["items"], [])
        equal(d.root.get("/uc/trace?user=300").json["items"], [], "a part of a number is no user")
        named = {i["call_id"] for i in d.root.get("/uc/trace?limit=500&user=3001").json["items"]}
        assert call.call_id in named and len(named) >= 4, "its registration and the three legs"
        middle = everything[len(everything) // 2]["at"]
        found("at.gte=" + middle, lambda i: i["at"] >= middle)
        found("at.lt=" + middle, lambda i: i["at"] < middle)

        one = d.root.get("/uc/trace/messages/" + ids[3]).json
        equal({k: one[k] for k in ("id", "message", "seq")},
              {k: everything[3][k] for k in ("id", "message", "seq")})
        secret = [m for m in p.wire.requests("INVITE", {call.call_id})
                  if m.get("Proxy-Authorization")][0].get("Proxy-Authorization")
        whole = "".join(i["message"] for i in everything)
        assert "Proxy-Authorization: Digest" in whole
        assert param(secret.replace(", ", ";"), "response") not in whole, "a secret is in the trace"


def a_call_is_a_ladder(transport):
    with plane() as p, box_beside(p) as d:
        ada, bob, call, gsid = one_call(p, transport)
        answer = d.root.get(f"/uc/trace/{gsid}/ladder")
        equal(answer.status, 200)
        ladder = answer.json
        names = [x["name"] for x in ladder["participants"]]
        equal(names, ["3001", "sm", "cm", "3002"])
        equal([x["kind"] for x in ladder["participants"]], ["phone", "node", "node", "phone"])
        equal([x["address"] for x in ladder["participants"]],
              ["%s:%d" % ada.addr, None, None, "%s:%d" % bob.addr])
        equal((ladder["gsid"], ladder["truncated"]), (gsid, False))

        messages = ladder["messages"]
        equal([m["offset_us"] for m in messages], sorted(m["offset_us"] for m in messages))
        invites = [m for m in messages if m["method"] == "INVITE" and m["status"] is None]
        ways = [(names[m["from"]], names[m["to"]], m.get("phase")) for m in invites]
        equal(ways, [("3001", "sm", None), ("3001", "sm", None), ("sm", "cm", "imsorig"),
                     ("cm", "sm", "origdone"), ("sm", "cm", "imsterm"), ("cm", "sm", "termdone"),
                     ("sm", "3002", None)])
        assert all(m["sdp"] for m in invites)
        between = [m for m in messages if {names[m["from"]], names[m["to"]]} == {"sm", "cm"}]
        assert all(m["received_id"].split("-")[0] != m["id"].split("-")[0] and m["transit_us"] is not None
                   for m in between), "each hop between our servers is one arrow"
        answered = [m for m in messages if m["label"] == "200 OK" and m["method"] == "INVITE"]
        equal([(names[m["from"]], names[m["to"]]) for m in answered],
              [("3002", "sm"), ("sm", "cm"), ("cm", "sm"), ("sm", "cm"), ("cm", "sm"), ("sm", "3001")])
        equal(len([m for m in messages if m["method"] == "BYE" and m["status"] is None]), 6)
        equal(len(ladder["legs"]), 3)
        equal(ladder["legs"][0], {"call_id": call.call_id, "caller": "3001", "callee": "3002"})

        # The phases follow one another without a hole.
        phases = ladder["phases"]
        equal([x["name"] for x in phases],
              ["setup", "imsorig", "origdone", "imsterm", "termdone", "talk", "release"])
        equal(phases[0]["first"], 0)
        equal(phases[-1]["last"], len(messages) - 1)
        for x, y in zip(phases, phases[1:]):
            equal(x["last"] + 1, y["first"])
        equal(messages[phases[-1]["first"]]["method"], "BYE")

        # What is drawn is what the wire carried: as much, and towards the caller in that order.
        seen = [m for m in p.wire.messages if m.call_id == call.call_id]
        traced = [m for m in messages if m["leg"] == 0]

        def label(m):
            return m.method if m.is_request else m.start.split(" ", 1)[1]

        equal(sorted(m["label"] for m in traced), sorted(map(label, seen)))
        equal([m["label"] for m in traced if names[m["to"]] == "3001"],
              [label(m) for m in seen if m.dest == ada.addr])


def a_call_of_udp_phones_is_a_ladder():
    a_call_is_a_ladder("udp")


def a_call_of_tcp_phones_is_a_ladder():
    a_call_is_a_ladder("tcp")


def bad_questions_are_refused():
    with plane() as p, box_beside(p) as d:
        for query, parameter in (("address=nowhere", "address"), ("node=mars", "node"), ("limit=0", "limit"),
                                 ("limit=501", "limit"), ("at.gte=yesterday", "at.gte"), ("colour=red", "colour"),
                                 ("sort=message", "sort"), ("cursor=x", "cursor")):
            answer = d.root.get("/uc/trace?" + query)
            equal((answer.status, answer.json["errors"][0]["parameter"]), (422, parameter), query)
        for path in ("/uc/trace/messages/sm-1", "/uc/trace/messages/mars-1", "/uc/trace/messages/sm-",
                     "/uc/trace/messages/sm-99999999999999999999", "/uc/trace/nothing/ladder"):
            equal((d.root.get(path).status, d.root.get(path).code), (404, "not_found"), path)
        equal(d.nobody.get("/uc/trace").status, 401)


def a_node_that_is_away_is_told():
    with plane() as p, box_beside(p) as d:
        *_, gsid = one_call(p)
        p.cm.stop()
        answer = d.root.get("/uc/trace?limit=500").json
        equal({n["node"]: n["state"] for n in answer["nodes"]},
              {"sm": "ok", "cm": "unreachable", "presence": "absent"})
        equal({i["node"] for i in answer["items"]}, {"sm"})
        ladder = d.root.get(f"/uc/trace/{gsid}/ladder").json
        equal([x["name"] for x in ladder["participants"]][:3], ["3001", "sm", "cm"],
              "the entity's address says who it was")
        p.sm.stop()
        time.sleep(0.1)
        equal(d.root.get("/uc/trace").status, 503)


if __name__ == "__main__":
    run([a_list_is_walked_and_filtered, a_call_of_udp_phones_is_a_ladder, a_call_of_tcp_phones_is_a_ladder,
         bad_questions_are_refused, a_node_that_is_away_is_told])
