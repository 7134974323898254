/** How the steps and ends of a route test are worded. */
import { say } from "../../lib/i18n";
import type { RouteAnswer } from "./path";

const STEPS = [
  "caller", "trust", "adaptation", "domain", "location", "user", "implicit_user", "application", "emergency", "dial_pattern", "regular_expression", "policy",
  "time_range", "link", "outbound_proxy", "dns", "egress_adaptation",
] as const;

export function stepWord(step: string): string {
  const known = STEPS.find((each) => each === step);
  return known ? say(`routing.step_${known}`) : step.replaceAll("_", " ");
}

/** "Denied (403)". */
export function outcomeWord({ outcome, sip_status }: Pick<RouteAnswer, "outcome" | "sip_status">): string {
  const word = say(`routing.outcome_${outcome}`);
  return sip_status !== null && sip_status > 0 && outcome !== "entity" && outcome !== "user" ? `${word} (${String(sip_status)})` : word;
}
