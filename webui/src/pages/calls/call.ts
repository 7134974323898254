/** What calls and their records hold, and what follows from it; no words, no fetching. */
import type { components } from "../../api/schema";
import type { ApplianceEvent } from "../../lib/events";

export type Call = components["schemas"]["call"];
export type Cdr = components["schemas"]["cdr"];
export type CallResult = Cdr["result"];
export type Tone = "good" | "wait" | "bad" | "off";

export const RESULTS = ["answered", "busy", "no_answer", "cancelled", "failed"] as const satisfies readonly CallResult[];

const TONES: Record<CallResult, Tone> = {
  answered: "good",
  busy: "wait",
  no_answer: "wait",
  cancelled: "off",
  failed: "bad",
};

export function resultTone(result: CallResult): Tone {
  return TONES[result];
}

export function stateTone(state: Call["state"]): Tone {
  return state === "talking" ? "good" : "wait";
}

export function isTalking(call: Call): boolean {
  return call.state !== "ringing";
}

/** How long it talks, or rings as long as nobody answered; never below 0 where two clocks differ. */
export function liveSeconds(call: Call, now: number): number {
  const from = Date.parse(call.answered_at ?? call.started_at);
  return Number.isNaN(from) ? 0 : Math.max(0, Math.floor((now - from) / 1000));
}

/** Seconds from the first INVITE to the answer, or to the end where there was none. */
export function ringSeconds(record: Cdr): number {
  const to = Date.parse(record.answered_at ?? record.ended_at);
  return Math.max(0, (to - Date.parse(record.started_at)) / 1000);
}

/** The live calls after an event; undefined: the list must be read anew. New calls stand first. */
export function applyCallEvent(calls: Call[], event: ApplianceEvent): Call[] | undefined {
  if (event.type === "call.deleted") return calls.filter((call) => call.gsid !== event.subject);
  if (event.type !== "call.changed") return event.type === "calls.changed" ? undefined : calls;
  const fresh = event.data as Call;
  if (!calls.some((call) => call.gsid === fresh.gsid)) return [fresh, ...calls];
  return calls.map((call) => (call.gsid === fresh.gsid ? fresh : call));
}
