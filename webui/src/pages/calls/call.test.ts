import { describe, expect, it } from "vitest";
import type { ApplianceEvent } from "../../lib/events";
import { applyCallEvent, liveSeconds, ringSeconds, type Call, type Cdr } from "./call";

function call(gsid: string, more: Partial<Call> = {}): Call {
  const base: Call = { gsid, caller: "3001", callee: "3002", state: "ringing", started_at: "2026-11-21T14:00:00.000Z", answered_at: null, legs: [] };
  return { ...base, ...more };
}

function event(type: string, subject: string, data: unknown = null): ApplianceEvent {
  return { id: 1, at: "", topic: "uc.calls", type, subject, data };
}

describe("applyCallEvent", () => {
  const before = [call("a"), call("b")];

  it("puts a new call first and changes a known one in its place", () => {
    expect(applyCallEvent(before, event("call.changed", "c", call("c")))?.map((c) => c.gsid)).toEqual(["c", "a", "b"]);
    const after = applyCallEvent(before, event("call.changed", "b", call("b", { state: "talking" })));
    expect(after?.map((c) => c.state)).toEqual(["ringing", "talking"]);
  });
  it("takes out what has ended", () => {
    expect(applyCallEvent(before, event("call.deleted", "a", call("a")))?.map((c) => c.gsid)).toEqual(["b"]);
  });
  it("asks for the list anew after a summary and ignores what it does not know", () => {
    expect(applyCallEvent(before, event("calls.changed", "*", { total: 900 }))).toBeUndefined();
    expect(applyCallEvent(before, event("vm.changed", "a"))).toBe(before);
  });
});

describe("seconds", () => {
  const at = Date.parse("2026-11-21T14:01:00.500Z");

  it("count talk from the answer and ringing from the start", () => {
    expect(liveSeconds(call("a"), at)).toBe(60);
    expect(liveSeconds(call("a", { state: "talking", answered_at: "2026-11-21T14:00:58.000Z" }), at)).toBe(2);
  });
  it("are never negative when this clock is behind the appliance's", () => {
    expect(liveSeconds(call("a"), at - 3600000)).toBe(0);
  });
  it("of ringing end with the answer, or with the call", () => {
    const record = { started_at: "2026-11-21T14:00:00.000Z", answered_at: "2026-11-21T14:00:04.200Z", ended_at: "2026-11-21T14:02:00.000Z" } as Cdr;
    expect(ringSeconds(record)).toBeCloseTo(4.2);
    expect(ringSeconds({ ...record, answered_at: null })).toBe(120);
  });
});
