import { describe, expect, it } from "vitest";
import { toCsv } from "./csv";

describe("toCsv", () => {
  it("quotes what would break the row and doubles quotes", () => {
    expect(toCsv(["a", "b"], [['x,"y"', "1\n2"], [null, 3.5]])).toBe('a,b\r\n"x,""y""","1\n2"\r\n,3.5\r\n');
  });
  it("lets no caller write a formula", () => {
    for (const evil of ["=1+1", "+3001", "-1", "@SUM(A1)", "\t=1", "\r=1"])
      expect(toCsv([evil], [])).toMatch(/^"?'/);
  });
  it("leaves numbers numbers", () => {
    expect(toCsv([], [[-3]])).toContain("-3");
  });
});
