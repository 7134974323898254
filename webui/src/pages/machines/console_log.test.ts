import { describe, expect, it } from "vitest";
import { asText, clean, filterLines } from "./console_log";

describe("the console log", () => {
  it("is text, not a terminal's commands", () => {
    expect(clean("\u001b[1;32mok\u001b[0m\u0007 <b>bold</b>\r")).toBe("ok <b>bold</b>");
  });
  it("keeps the lines that hold all words, with their numbers", () => {
    const lines = ["sm: Ready", "kernel: oops", "SM: not ready"];
    expect(filterLines(lines, " READY sm ")).toEqual([{ number: 1, text: "sm: Ready" }, { number: 3, text: "SM: not ready" }]);
    expect(filterLines(lines, "")).toHaveLength(3);
    expect(filterLines(lines, ".*")).toEqual([]);
  });
  it("is copied as it is shown", () => {
    expect(asText(filterLines(["a", "b", "ab"], "b"))).toBe("b\nab");
  });
});
