/** How the softphone is worded. */
import { say } from "../../../lib/i18n";
import { ticking } from "../words";
import type { Outcome } from "./outcome";
import type { LineState } from "./states";

export function outcomeWord(outcome: Outcome, who: string): string {
  if ("reason" in outcome) return say(`softphone.reason_${outcome.reason}`, { who });
  return say(`softphone.end_${outcome.ending}`, { who, time: ticking(Math.floor(outcome.seconds)) });
}

export function lineTone(line: LineState): "good" | "wait" | "bad" | "off" {
  if (line === "ready") return "good";
  return line === "out" ? "off" : line === "joining" ? "wait" : "bad";
}
