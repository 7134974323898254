/** A machine in few words: what it is doing, what one can ask of it now, how full it is. Pure; words come later, by key. */
import type { components } from "../../api/schema";

export type Vm = components["schemas"]["vm"];
export type VmAction = "start" | "shutdown" | "stop" | "restart";
export type Kind = "good" | "wait" | "bad" | "off";
export type StateWord =
  | "ready" | "notReady" | "crashed" | "paused" | "down" | "stopped" | "deploying" | "starting" | "stopping";

export interface Condition {
  kind: Kind;
  word: StateWord;
  /** Why it is not as it should be, in the appliance's own words; empty if it is. */
  why: string;
}

type Standing = Pick<Vm, "state" | "ready" | "reason" | "desired_state">;

/** State and readiness in one: a machine that runs and is not ready cannot be counted on. */
export function condition(vm: Standing): Condition {
  const why = vm.reason ?? "";
  switch (vm.state) {
    case "running":
      return vm.ready ? { kind: "good", word: "ready", why: "" } : { kind: "wait", word: "notReady", why };
    case "crashed":
      return { kind: "bad", word: "crashed", why };
    case "paused":
      return { kind: "wait", word: "paused", why };
    case "stopped":
      return vm.desired_state === "running" ? { kind: "bad", word: "down", why } : { kind: "off", word: "stopped", why: "" };
    default:
      return { kind: "wait", word: vm.state, why: "" };
  }
}

/** What the appliance would do now if asked; nothing while the machine is on its way, but that a slow shutdown can be forced. */
export function actionsOf(vm: Pick<Vm, "state">): VmAction[] {
  switch (vm.state) {
    case "stopped":
      return ["start"];
    case "crashed":
      return ["start", "restart", "shutdown", "stop"];
    case "running":
    case "paused":
      return ["shutdown", "restart", "stop"];
    case "stopping":
      return ["stop"];
    default:
      return [];
  }
}

/** Only these take something away from somebody: they are asked twice, with the plan. */
export function disrupts(action: VmAction): boolean {
  return action !== "start";
}

const order: readonly Kind[] = ["bad", "wait", "good", "off"];

/** How many are in which state, what needs a hand first. */
export function tally(vms: readonly Standing[]): { kind: Kind; word: StateWord; count: number }[] {
  const found = new Map<StateWord, { kind: Kind; word: StateWord; count: number }>();
  for (const { kind, word } of vms.map(condition)) {
    const known = found.get(word);
    if (known) known.count++;
    else found.set(word, { kind, word, count: 1 });
  }
  return [...found.values()].sort(
    (a, b) => order.indexOf(a.kind) - order.indexOf(b.kind) || a.word.localeCompare(b.word),
  );
}

export interface Usage {
  used: number;
  total: number;
}

export interface Usages {
  /** Processors' worth of work in the last minute, of those it has. */
  load: Usage | undefined;
  memory: Usage | undefined;
  data: Usage | undefined;
}

/** What the guest itself says; the data disk is known from outside as well. */
export function usages(vm: Pick<Vm, "guest" | "disks" | "cpus">): Usages {
  const guest = vm.guest ?? undefined;
  const disk = vm.disks.find((each) => each.name === "data");
  const memory = guest && guest.memory_total_bytes > 0
    ? { used: Math.max(0, guest.memory_total_bytes - guest.memory_available_bytes), total: guest.memory_total_bytes }
    : undefined;
  const inside = guest && guest.data_size_bytes > 0 ? { used: guest.data_used_bytes, total: guest.data_size_bytes } : undefined;
  const outside = disk && disk.size_bytes > 0 ? { used: disk.used_bytes, total: disk.size_bytes } : undefined;
  return { load: guest ? { used: guest.load1, total: vm.cpus } : undefined, memory, data: inside ?? outside };
}

export interface MemberEvent {
  type: string;
  subject: string;
  data: unknown;
}

/** The list after one event; undefined when the event cannot be merged. The subject is the machine's id. */
export function applyVmEvent(list: Vm[], event: MemberEvent): Vm[] | undefined {
  if (event.type === "vm.deleted") return list.filter((vm) => vm.id !== event.subject);
  if (event.type !== "vm.changed") return undefined;
  const vm = event.data as Vm | null;
  if (!vm || typeof vm.id !== "string" || typeof vm.name !== "string") return undefined;
  const others = list.filter((other) => other.id !== vm.id);
  return [...others, vm].sort((a, b) => a.name.localeCompare(b.name));
}
