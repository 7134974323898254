import { describe, expect, it } from "vitest";
import { begin, isTheirs, reached, userOf, withCall, withoutCall, withRecord, withRegistered, withRegistration } from "./call_watch";

const two = begin(["3001", "3002"]);
const call = { gsid: "g", caller: "sip:3001@box", callee: "3002", state: "ringing" };

describe("the first call", () => {
  it("waits for both telephones", () => {
    const one = withRegistration(two, "3001");
    expect(one.phase).toBe("waiting");
    expect(withRegistration(one, "9999").phase).toBe("waiting");
    expect(withRegistration(one, "3002").phase).toBe("registered");
    expect(withRegistered(withRegistration(one, "3002"), ["3002"]).registered).toEqual(["3002"]);
  });
  it("rings, talks and ends", () => {
    const ringing = withCall(two, call, 1000);
    expect(ringing.phase).toBe("ringing");
    const talking = withCall(ringing, { ...call, state: "talking" }, 1500);
    expect([talking.phase, talking.rangAt, talking.answeredAt]).toEqual(["talking", 1000, 1500]);
    const done = withoutCall(talking, "g");
    expect(done.phase).toBe("done");
    expect(reached(done, "registered")).toBe(true);
    expect(withCall(done, call, 2000)).toBe(done);
  });
  it("is no success when nobody answered", () => {
    const missed = withoutCall(withCall(withRegistered(two, ["3001", "3002"]), call, 1), "g");
    expect([missed.phase, missed.talked]).toEqual(["registered", false]);
  });
  it("heeds no other's call", () => {
    expect(withCall(two, { ...call, callee: "3003" }, 1)).toBe(two);
    expect(isTheirs(two, { caller: "3002", callee: "3001" })).toBe(true);
    expect(withoutCall(withCall(two, call, 1), "other").phase).toBe("ringing");
  });
  it("is proved by its record too", () => {
    expect(withRecord(two, { ...call, result: "answered" }).phase).toBe("done");
    expect(withRecord(two, { ...call, result: "busy" }).phase).toBe("waiting");
  });
  it("knows a person by the user part", () => {
    expect(["sip:3001@box", "3001", "sips:a.b@x;user=phone"].map(userOf)).toEqual(["3001", "3001", "a.b"]);
  });
});
