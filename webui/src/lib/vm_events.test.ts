import { describe, expect, it } from "vitest";
import type { Vm } from "../api/client";
import { applyVmEvent } from "./vm_events";

const vm = (name: string, state = "running") => ({ id: `id-${name}`, name, state }) as Vm;
const event = (type: string, subject: string, data: unknown) => ({ id: 1, at: "", topic: "vms", type, subject, data });

describe("applyVmEvent", () => {
  it("replaces, adds in order and removes", () => {
    const list = [vm("cm"), vm("sm")];
    expect(applyVmEvent(list, event("vm.changed", "id-sm", vm("sm", "stopped")))[1]?.state).toBe("stopped");
    expect(applyVmEvent(list, event("vm.changed", "id-presence", vm("presence"))).map((v) => v.name)).toEqual([
      "cm",
      "presence",
      "sm",
    ]);
    expect(applyVmEvent(list, event("vm.deleted", "id-cm", { name: "cm" })).map((v) => v.name)).toEqual(["sm"]);
  });
  it("keeps one of a name that was deleted and made anew", () => {
    const again = { ...vm("cm"), id: "other" };
    const list = applyVmEvent([again, vm("sm")], event("vm.deleted", "id-cm", { name: "cm" }));
    expect(list.map((v) => v.id)).toEqual(["other", "id-sm"]);
  });
  it("ignores what is no machine", () => {
    const list = [vm("sm")];
    expect(applyVmEvent(list, event("vm.changed", "x", null))).toBe(list);
    expect(applyVmEvent(list, event("vm.changed", "x", { name: "x" }))).toBe(list);
    expect(applyVmEvent(list, event("task.changed", "x", {}))).toBe(list);
  });
});
