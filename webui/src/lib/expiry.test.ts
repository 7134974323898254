import { describe, expect, it } from "vitest";
import { expiryOf, noticeAt } from "./expiry";

const start = Date.parse("2026-11-21T10:00:00Z");
const limits = { expires_at: "2026-11-21T22:00:00Z", idle_timeout_s: 1800 };

describe("expiryOf", () => {
  it("is the idle time after the last answer, a little early for the appliance rounds", () => {
    expect(expiryOf(limits, start)).toEqual({ at: start + 1_785_000, forGood: false });
    expect(expiryOf({ ...limits, idle_timeout_s: 20 }, start)).toEqual({ at: start + 15_000, forGood: false });
  });

  it("is the end for good when that comes first", () => {
    const late = Date.parse("2026-11-21T21:50:00Z");
    expect(expiryOf(limits, late)).toEqual({ at: Date.parse("2026-11-21T22:00:00Z"), forGood: true });
    expect(expiryOf({ expires_at: null, idle_timeout_s: null }, start)).toBeUndefined();
  });
});

describe("noticeAt", () => {
  it("comes two minutes before, sooner after the last answer if the idle time is short", () => {
    expect(noticeAt({ at: start, forGood: true }, limits)).toBe(start - 120_000);
    expect(noticeAt({ at: start, forGood: false }, limits)).toBe(start - 120_000);
    const brief = { ...limits, idle_timeout_s: 60 };
    const expiry = expiryOf(brief, start);
    expect(expiry && noticeAt(expiry, brief)).toBe(start + 45_000 - 20_000);
  });
});
