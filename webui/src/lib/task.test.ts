import { describe, expect, it } from "vitest";
import { applyTaskEvent, asTask, fraction, isRunning, kindOf, seconds, stepOf, targetOf, withTask, type Task } from "./task";

function task(id: string, more: Partial<Task> = {}): Task {
  return {
    id, kind: "vm.start", state: "running", progress: { done: 0, total: null, unit: null, rate: 0, eta_s: null }, steps: [],
    target: "vms/sm", actor: "admin", cancellable: true, created_at: `2026-01-01T00:00:0${id}Z`, started_at: null,
    ended_at: null, result: null, problem: null, ...more,
  } as Task;
}

describe("fraction", () => {
  const progress = { done: 25, total: 100, unit: "bytes", rate: 1, eta_s: 75 };
  it("counts steps, the present one by its progress", () => {
    const steps = [{ name: "disk", state: "succeeded" }, { name: "start", state: "running" }] as Task["steps"];
    expect(fraction(task("1", { steps, progress }))).toBe(0.625);
    expect(fraction(task("1", { steps }))).toBe(0.5);
  });
  it("does not guess", () => {
    expect(fraction(task("1"))).toBeUndefined();
    expect(fraction(task("1", { progress }))).toBe(0.25);
    expect(fraction(task("1", { state: "succeeded" }))).toBe(1);
  });
  it("never exceeds the whole", () => {
    expect(fraction(task("1", { progress: { ...progress, done: 400 } }))).toBe(1);
  });
});

describe("a task", () => {
  it("is at the step that runs or failed", () => {
    const steps = [{ name: "check", state: "succeeded" }, { name: "start", state: "failed" }] as Task["steps"];
    expect(stepOf({ steps })).toBe("start");
    expect(stepOf({ steps: [] })).toBeUndefined();
  });
  it("has taken so long", () => {
    const started_at = "2026-01-01T00:00:00Z";
    expect(seconds({ started_at, ended_at: "2026-01-01T00:01:01Z" }, 0)).toBe(61);
    expect(seconds({ started_at, ended_at: null }, Date.parse(started_at) + 2400)).toBe(2);
    expect(seconds({ started_at: null, ended_at: null }, 0)).toBeUndefined();
  });
  it("belongs to a page, if its target has one", () => {
    expect(targetOf("vms/sm")).toEqual({ name: "sm", href: "/machines/sm" });
    expect(targetOf("a/b/c").href).toBeUndefined();
    expect(targetOf("vms/<img>").href).toBe("/machines/%3Cimg%3E");
  });
  it("is shown by kind", () => {
    expect((["succeeded", "failed", "cancelled", "queued"] as const).map(kindOf)).toEqual(["good", "bad", "off", "wait"]);
  });
});

describe("withTask", () => {
  it("keeps the newest and all that run", () => {
    const all = withTask([task("1"), task("2", { state: "failed" })], task("3", { state: "succeeded" }), 1);
    expect(all.map((each) => each.id)).toEqual(["3", "1"]);
    expect(all.filter(isRunning)).toHaveLength(1);
  });
  it("lets no older word revive what has ended", () => {
    const ended = task("1", { state: "failed" });
    expect(withTask([ended], task("1", { state: "running" }))[0]?.state).toBe("failed");
  });
  it("takes only tasks", () => {
    expect(asTask({ id: "1" })).toBeUndefined();
    expect(asTask(null)).toBeUndefined();
    expect(asTask(task("1"))?.id).toBe("1");
  });
});

describe("applyTaskEvent", () => {
  it("takes what belongs to the list and leaves the rest", () => {
    const other = task("2", { target: "vms/cm" });
    const mine = (each: Task): boolean => each.target === "vms/sm";
    const list = [task("1")];
    expect(applyTaskEvent(list, { type: "task.changed", data: other }, mine)).toBe(list);
    expect(applyTaskEvent(list, { type: "task.changed", data: task("3") }, mine)?.map((each) => each.id)).toEqual(["3", "1"]);
    expect(applyTaskEvent(list, { type: "task.changed", data: null })).toBeUndefined();
  });
});
