/** What needs a hand: the active alarms, worst first, those nobody has seen before the others. */
import type { Alarm } from "../../api/client";
import type { ApplianceEvent } from "../../lib/events";
import { textual } from "../../lib/order";
import type { Tone } from "../calls/call";

const WEIGHT: Record<Alarm["severity"], number> = { critical: 0, major: 1, warning: 2 };
const TONES: Record<Alarm["severity"], Tone> = { critical: "bad", major: "bad", warning: "wait" };

export function severityTone(severity: Alarm["severity"]): Tone {
  return TONES[severity];
}

export function byUrgency(alarms: Alarm[]): Alarm[] {
  const seen = (alarm: Alarm): number => (alarm.acknowledged_at ? 1 : 0);
  return [...alarms].sort((a, b) => seen(a) - seen(b) || WEIGHT[a.severity] - WEIGHT[b.severity] || textual(b.raised_at, a.raised_at));
}

/** The active alarms after an event. */
export function applyAlarmEvent(alarms: Alarm[], event: ApplianceEvent): Alarm[] | undefined {
  if (event.type !== "alarm.changed") return alarms;
  const alarm = event.data as Partial<Alarm> | null;
  if (!alarm?.id || !alarm.state) return undefined;
  const others = alarms.filter((each) => each.id !== alarm.id);
  return alarm.state === "active" ? [alarm as Alarm, ...others] : others;
}

/** The page of what an alarm is about: "vms/cm" is a machine. */
export function targetHref(target: string): string | undefined {
  const [kind, name] = target.split("/");
  return kind === "vms" && name ? `/machines/${encodeURIComponent(name)}` : undefined;
}
