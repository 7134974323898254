/** How rows of routing are worded: in a list, and where two versions are compared. */
import { say } from "../../lib/i18n";
import type { FieldValue } from "../../lib/conflict";
import { kinds, type Kind } from "./kinds";
import { isObject, plain, type Draft, type Json } from "./values";

export const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Day = (typeof DAYS)[number];

export function dayWord(day: Day): string {
  return say(`routing.day_${day}`);
}

/** "Mon-Fri", "Mon, Wed": days as they follow one another. */
export function daysInWords(days: Json | undefined): string {
  const on = DAYS.map((day) => Array.isArray(days) && days.includes(day));
  if (on.every(Boolean)) return say("routing.every_day");
  const runs: string[] = [];
  for (let i = 0; i < DAYS.length; i++) {
    const first = DAYS[i];
    if (!first || !on[i]) continue;
    let last = i;
    while (on[last + 1]) last++;
    const end = DAYS[last] ?? first;
    if (last > i + 1) runs.push(`${dayWord(first)}–${dayWord(end)}`);
    else runs.push(...DAYS.slice(i, last + 1).map(dayWord));
    i = last;
  }
  return runs.join(", ");
}

export function typeWord(type: string): string {
  return kinds["sip-entities"].groups[0]?.fields.some((field) => field.as === "choice" && field.choices.includes(type)) ? say(`routing.type_${type}` as "routing.type_sm") : type;
}

/** A row of a sequence comes as its name or with more to say. */
export function application(entry: Json): { name: string; mandatory: boolean } {
  if (isObject(entry)) return { name: String(entry.name), mandatory: entry.mandatory !== false };
  return { name: String(entry), mandatory: true };
}

function conversion(entry: Json): string {
  if (!isObject(entry)) return "";
  return `${String(entry.direction)} ${String(entry.address)} ${String(entry.match)} −${String(entry.delete)} +${String(entry.insert)}`;
}

function inWords(name: string, value: Json): string {
  if (value === null) return say("frame.none");
  if (typeof value === "boolean") return say(value ? "frame.yes" : "frame.no");
  if (name === "days") return daysInWords(value);
  if (Array.isArray(value)) {
    const each = (entry: Json): string => {
      if (name === "entities") return application(entry).name;
      if (name === "digit_conversions") return conversion(entry);
      if (isObject(entry)) return `${String(entry.time_range ?? say("routing.always"))}: ${String(entry.rank)}`;
      return String(entry);
    };
    return value.map(each).join("\n");
  }
  if (isObject(value)) return Object.entries(value).map(([key, part]) => `${key}: ${inWords(key, part)}`).join("\n");
  return String(value);
}

export function fieldInWords(name: string, value: FieldValue): string {
  return inWords(name, plain(value));
}

/** The members of a kind by the words of their fields; a part is named by the group that asks for it. */
export function fieldLabels(kind: Kind): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {};
  for (const group of kinds[kind].groups)
    for (const field of group.fields) {
      const top = field.pointer.split("/")[1] ?? "";
      const nested = field.pointer.split("/").length > 2;
      labels[top] ??= nested && group.word ? say(group.word) : say(field.word);
    }
  return labels;
}

/** "3" or "3 to 36" digits. */
export function lengthWords(row: Draft): string {
  const [min, max] = [Number(row.min), Number(row.max)];
  return min === max ? say("routing.exactly", { n: min }) : say("routing.from_to_digits", { min, max });
}
