import { describe, expect, it } from "vitest";
import { change, diskBytes, fits, freeName, limitsOf, missing, nameFits, wanted, type Template } from "./settings";

describe("settings", () => {
  it("edits what waits, not what runs", () => {
    expect(wanted({ cpus: 1, memory_mib: 128, pending: { memory_mib: 256 } })).toEqual({ cpus: 1, memory_mib: 256 });
    expect(wanted({ cpus: 1, memory_mib: 128, pending: null })).toEqual({ cpus: 1, memory_mib: 128 });
  });
  it("sends only what differs", () => {
    expect(change({ cpus: 1, memory_mib: 128 }, { cpus: 1, memory_mib: 160 })).toEqual({ memory_mib: 160 });
    expect(change({ cpus: 1, memory_mib: 128 }, { cpus: 1, memory_mib: 128 })).toBeUndefined();
  });
  it("keeps to the template's range", () => {
    const { memory_mib } = limitsOf({ limits: { cpus_min: 1, cpus_max: 8, memory_mib_min: 192, memory_mib_max: 65536 } });
    expect([191, 192, 65536, 65537, 200.5, Number.NaN].map((n) => fits(n, memory_mib))).toEqual([false, true, true, false, false, false]);
    expect(limitsOf(undefined).cpus).toEqual({ min: 1, max: 64 });
  });
});

describe("names", () => {
  it("are those that the appliance takes", () => {
    expect(["sm", "a", "a-1", "a".repeat(63)].every(nameFits)).toBe(true);
    expect(["", "1a", "a-", "A", "a b", "a".repeat(64)].some(nameFits)).toBe(false);
  });
  it("are made free", () => {
    expect(freeName("sm", [])).toBe("sm");
    expect(freeName("sm", ["sm", "sm-2"])).toBe("sm-3");
  });
});

describe("the catalogue", () => {
  const template = (name: string, more: Partial<Template> = {}): Template => ({ name, title: name, valid: true, errors: [], deployed: [], ...more });
  it("says what a template still needs", () => {
    const all = [template("smgr", { deployed: ["smgr"] }), template("sm", { deployed: [] })];
    expect(missing({ requires: ["smgr", "sm"] }, all)).toEqual(["sm"]);
    expect(missing({}, all)).toEqual([]);
  });
  it("adds its disks up", () => {
    expect(diskBytes({ disks: [{ id: "data", size_mib: 1 }, { id: "more", size_mib: 2 }] })).toBe(3 * 1024 * 1024);
  });
});
