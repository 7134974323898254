import { describe, expect, it } from "vitest";
import type { Vm } from "../api/client";
import { condition, offered, since, summary } from "./vm_words";

const vm = (state: Vm["state"], desired: Vm["desired_state"] = "running", ready = false, reason = "why") =>
  ({ state, desired_state: desired, ready, reason }) as Vm;

describe("condition", () => {
  it("calls good only what runs and is ready", () => {
    expect(condition(vm("running", "running", true))).toMatchObject({ kind: "good", why: "" });
    expect(condition(vm("running"))).toMatchObject({ kind: "wait", why: "why" });
    expect(condition(vm("crashed"))).toMatchObject({ kind: "bad", why: "why" });
  });
  it("tells a machine that should run from one that should not", () => {
    expect(condition(vm("stopped", "running")).kind).toBe("bad");
    expect(condition(vm("stopped", "stopped"))).toMatchObject({ kind: "off", why: "" });
  });
  it("has a word for every state", () => {
    for (const state of ["deploying", "stopped", "starting", "running", "paused", "stopping", "crashed"] as const)
      expect(condition(vm(state)).word).not.toBe("");
  });
});

describe("offered", () => {
  it("offers the way back and nothing on the way", () => {
    expect(offered(vm("running", "running"))).toBe("shutdown");
    expect(offered(vm("crashed", "running"))).toBe("shutdown");
    expect(offered(vm("stopped", "stopped"))).toBe("start");
    expect(offered(vm("stopping", "stopped"))).toBeUndefined();
    expect(offered(vm("deploying"))).toBeUndefined();
  });
});

describe("summary", () => {
  it("counts by condition, what needs a hand first", () => {
    const list = [vm("stopped", "stopped"), vm("running", "running", true), vm("running", "running", true)];
    expect(summary(list)).toBe("3 machines: 2 ready, 1 stopped");
    expect(summary([...list, vm("crashed")])).toBe("4 machines: 1 crashed, 2 ready, 1 stopped");
    expect(summary(list.slice(0, 1))).toBe("1 machine: 1 stopped");
  });
});

describe("since", () => {
  it("names the day only when it is another", () => {
    const now = new Date("2026-11-21T12:00:00Z");
    expect(since("2026-11-21T11:27:23Z", now, "en-GB", "UTC")).toBe("11:27");
    expect(since("2026-11-20T23:05:00Z", now, "en-GB", "UTC")).toBe("20 Nov, 23:05");
  });
});
