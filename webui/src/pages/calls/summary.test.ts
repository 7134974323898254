import { describe, expect, it } from "vitest";
import { delays, ratios, talk, times, totals, type Bucket } from "./summary";

function bucket(more: Partial<Bucket>): Bucket {
  return { at: "2026-11-21T14:00:00.000Z", attempts: 0, answered: 0, failed: 0, busy: 0, no_answer: 0, cancelled: 0, talk_s: 0, ...more };
}

describe("totals", () => {
  it("add up, and divide only by what there is", () => {
    const all = totals([bucket({ attempts: 4, answered: 3, failed: 1, talk_s: 90 }), bucket({ attempts: 1, busy: 1 })]);
    expect(all).toMatchObject({ attempts: 5, answered: 3, ratio: 0.6, busy: 1, failed: 1, talk_s: 90, mean_talk_s: 30 });
    expect(totals([])).toMatchObject({ attempts: 0, ratio: null, mean_talk_s: null });
  });
});

describe("ratios", () => {
  it("are gaps where nobody called, and 0 where nobody answered", () => {
    expect(ratios([bucket({}), bucket({ attempts: 2 }), bucket({ attempts: 4, answered: 3 })])).toEqual([null, 0, 75]);
  });
});

describe("times", () => {
  it("are seconds", () => {
    expect(times([bucket({})])).toEqual([Date.parse("2026-11-21T14:00:00.000Z") / 1000]);
  });
});

describe("delays", () => {
  it("are absent when nothing measures them", () => {
    expect(delays([bucket({ attempts: 2 })])).toBeUndefined();
  });
  it("weigh by attempts and leave gaps", () => {
    const all = [bucket({ attempts: 1, post_dial_delay_ms: 100 }), bucket({ post_dial_delay_ms: null }), bucket({ attempts: 3, post_dial_delay_ms: 200 })];
    expect(delays(all)).toEqual({ values: [100, null, 200], mean: 175 });
    expect(delays([bucket({ post_dial_delay_ms: null })])?.mean).toBeNull();
  });
});

describe("talk", () => {
  it("is told in minutes, and in hours where it is long", () => {
    expect(talk([bucket({ talk_s: 90 }), bucket({})])).toEqual({ unit: "minutes", values: [1.5, 0] });
    expect(talk([bucket({ talk_s: 7200 }), bucket({ talk_s: 1800 })])).toEqual({ unit: "hours", values: [2, 0.5] });
  });
});
