/** A machine in the words of the catalogue `machines`. */
import { bytes, number, say } from "../../lib/i18n";
import { tally, type Usage, type Vm } from "./condition";

const MIB = 1024 * 1024;

export function mebibytes(mib: number): string {
  return bytes(mib * MIB);
}

/** "4 machines: 1 crashed, 3 ready": all of them in one sentence, what needs a hand first. */
export function summary(vms: readonly Vm[]): string {
  const states = tally(vms).map(({ word, count }) => `${number(count)} ${say(`machines.state_${word}`).toLocaleLowerCase()}`);
  return say("machines.tally", { machines: say.n("machines.count", vms.length), states: states.join(", ") });
}

/** What was changed and waits for the next start; empty if nothing does. */
export function pendingText(vm: Pick<Vm, "pending">): string {
  const parts: string[] = [];
  if (vm.pending?.cpus) parts.push(say.n("machines.cpus_value", vm.pending.cpus));
  if (vm.pending?.memory_mib) parts.push(mebibytes(vm.pending.memory_mib));
  return parts.join(", ");
}

export function loadText(load: Usage): string {
  return say("machines.load_value", { load: number(load.used, 2), cpus: number(load.total) });
}
