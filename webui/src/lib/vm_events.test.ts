import { describe, expect, it } from "vitest";
import type { Vm } from "../api/client";
import { applyVmEvent } from "./vm_events";

const vm = (name: string, state = "running") => ({ name, state }) as Vm;
const event = (type: string, subject: string, data: unknown) =>
  ({ id: 1, at: "", topic: "vms", type, subject, data });

describe("applyVmEvent", () => {
  it("replaces, adds in order and removes", () => {
    const list = [vm("cm"), vm("sm")];
    expect(applyVmEvent(list, event("vm.changed", "sm", vm("sm", "stopped")))[1]?.state).toBe("stopped");
    expect(applyVmEvent(list, event("vm.changed", "presence", vm("presence"))).map((v) => v.name)).toEqual([
      "cm",
      "presence",
      "sm",
    ]);
    expect(applyVmEvent(list, event("vm.deleted", "cm", null)).map((v) => v.name)).toEqual(["sm"]);
  });
  it("ignores what is no machine", () => {
    const list = [vm("sm")];
    expect(applyVmEvent(list, event("vm.changed", "x", null))).toBe(list);
    expect(applyVmEvent(list, event("task.changed", "x", {}))).toBe(list);
  });
});
