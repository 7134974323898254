import { describe, expect, it } from "vitest";
import type { Alarm } from "../../api/client";
import { applyAlarmEvent, byUrgency, targetHref } from "./alarms";

function alarm(id: string, more: Partial<Alarm> = {}): Alarm {
  return {
    id, code: "vm_crashed", target: "vms/cm", severity: "major", state: "active", detail: "", resolution: "", count: 1,
    raised_at: "2026-11-21T14:00:00.000Z", updated_at: "", cleared_at: null, acknowledged_at: null, acknowledged_by: null, ...more,
  };
}
const event = (data: unknown, type = "alarm.changed") => ({ id: 1, at: "", topic: "alarms", type, subject: "", data });

describe("applyAlarmEvent", () => {
  it("adds what is raised, changes what is known and drops what is cleared", () => {
    expect(applyAlarmEvent([alarm("a")], event(alarm("b")))?.map((each) => each.id)).toEqual(["b", "a"]);
    expect(applyAlarmEvent([alarm("a")], event(alarm("a", { count: 2 })))?.map((each) => each.count)).toEqual([2]);
    expect(applyAlarmEvent([alarm("a"), alarm("b")], event(alarm("a", { state: "cleared" })))?.map((each) => each.id)).toEqual(["b"]);
  });
  it("asks anew when it cannot tell, and leaves other events alone", () => {
    const list = [alarm("a")];
    expect(applyAlarmEvent(list, event(null))).toBeUndefined();
    expect(applyAlarmEvent(list, event(null, "vm.changed"))).toBe(list);
  });
});

describe("byUrgency", () => {
  it("puts the unseen first, then the worst, then the newest", () => {
    const order = byUrgency([
      alarm("seen", { severity: "critical", acknowledged_at: "x" }), alarm("warning", { severity: "warning" }),
      alarm("old"), alarm("new", { raised_at: "2026-11-21T15:00:00.000Z" }), alarm("critical", { severity: "critical" }),
    ]);
    expect(order.map((each) => each.id)).toEqual(["critical", "new", "old", "warning", "seen"]);
  });
});

describe("targetHref", () => {
  it("knows machines and nothing else", () => {
    expect(targetHref("vms/cm")).toBe("/machines/cm");
    expect(targetHref("vms/a b")).toBe("/machines/a%20b");
    expect(targetHref("appliance")).toBeUndefined();
    expect(targetHref("vms/")).toBeUndefined();
  });
});
