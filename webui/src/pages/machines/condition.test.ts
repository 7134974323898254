import { describe, expect, it } from "vitest";
import { actionsOf, applyVmEvent, condition, disrupts, tally, usages, type Vm } from "./condition";

const running = { state: "running", ready: true, reason: null, desired_state: "running" } as const;

function vm(name: string, more: Partial<Vm> = {}): Vm {
  return {
    id: `id-${name}`, name, template: name, kind: "core", ...running, accelerator: "tcg", cpus: 2, memory_mib: 128,
    addresses: [], mac: "", restarts: 0, started_at: null, ready_at: null, pending: null,
    root: { version: "0.1.0", sha256: "" }, disks: [], guest: null, created_at: "", updated_at: "", ...more,
  };
}

describe("condition", () => {
  it("counts on a machine only when it is ready", () => {
    expect(condition(running)).toEqual({ kind: "good", word: "ready", why: "" });
    expect(condition({ ...running, ready: false, reason: "no answer" })).toEqual({ kind: "wait", word: "notReady", why: "no answer" });
  });
  it("tells a stopped machine from one that should run", () => {
    expect(condition({ ...running, state: "stopped", desired_state: "stopped" }).kind).toBe("off");
    expect(condition({ ...running, state: "stopped", reason: "it ended" })).toEqual({ kind: "bad", word: "down", why: "it ended" });
    expect(condition({ ...running, state: "crashed" }).kind).toBe("bad");
  });
});

describe("actionsOf", () => {
  it("offers what the appliance would do", () => {
    expect(actionsOf({ state: "stopped" })).toEqual(["start"]);
    expect(actionsOf({ state: "running" })).toEqual(["shutdown", "restart", "stop"]);
    expect(actionsOf({ state: "stopping" })).toEqual(["stop"]);
    expect(actionsOf({ state: "deploying" })).toEqual([]);
  });
  it("asks twice for all that interrupts", () => {
    expect(["start", "shutdown", "restart", "stop"].map((each) => disrupts(each as "start"))).toEqual([false, true, true, true]);
  });
});

describe("tally", () => {
  it("names what needs a hand first", () => {
    const all = [vm("a"), vm("b", { state: "crashed" }), vm("c"), vm("d", { state: "starting" })];
    expect(tally(all).map(({ word, count }) => [word, count])).toEqual([["crashed", 1], ["starting", 1], ["ready", 2]]);
    expect(tally([])).toEqual([]);
  });
});

describe("usages", () => {
  const guest = {
    agent: "0.1.0", uptime_s: 5, memory_total_bytes: 100, memory_available_bytes: 30, data_size_bytes: 0,
    data_used_bytes: 0, load1: 0.5,
  };
  it("takes the guest's word and else the disk's size from outside", () => {
    const found = usages(vm("a", { guest, disks: [{ name: "data", size_bytes: 10, used_bytes: 4 }] }));
    expect(found).toEqual({ load: { used: 0.5, total: 2 }, memory: { used: 70, total: 100 }, data: { used: 4, total: 10 } });
  });
  it("knows nothing of a silent guest", () => {
    expect(usages(vm("a"))).toEqual({ load: undefined, memory: undefined, data: undefined });
  });
  it("does not go below nothing", () => {
    const odd = { ...guest, memory_available_bytes: 500 };
    expect(usages(vm("a", { guest: odd })).memory?.used).toBe(0);
  });
});

describe("applyVmEvent", () => {
  it("replaces, adds in order and removes", () => {
    const changed = applyVmEvent([vm("a"), vm("c")], { type: "vm.changed", subject: "id-b", data: vm("b") });
    expect(changed?.map((each) => each.name)).toEqual(["a", "b", "c"]);
    expect(applyVmEvent(changed ?? [], { type: "vm.deleted", subject: "id-a", data: null })?.map((each) => each.name)).toEqual(["b", "c"]);
  });
  it("leaves to a new fetch what it does not understand", () => {
    expect(applyVmEvent([], { type: "vm.changed", subject: "x", data: null })).toBeUndefined();
    expect(applyVmEvent([], { type: "task.changed", subject: "x", data: {} })).toBeUndefined();
  });
});
