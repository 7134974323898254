import { describe, expect, it } from "vitest";
import { englishAgo, englishInteger, englishPercent, englishUnit, groupsByComma, isAmerican } from "./english";

describe("English without Intl", () => {
  it("is that of Intl", () => {
    const numbers = ["en-US", "en-GB"].map((each) => new Intl.NumberFormat(each));
    for (const number of numbers) for (const n of [0, 7, 999, 1000, -1000, 12345, 999_999, 1_000_000, -98_765_432, 2 ** 52]) expect(englishInteger(n)).toBe(number.format(n));
    for (const locale of ["en-US", "en-GB"]) {
      const percents = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 0 });
      for (const share of [0, 0.004, 0.005, 0.145, 0.285, 0.5, 0.934, 0.995, 1, 12.34]) expect(englishPercent(share)).toBe(percents.format(share));
      for (const unit of ["second", "minute", "hour", "day"] as const) {
        const units = new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "narrow", maximumFractionDigits: 0 });
        for (const n of [0, 1, 2, 59, 1234]) expect(englishUnit(n, unit)).toBe(units.format(n));
      }
    }
    const span = new Intl.RelativeTimeFormat("en-US", { numeric: "auto", style: "short" });
    for (const unit of ["second", "minute", "hour", "day"] as const)
      for (const n of [-1200, -59, -2, -1, 1, 2, 23, 4000]) expect(englishAgo(n, unit)).toBe(span.format(n, unit));
    expect(englishAgo(0, "second")).toBe(span.format(0, "second"));
  });
  it("is for those who read it so", () => {
    const readers = ["en", "en-US", "en-GB", "en-IN", "de", "ar-EG"];
    expect(readers.filter(isAmerican)).toEqual(["en", "en-US"]);
    expect(readers.filter(groupsByComma)).toEqual(["en", "en-US", "en-GB"]);
  });
});
