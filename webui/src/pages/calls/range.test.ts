import { describe, expect, it } from "vitest";
import { asRange, fromInput, startOfDay, toInput, today, windowOf } from "./range";

const now = new Date(2026, 10, 21, 14, 20, 5).getTime();

describe("windowOf", () => {
  it("ends with the step that is under way, so that the last bucket holds now", () => {
    const day = windowOf("24h", now);
    expect(Date.parse(day.to)).toBe(new Date(2026, 10, 21, 14, 30).getTime());
    expect(Date.parse(day.to) - Date.parse(day.from)).toBe(24 * 3600 * 1000);
    expect(Date.parse(windowOf("7d", now).to)).toBe(new Date(2026, 10, 21, 15).getTime());
    expect(Date.parse(windowOf("30d", now).to)).toBe(new Date(2026, 10, 22).getTime());
  });
  it("asks for at most 500 buckets", () => {
    for (const range of ["24h", "7d", "30d"] as const) {
      const { from, to, step_s } = windowOf(range, now);
      expect((Date.parse(to) - Date.parse(from)) / 1000 / step_s).toBeLessThanOrEqual(500);
    }
  });
});

describe("today", () => {
  it("reaches from midnight to midnight of the reader's day", () => {
    const day = today(now);
    expect(Date.parse(day.from)).toBe(startOfDay(now));
    expect(Date.parse(day.to)).toBe(new Date(2026, 10, 22).getTime());
  });
});

describe("asRange", () => {
  it("takes what it knows from an address and nothing else", () => {
    expect(asRange("7d")).toBe("7d");
    expect(asRange("1y")).toBe("24h");
    expect(asRange(null)).toBe("24h");
  });
});

describe("inputs of time", () => {
  it("hold the reader's own time and give it back as an instant", () => {
    const instant = new Date(2026, 10, 21, 14, 20).toISOString();
    expect(toInput(instant)).toBe("2026-11-21T14:20");
    expect(fromInput(toInput(instant))).toBe(instant);
  });
  it("take nonsense for nothing", () => {
    expect(toInput("yesterday")).toBe("");
    expect(toInput(null)).toBe("");
    expect(fromInput("")).toBeUndefined();
    expect(fromInput("x")).toBeUndefined();
  });
});
