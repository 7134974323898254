/** What one event makes of the list of machines. */
import type { Vm } from "../api/client";
import type { ApplianceEvent } from "./events";

/** The list after one event; events of other things leave it as it is. The subject is the machine's id. */
export function applyVmEvent(list: Vm[], event: ApplianceEvent): Vm[] {
  if (event.type === "vm.deleted") return list.filter((vm) => vm.id !== event.subject);
  if (event.type !== "vm.changed") return list;
  const vm = event.data as Vm | null;
  if (!vm || typeof vm.id !== "string" || typeof vm.name !== "string") return list;
  const others = list.filter((other) => other.id !== vm.id);
  return [...others, vm].sort((a, b) => a.name.localeCompare(b.name));
}
