import { describe, expect, it } from "vitest";
import { after, before, body, clockDifference, demoLine, faults, firstOpen, keptHandles, named, stepOf, withNeeds, without, zoneGroups, type Person } from "./wish";

const catalogue = [
  { name: "cm", requires: ["smgr", "sm"] },
  { name: "presence", requires: ["smgr", "sm"] },
  { name: "sm", requires: ["smgr"] },
  { name: "smgr", requires: [] },
];
const person = (handle: string, name: string): Person => ({ handle, name, password: "secret" });

describe("the steps", () => {
  const state = (done: string[]) => ({
    state: "in_progress" as const,
    steps: ["appliance", "components", "people", "call"].map((name) => ({ name, state: done.includes(name) ? "done" : "todo" })),
  });
  it("go on where one left off", () => {
    expect(firstOpen(undefined)).toBe("name");
    expect(firstOpen(state([]))).toBe("name");
    expect(firstOpen(state(["appliance"]))).toBe("components");
    expect(firstOpen(state(["appliance", "components", "people"]))).toBe("call");
    expect(firstOpen(state(["appliance", "components", "people", "call"]))).toBe("call");
  });
  it("follow the address", () => {
    expect(stepOf("people", state([]))).toBe("people");
    expect(stepOf("<b>", state(["appliance"]))).toBe("components");
    expect([before("name"), after("name"), after("call")]).toEqual([undefined, "components", undefined]);
  });
});

describe("components", () => {
  it("bring what they need", () => {
    expect(withNeeds(["cm"], catalogue)).toEqual(["cm", "sm", "smgr"]);
  });
  it("take with them what needs them", () => {
    expect(without("sm", ["cm", "sm", "smgr"], catalogue)).toEqual(["smgr"]);
  });
  it("bear a catalogue that goes in circles", () => {
    expect(withNeeds(["a"], [{ name: "a", requires: ["b"] }, { name: "b", requires: ["a"] }])).toEqual(["a", "b"]);
  });
});

describe("people", () => {
  it("are told what is wrong, line by line", () => {
    const lines = [person("3001", "Ada"), person("3001", "Bob"), person("", "Cy"), person("a b", "Di"), person("7", " "), person("", "")];
    expect(faults(lines)).toEqual([undefined, "handleTwice", "handleMissing", "handleOdd", "nameMissing", undefined]);
  });
  it("count without the empty lines", () => {
    expect(named([person(" 3001 ", " Ada "), person("", "")])).toEqual([person("3001", "Ada")]);
  });
});

describe("the wish", () => {
  it("says what was chosen and leaves out what was not", () => {
    const wish = { name: " box ", timeZone: "Europe/Vienna", components: [], people: [person("", "")] };
    expect(body(wish)).toEqual({ name: "box", time_zone: "Europe/Vienna" });
    expect(body({ ...wish, name: " ", timeZone: "", components: ["sm"], people: [person("1", "A")] })).toEqual({
      components: ["sm"],
      people: [person("1", "A")],
    });
  });
  it("knows who exists already", () => {
    const plan = [
      { action: "keep", target: "uc/users/3001" },
      { action: "create", target: "uc/users/3002" },
      { action: "keep", target: "vms/sm" },
    ];
    expect(keptHandles(plan)).toEqual(["3001"]);
  });
});

describe("demoLine", () => {
  it("says only what is not usual", () => {
    expect(demoLine("3001", "3002", "10.77.0.11", "aurabox.internal")).toBe("packaging/demo-call --ask 3001 3002");
    expect(demoLine("3001", "3002", "10.9.0.11", "example.org")).toContain("--server 10.9.0.11 --domain example.org");
  });
  it("lets no odd text become another command", () => {
    expect(demoLine("1;rm", "a'b", "", "")).toBe("packaging/demo-call --ask '1;rm' 'a'\\''b'");
  });
});

describe("zoneGroups", () => {
  it("sorts by the part before the slash", () => {
    expect(zoneGroups(["UTC", "Europe/Vienna", "America/Indiana/Knox"]).map((each) => each.area)).toEqual(["", "America", "Europe"]);
  });
});

describe("clockDifference", () => {
  it("halves the way of the answer", () => {
    const now = Date.parse("2026-01-01T00:00:10Z");
    expect(clockDifference("2026-01-01T00:00:00Z", now)).toBe(-10);
    expect(clockDifference("2026-01-01T00:00:00Z", now, 2000)).toBe(-9);
  });
});
