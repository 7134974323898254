import { describe, expect, it } from "vitest";
import { bucketLabel, ceiling, isFlat, stack, timeLabel } from "./shape";

describe("stack", () => {
  it("puts each series on those before it and takes gaps for nothing", () => {
    expect(stack([[1, 2, null], [3, null, null], [0, 1, 5]])).toEqual([[1, 2, 0], [4, 2, 0], [4, 3, 5]]);
  });
  it("leaves the input alone", () => {
    const input = [[1], [2]];
    stack(input);
    expect(input).toEqual([[1], [2]]);
  });
});

describe("ceiling", () => {
  it("gives room above the highest value on a whole step", () => {
    expect(ceiling([[1, 7, null]], 4)).toBe(8);
    expect(ceiling([[99]], 4)).toBe(200);
    expect(ceiling([[370]], 4)).toBe(400);
  });
  it("is never flat, and never lower than the least", () => {
    expect(ceiling([[]], 4)).toBe(4);
    expect(ceiling([[0, null]], 5)).toBe(5);
    expect(ceiling([[1]], 4)).toBe(4);
  });
});

describe("isFlat", () => {
  it("tells nothing from something", () => {
    expect(isFlat([[0, null], []])).toBe(true);
    expect(isFlat([[0, null], [0.5]])).toBe(false);
  });
});

describe("labels of time", () => {
  const at = (hour: number): number => new Date(2026, 10, 21, hour).getTime() / 1000;

  it("name the hour, but the day at midnight and where marks are days apart", () => {
    expect(timeLabel(at(14), 3600, "en-GB")).toBe("14:00");
    expect(timeLabel(at(0), 3600, "en-GB")).toBe("21 Nov");
    expect(timeLabel(at(14), 86400, "en-GB")).toBe("21 Nov");
    expect(timeLabel(at(14), 3600, "en-US")).toBe("02:00 PM");
  });
  it("name a bucket from its beginning to its end", () => {
    expect(bucketLabel(at(14), 1800, "en-GB")).toMatch(/21 Nov.*14:00.*14:30/);
  });
});
