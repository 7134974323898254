import { describe, expect, it } from "vitest";
import type { Task } from "../api/client";
import { TaskWatch } from "./task_watch";

const task = (id: string, state: Task["state"]) => ({ id, state }) as Task;

describe("TaskWatch", () => {
  it("names the subject when a task asked for here ends, once", () => {
    const watch = new TaskWatch();
    expect(watch.asked(task("1", "queued"), "sm")).toBeUndefined();
    expect(watch.changed(task("1", "running"))).toBeUndefined();
    expect(watch.changed(task("1", "failed"))).toBe("sm");
    expect(watch.changed(task("1", "failed"))).toBeUndefined();
    expect(watch.changed(task("of another", "failed"))).toBeUndefined();
  });
  it("knows a task that ended before its answer came", () => {
    const watch = new TaskWatch();
    expect(watch.changed(task("1", "succeeded"))).toBeUndefined();
    expect(watch.asked(task("1", "queued"), "sm")?.state).toBe("succeeded");
  });
  it("forgets what was missed and keeps no more than it must", () => {
    const watch = new TaskWatch();
    watch.asked(task("1", "queued"), "sm");
    watch.forget();
    for (let i = 0; i < 100; i++) watch.changed(task(`x${String(i)}`, "succeeded"));
    expect(watch.changed(task("1", "succeeded"))).toBeUndefined();
    expect(watch.asked(task("x0", "queued"), "sm")).toBeUndefined();
    expect(watch.asked(task("x99", "queued"), "sm")?.state).toBe("succeeded");
  });
});
