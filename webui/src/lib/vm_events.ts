import type { Vm } from "../api/client";
import type { ApplianceEvent } from "./events";

/** The list after one event; events of other things leave it as it is. */
export function applyVmEvent(list: Vm[], event: ApplianceEvent): Vm[] {
  if (event.type === "vm.deleted") return list.filter((vm) => vm.name !== event.subject);
  if (event.type !== "vm.changed") return list;
  const vm = event.data as Vm | null;
  if (!vm || typeof vm.name !== "string") return list;
  const others = list.filter((other) => other.name !== vm.name);
  return [...others, vm].sort((a, b) => a.name.localeCompare(b.name));
}
