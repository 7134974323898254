import { describe, expect, it } from "vitest";
import { rank } from "./rank";

const found = (text: string): string[] => rank(["Restart sm", "Machines", "sm", "Start presence", "Smith, Ann"], text, (each) => each);

describe("rank", () => {
  it("wants every word, and puts beginnings first", () => {
    expect(found("sm")).toEqual(["sm", "Smith, Ann", "Restart sm"]);
    expect(found("start")).toEqual(["Start presence", "Restart sm"]);
    expect(found("ann smith")).toEqual(["Smith, Ann"]);
    expect(found("nobody")).toEqual([]);
  });
});
