import { describe, expect, it } from "vitest";
import { layOut, party, uriOf, type RouteAnswer, type RouteCandidate } from "./path";

const question = { caller: "sip:3001@aurabox.internal", callee: "00441234" };
const candidate = (entity: string, link_state: string): RouteCandidate => ({
  entity, link_state, policy: "p", rank: 0, request_uri: `sip:+441234@${entity}`,
});
const answer = (changes: Partial<RouteAnswer>): RouteAnswer => ({
  outcome: "entity", sip_status: null, location: "site A", emergency: false, steps: [], candidates: [], request_uri: null, ...changes,
});

describe("layOut", () => {
  it("draws what counted, in order, and each place it would be tried at", () => {
    const steps = [
      { step: "domain", result: "match", name: "aurabox.internal", detail: "" },
      { step: "implicit_user", result: "none", name: null, detail: null },
      { step: "dial_pattern", result: "match", name: "00x", detail: "3 literal digits" },
    ];
    const drawn = layOut(question, answer({ steps, candidates: [candidate("central", "down"), candidate("local", "up")] }));
    expect(drawn.stops.map((stop) => stop.step)).toEqual(["caller", "domain", "dial_pattern"]);
    expect(drawn.branches.map((branch) => branch.taken)).toEqual([false, true]);
    const heights = [...drawn.stops.map((stop) => stop.y), ...drawn.branches.map((branch) => branch.y), drawn.height];
    expect(heights).toEqual([...heights].sort((a, b) => a - b));
  });

  it("shows with each entity what is about it alone", () => {
    const steps = [
      { step: "caller", result: "match", name: "3001", detail: "first through the sequence default" },
      { step: "adaptation", result: "match", name: "e164", detail: "ingress: 00 is cut off" },
      { step: "link", result: "match", name: "local", detail: "up" },
      { step: "link", result: "match", name: "elsewhere", detail: "up" },
      { step: "adaptation", result: "match", name: "e164", detail: "egress to local: +44" },
    ];
    const drawn = layOut(question, answer({ steps, candidates: [candidate("local", "up")] }));
    expect(drawn.stops.map((stop) => `${stop.step} ${stop.name}`)).toEqual(["caller 3001@aurabox.internal", "adaptation e164", "link elsewhere"]);
  });

  it("ends where no entity is asked", () => {
    for (const outcome of ["denied", "not_found", "user", "down"] as const)
      expect(layOut(question, answer({ outcome, sip_status: 404 })).stops.at(-1)?.step).toBe(outcome);
  });

  it("takes none of the entities when all are down", () => {
    const drawn = layOut(question, answer({ outcome: "down", candidates: [candidate("central", "down")] }));
    expect([drawn.stops.at(-1)?.step, drawn.branches.map((branch) => branch.taken)]).toEqual(["down", [false]]);
  });
});

it("party and uriOf read what people type", () => {
  expect([party("<sip:3001@a.b;user=phone>"), party("tel:+49"), party("3001")]).toEqual(["3001@a.b", "+49", "3001"]);
  expect([uriOf(" 3001 "), uriOf("ada@a.b"), uriOf("SIP:ada@a.b")]).toEqual(["3001", "sip:ada@a.b", "SIP:ada@a.b"]);
});
