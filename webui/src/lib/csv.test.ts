import { describe, expect, it } from "vitest";
import { parseCsv, toCsv } from "./csv";

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

describe("parseCsv", () => {
  it("reads what toCsv wrote", () => {
    const rows = [["Ada, \"the\" first", "=1+1", "two\r\nlines"], ["", "3001", "ß"]];
    expect(parseCsv(toCsv(["a", "b", "c"], rows))).toEqual([["a", "b", "c"], ...rows]);
  });
  it("takes what spreadsheets write: a mark in front, semicolons, tabs, any end of line, empty lines", () => {
    expect(parseCsv("\ufeffa;b\n1,5;2\r\n\r\n;\n3;")).toEqual([["a", "b"], ["1,5", "2"], ["3", ""]]);
    expect(parseCsv("a\tb\r1\t2")).toEqual([["a", "b"], ["1", "2"]]);
  });
  it("does not guess where a quote ends", () => expect(parseCsv('a,"b\n1,2')).toBeUndefined());
  it("is empty for nothing", () => expect(parseCsv("")).toEqual([]));
});
