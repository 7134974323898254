/** The buckets of /uc/cdr/summary as what charts draw and figures say. */
import type { components } from "../../api/schema";

export type Summary = components["schemas"]["cdr_summary"];
export type Bucket = Summary["buckets"][number];

export interface Totals {
  attempts: number;
  answered: number;
  /** Answered of attempts, 0..1; null without attempts. */
  ratio: number | null;
  busy: number;
  no_answer: number;
  cancelled: number;
  failed: number;
  talk_s: number;
  /** Talk per answered call; null without any. */
  mean_talk_s: number | null;
}

export function totals(buckets: Bucket[]): Totals {
  const sum = (of: (b: Bucket) => number): number => buckets.reduce((all, b) => all + of(b), 0);
  const attempts = sum((b) => b.attempts);
  const answered = sum((b) => b.answered);
  const talk_s = sum((b) => b.talk_s);
  return {
    attempts,
    answered,
    ratio: attempts > 0 ? answered / attempts : null,
    busy: sum((b) => b.busy),
    no_answer: sum((b) => b.no_answer),
    cancelled: sum((b) => b.cancelled),
    failed: sum((b) => b.failed),
    talk_s,
    mean_talk_s: answered > 0 ? talk_s / answered : null,
  };
}

/** Percent of answered calls a bucket; a gap where none was tried. */
export function ratios(buckets: Bucket[]): (number | null)[] {
  return buckets.map((b) => (b.attempts > 0 ? (100 * b.answered) / b.attempts : null));
}

/** Bucket times as charts want them, in seconds. */
export function times(buckets: Bucket[]): number[] {
  return buckets.map((b) => Date.parse(b.at) / 1000);
}

/** Post-dial delay a bucket in milliseconds and over all, weighted by attempts; undefined when the appliance does not measure it. */
export function delays(buckets: Bucket[]): { values: (number | null)[]; mean: number | null } | undefined {
  const values = buckets.map((b) => b.post_dial_delay_ms ?? null);
  if (buckets.every((b) => b.post_dial_delay_ms === undefined)) return undefined;
  const measured = buckets.filter((b) => typeof b.post_dial_delay_ms === "number" && b.attempts > 0);
  const attempts = measured.reduce((sum, b) => sum + b.attempts, 0);
  const weighted = measured.reduce((sum, b) => sum + (b.post_dial_delay_ms ?? 0) * b.attempts, 0);
  return { values, mean: attempts > 0 ? weighted / attempts : null };
}

/** Talk a bucket in the unit that fits the longest: minutes, or hours from two hours on. */
export function talk(buckets: Bucket[]): { unit: "minutes" | "hours"; values: number[] } {
  const long = buckets.some((b) => b.talk_s >= 7200);
  return { unit: long ? "hours" : "minutes", values: buckets.map((b) => b.talk_s / (long ? 3600 : 60)) };
}
