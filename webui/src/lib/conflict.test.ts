import { describe, expect, it } from "vitest";
import { allOf, changedFields, differences, merge, undecided, undisputed } from "./conflict";

const base = { name: "Ada", extension: "3001", appearances: 3, presence: true, note: null };

describe("differences", () => {
  it("tells who changed what, in the order of the form", () => {
    const mine = { ...base, name: "Ada L.", appearances: 5 };
    const theirs = { ...base, name: "Ada Lovelace", presence: false };
    expect(differences(base, mine, theirs).map((d) => [d.name, d.changedBy])).toEqual([
      ["name", "both"],
      ["appearances", "mine"],
      ["presence", "theirs"],
    ]);
  });

  it("is silent where both made the same change", () => {
    const same = { ...base, name: "Grace" };
    expect(differences(base, same, { ...same })).toEqual([]);
  });

  it("sees a field that only one side has", () => {
    expect(differences({}, { a: 1 }, {})).toEqual([{ name: "a", base: null, mine: 1, theirs: null, changedBy: "mine" }]);
    expect(differences({}, {}, { a: 1 })[0]?.changedBy).toBe("theirs");
  });
});

describe("merge", () => {
  const mine = { ...base, name: "Ada L.", appearances: 5 };
  const theirs = { ...base, name: "Ada Lovelace", presence: false };
  const all = differences(base, mine, theirs);

  it("keeps what each alone changed and asks only about what both did", () => {
    const choices = undisputed(all);
    expect(undecided(all, choices)).toEqual(["name"]);
    expect(merge(theirs, mine, all, { ...choices, name: "mine" })).toEqual({ ...theirs, name: "Ada L.", appearances: 5 });
    expect(merge(theirs, mine, all, { ...choices, name: "theirs" })).toEqual({ ...theirs, appearances: 5 });
  });

  it("takes one side whole", () => {
    expect(undecided(all, allOf(all, "mine"))).toEqual([]);
    expect(merge(theirs, mine, all, allOf(all, "mine"))).toEqual(mine);
    expect(merge(theirs, mine, all, allOf(all, "theirs"))).toEqual(theirs);
  });

  it("lets no undecided field of mine through", () => {
    expect(merge(theirs, mine, all, {})).toEqual(theirs);
  });
});

describe("changedFields", () => {
  it("names what moved, and takes absent for null", () => {
    expect(changedFields(base, { ...base, appearances: 4 })).toEqual(["appearances"]);
    expect(changedFields({ a: null }, {})).toEqual([]);
  });
});
