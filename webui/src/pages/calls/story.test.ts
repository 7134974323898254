import { describe, expect, it } from "vitest";
import type { Cdr } from "./call";
import { lanes, moments, storyScale } from "./story";

type Half = Cdr["halves"][number];
const at = (s: number): string => new Date(Date.UTC(2026, 10, 21, 14, 0, 0) + s * 1000).toISOString();
const ms = (s: number): number => Date.parse(at(s));

function half(key: string, handle: string, from: number, answered: number | null, to: number, more: Partial<Half> = {}): Half {
  return {
    half: key, phase: key.startsWith("orig") ? "imsorig" : "imsterm", handle, peer: "", caller: "3001", callee: "3002",
    started_at: at(from), answered_at: answered === null ? null : at(answered), ended_at: at(to), duration_s: 0, result: "answered", sip_status: 200, ...more,
  };
}

function record(more: Partial<Cdr> = {}): Cdr {
  return {
    gsid: "g", caller: "3001", callee: "3002", started_at: at(0), answered_at: at(4), ended_at: at(64), duration_s: 60,
    result: "answered", sip_status: 200, halves: [half("term", "3002", 0.1, 4, 64), half("orig", "3001", 0, 4.05, 64)], ...more,
  };
}

describe("lanes", () => {
  it("show the caller first, and ringing before talk", () => {
    const [first, second] = lanes(record());
    expect([first?.handle, first?.side, second?.handle, second?.side]).toEqual(["3001", "orig", "3002", "term"]);
    expect(second?.spans).toEqual([{ kind: "ring", from: ms(0.1), to: ms(4) }, { kind: "talk", from: ms(4), to: ms(64) }]);
  });
  it("order several callees by when they were called", () => {
    const halves = [half("term.2", "3003", 2, 4, 64), half("term", "3002", 1, null, 2, { result: "busy", sip_status: 486 }), half("orig", "3001", 0, 4, 64)];
    expect(lanes(record({ halves })).map((lane) => lane.handle)).toEqual(["3001", "3002", "3003"]);
  });
  it("ring to the end without an answer, and bear times that are absent or out of order", () => {
    const halves = [half("orig", "3001", 0, null, 9), half("term", "3002", 0, 99, 9, { started_at: null })];
    const [caller, callee] = lanes(record({ halves, answered_at: null, ended_at: at(9) }));
    expect(caller?.spans).toEqual([{ kind: "ring", from: ms(0), to: ms(9) }]);
    expect(callee?.spans.every((span) => span.from >= ms(0) && span.to <= ms(9) && span.from <= span.to)).toBe(true);
  });
  it("make one of the record alone when its halves never came", () => {
    expect(lanes(record({ halves: [] })).map((lane) => lane.handle)).toEqual(["3001"]);
  });
});

describe("moments", () => {
  it("tell an answered call in order", () => {
    expect(moments(record()).map((m) => [m.kind, m.who, m.status])).toEqual([
      ["dialled", "3001", null], ["offered", "3002", null], ["answered", "3002", 200], ["ended", "3001", null],
    ]);
  });
  it("tell why a call without answer ended", () => {
    const halves = [half("orig", "3001", 0, null, 9)];
    const told = moments(record({ halves, answered_at: null, ended_at: at(9), result: "failed", sip_status: 404 }));
    expect(told.map((m) => [m.kind, m.status])).toEqual([["dialled", null], ["ended", 404]]);
  });
});

describe("storyScale", () => {
  it("is true to length where there is room", () => {
    const x = storyScale([0, 50, 100], 200, 10);
    expect([x(0), x(25), x(50), x(100)]).toEqual([0, 50, 100, 200]);
  });
  it("keeps a short stretch wide enough to be seen beside a long one", () => {
    const x = storyScale([0, 4, 3604], 1000, 120);
    expect(x(4)).toBe(120);
    expect(x(3604)).toBe(1000);
    expect(x(1804)).toBeCloseTo(560);
  });
  it("never runs over, also with more stretches than fit, none, or one time alone", () => {
    const many = storyScale([0, 1, 2, 3, 4], 100, 60);
    expect(many(4)).toBe(100);
    expect(many(99)).toBe(100);
    expect(storyScale([], 100, 10)(5)).toBe(0);
    expect(storyScale([7], 100, 10)(7)).toBe(0);
    expect(storyScale([3, Number.NaN, 5], 100, 10)(5)).toBe(100);
  });
});
