import { afterEach, describe, expect, it } from "vitest";
import { ago, bytes, duration, number, percent, say, short, useLocale, when } from "./i18n";
import { pseudo } from "./pseudo";

const now = Date.parse("2026-11-21T14:28:03Z");

afterEach(() => useLocale("en-GB"));

describe("say", () => {
  it("fills values in and keeps what is not given", () => {
    expect(say("frame.select_row", { name: "3001" })).toBe("Select 3001");
    expect(say("frame.select_row")).toBe("Select {name}");
    expect(say("frame.select_row", { name: "$& {name}" })).toBe("Select $& {name}");
  });

  it("keeps a value that turns its direction from turning the sentence", () => {
    expect(say("frame.select_row", { name: "\u202eevil" })).toBe("Select \u2068\u202eevil\u2069");
    expect(say("frame.select_row", { name: "עדה" })).toBe("Select \u2068עדה\u2069");
    expect(say("frame.select_row", { name: "\u2068עדה\u2069" })).toBe("Select \u2068עדה\u2069");
    expect(say("frame.select_row", { name: "Zoë" })).toBe("Select Zoë");
  });

  it("picks the plural form and writes the figure as the locale does", () => {
    expect(say.n("frame.alarms", 1)).toBe("1 alarm");
    expect(say.n("frame.alarms", 0)).toBe("0 alarms");
    expect(say.n("frame.alarms", 12000)).toBe("12,000 alarms");
    useLocale("de-DE");
    expect(say.n("frame.alarms", 12000)).toBe("12.000 alarms");
  });

  it("draws the pseudo-locale", () => {
    useLocale("pseudo");
    const text = say("frame.select_row", { name: "3001" });
    expect(text).toMatch(/^\[.*3001.*\]$/);
    expect(text).not.toContain("Select");
  });
});

describe("pseudo", () => {
  it("is at least 40 % longer, in brackets, and leaves {names} alone", () => {
    const text = "Nothing would change in {name} for {n} people.";
    const drawn = pseudo(text);
    expect(drawn).toContain("{name}");
    expect(drawn).toContain("{n}");
    const words = (all: string): string => all.replace(/\{\w+\}/g, "");
    expect(words(drawn).length).toBeGreaterThanOrEqual(words(text).length * 1.4);
    expect(words(drawn)).not.toMatch(/[A-Za-z]{2}/);
  });
});

describe("figures", () => {
  it("are written as the reader's locale does", () => {
    expect(number(1234.56)).toBe("1,234.6");
    expect(percent(0.934)).toBe("93%");
    expect(bytes(1536 * 1024 * 1024)).toBe("1.5\u00a0GiB");
    expect(bytes(256 * 1024 * 1024)).toBe("256\u00a0MiB");
    expect(bytes(0)).toBe("0\u00a0B");
    useLocale("de-DE");
    expect(number(1234.56)).toBe("1.234,6");
    expect(bytes(1536 * 1024 * 1024)).toBe("1,5\u00a0GiB");
  });

  it("give the two largest units of a duration", () => {
    expect(duration(14)).toBe("14s");
    expect(duration(3905)).toBe("1h 5m");
    expect(duration(7200)).toBe("2h");
    expect(duration(200000)).toBe("2d 7h");
    expect(duration(-3)).toBe("0s");
  });
});

describe("dates", () => {
  it("say how far they are from now", () => {
    expect(ago("2026-11-21T14:27:49Z", now)).toBe("14 sec ago");
    expect(ago("2026-11-21T12:00:00Z", now)).toBe("2 hr ago");
    expect(ago("2026-11-23T14:28:03Z", now)).toBe("in 2 days");
    expect(ago("nonsense", now)).toBe("nonsense");
  });

  it("name the day only if it is another", () => {
    expect(short("2026-11-21T14:05:00Z", now)).toMatch(/^\d\d:\d\d$/);
    expect(short("2026-11-19T14:05:00Z", now)).toMatch(/Nov/);
    expect(when("2026-11-21T14:05:09Z")).toMatch(/2026.*:05:09/);
    expect(when("")).toBe("");
  });
});
