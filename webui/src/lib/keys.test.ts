import { describe, expect, it } from "vitest";
import { KeyReader } from "./keys.svelte";

const places = new Map([["p", "/people"], ["h", "/"]]);
const pressed = (key: string, at = 0, more = {}) => ({ key, ctrlKey: false, metaKey: false, altKey: false, busy: false, at, ...more });

describe("KeyReader", () => {
  it("goes to a page by g and its letter, soon after one another", () => {
    const reader = new KeyReader();
    expect(reader.read(pressed("g", 100), places, true)).toBeUndefined();
    expect(reader.read(pressed("p", 600), places, true)).toEqual({ do: "go", to: "/people" });
    expect(reader.read(pressed("p", 700), places, true)).toBeUndefined();
    reader.read(pressed("g", 1000), places, true);
    expect(reader.read(pressed("h", 4000), places, true)).toBeUndefined();
  });

  it("leaves those who type and those who switched it off alone, but not Ctrl K", () => {
    const reader = new KeyReader();
    expect(reader.read(pressed("/", 0, { busy: true }), places, true)).toBeUndefined();
    expect(reader.read(pressed("?", 0), places, false)).toBeUndefined();
    expect(reader.read(pressed("?", 0), places, true)).toEqual({ do: "help" });
    expect(reader.read(pressed("/", 0), places, true)).toEqual({ do: "search" });
    expect(reader.read(pressed("k", 0, { ctrlKey: true, busy: true }), places, false)).toEqual({ do: "palette" });
    expect(reader.read(pressed("K", 0, { metaKey: true }), places, true)).toEqual({ do: "palette" });
    expect(reader.read(pressed("/", 0, { ctrlKey: true }), places, true)).toBeUndefined();
  });
});
