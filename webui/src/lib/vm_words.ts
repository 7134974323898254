/** A machine in words: what it is doing, and what one can ask of it now. */
import type { Vm, VmAction } from "../api/client";
import { say } from "./words";

export type Kind = "good" | "bad" | "wait" | "off";

export interface Condition {
  kind: Kind;
  mark: string;
  word: string;
  /** Why it is not as it should be; empty if it is. */
  why: string;
}

/** State and readiness in one: a machine that runs and is not ready cannot be counted on. */
export function condition(vm: Pick<Vm, "state" | "ready" | "reason" | "desired_state">): Condition {
  const why = vm.reason ?? "";
  if (vm.state === "running" && vm.ready) return { kind: "good", mark: "●", word: say("stateReady"), why: "" };
  if (vm.state === "running") return { kind: "wait", mark: "◐", word: say("stateNotReady"), why };
  if (vm.state === "crashed") return { kind: "bad", mark: "✕", word: say("stateCrashed"), why };
  if (vm.state === "paused") return { kind: "wait", mark: "‖", word: say("statePaused"), why };
  if (vm.state === "stopped")
    return vm.desired_state === "running"
      ? { kind: "bad", mark: "✕", word: say("stateDown"), why }
      : { kind: "off", mark: "○", word: say("stateStopped"), why: "" };
  const words = { deploying: "stateDeploying", starting: "stateStarting", stopping: "stateStopping" } as const;
  return { kind: "wait", mark: "◌", word: say(words[vm.state]), why: "" };
}

/** What the button beside a machine does; nothing while it is on its way. */
export function offered(vm: Pick<Vm, "state" | "desired_state">): VmAction | undefined {
  if (vm.state === "deploying" || vm.state === "stopping") return undefined;
  return vm.desired_state === "running" ? "shutdown" : "start";
}

/** "4 machines: 1 crashed, 3 ready": all of them in one sentence, what needs a hand first. */
export function summary(vms: Pick<Vm, "state" | "ready" | "reason" | "desired_state">[]): string {
  const parts: string[] = [];
  for (const kind of ["bad", "wait", "good", "off"] as const) {
    const words = vms.map(condition).filter((each) => each.kind === kind).map((each) => each.word);
    for (const word of [...new Set(words)].sort())
      parts.push(`${String(words.filter((each) => each === word).length)} ${word.toLowerCase()}`);
  }
  return `${say(vms.length === 1 ? "oneMachine" : "manyMachines", { n: String(vms.length) })}: ${parts.join(", ")}`;
}

/** "11:27" today, "20 Nov, 11:27" before: since when, in the reader's own format and time zone. */
export function since(at: string, now: Date, locale?: string, timeZone?: string): string {
  const day = { dateStyle: "short", ...(timeZone ? { timeZone } : {}) } as const;
  const time = { hour: "2-digit", minute: "2-digit", ...(timeZone ? { timeZone } : {}) } as const;
  const date = new Date(at);
  const sameDay = new Intl.DateTimeFormat(locale, day).format(date) === new Intl.DateTimeFormat(locale, day).format(now);
  return new Intl.DateTimeFormat(locale, sameDay ? time : { ...time, day: "numeric", month: "short" }).format(date);
}
