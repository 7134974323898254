import { describe, expect, it } from "vitest";
import { at, equal, flatten, linesOf, patchOf, pick, put, unflatten, type Draft } from "./values";

const trunk: Draft = {
  name: "trunk",
  location: null,
  monitoring: { enabled: true, retries: 1, down_on: null },
  registration: null,
  times: [{ time_range: null, rank: 0 }],
};

describe("patchOf", () => {
  it("sends what differs, whole lists, and parts of objects", () => {
    const after = structuredClone(trunk);
    put(after, "/monitoring/retries", 3);
    put(after, "/location", "Berlin");
    put(after, "/times", [{ time_range: "night", rank: 1 }]);
    expect(patchOf(trunk, after)).toEqual({ monitoring: { retries: 3 }, location: "Berlin", times: [{ time_range: "night", rank: 1 }] });
  });

  it("sends a part that came whole, and null for one that went", () => {
    const after = structuredClone(trunk);
    put(after, "/registration/user", "ada");
    expect(patchOf(trunk, after)).toEqual({ registration: { user: "ada" } });
    expect(patchOf(after, trunk)).toEqual({ registration: null });
  });

  it("is empty when nothing was changed, whatever the order of members", () => {
    expect(patchOf(trunk, { ...trunk, monitoring: { down_on: null, retries: 1, enabled: true } })).toEqual({});
  });
});

describe("drafts", () => {
  it("are read by pointer", () => {
    expect([at(trunk, "/monitoring/retries"), at(trunk, "/registration/user"), at(trunk, "/none/at/all")]).toEqual([1, undefined, undefined]);
  });

  it("keep to the members of their kind", () => {
    expect(pick({ name: "", notes: "" }, { id: "1", name: "a", status: { state: "up" } })).toEqual({ name: "a", notes: "" });
  });

  it("survive being flattened for a comparison", () => {
    expect(unflatten(flatten(trunk))).toEqual(trunk);
    expect(flatten(trunk).location).toBe(null);
  });

  it("tell lists apart by order", () => {
    expect([equal([1, 2], [1, 2]), equal([1, 2], [2, 1]), equal({}, null)]).toEqual([true, false, false]);
  });

  it("take a list as lines", () => {
    expect(linesOf(" 10.0.0.0/8 \n\n2001:db8::/32\n")).toEqual(["10.0.0.0/8", "2001:db8::/32"]);
  });
});
