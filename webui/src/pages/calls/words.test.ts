import { beforeAll, describe, expect, it } from "vitest";
import { loadWords, useLocale } from "../../lib/i18n";
import { halfResultWord, span, statusWord, ticking } from "./words";

beforeAll(async () => {
  useLocale("en-GB");
  await loadWords(["calls"]);
});

describe("statusWord", () => {
  it("explains what it knows and shows what it does not", () => {
    expect(statusWord(486)).toBe("486 Busy here");
    expect(statusWord(699)).toBe("699");
    expect(statusWord(null)).toBe("–");
  });
});

describe("halfResultWord", () => {
  it("words known results and gives others as they came", () => {
    expect(halfResultWord("no_answer")).toBe("No answer");
    expect(halfResultWord("toString")).toBe("toString");
  });
});

describe("lengths of time", () => {
  it("are fine where they are short and coarse where they are long", () => {
    expect(span(0)).toBe("0 s");
    expect(span(0.084)).toBe("0.08 s");
    expect(span(4.23)).toBe("4.2 s");
    expect(span(3905)).toBe("1h 5m");
  });
  it("tick as clocks do", () => {
    expect([ticking(0), ticking(74), ticking(3723)]).toEqual(["0:00", "1:14", "1:02:03"]);
  });
});
