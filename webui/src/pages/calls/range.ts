/** Stretches of time that charts and filters speak of. */

export const RANGES = ["24h", "7d", "30d"] as const;
export type Range = (typeof RANGES)[number];

/** What /uc/cdr/summary is asked for. */
export interface Window {
  from: string;
  to: string;
  step_s: number;
}

const HOUR = 3600;
const SHAPE: Record<Range, { span_s: number; step_s: number }> = {
  "24h": { span_s: 24 * HOUR, step_s: HOUR / 2 },
  "7d": { span_s: 7 * 24 * HOUR, step_s: 3 * HOUR },
  "30d": { span_s: 30 * 24 * HOUR, step_s: 24 * HOUR },
};

export function asRange(text: string | null): Range {
  return RANGES.find((range) => range === text) ?? "24h";
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** The range that ends with the step that now is in; steps begin at local whole hours (days: at midnight). */
export function windowOf(range: Range, now: number): Window {
  const { span_s, step_s } = SHAPE[range];
  const step = step_s * 1000;
  const midnight = startOfDay(now);
  const to = midnight + Math.ceil((now + 1 - midnight) / step) * step;
  return { from: iso(to - span_s * 1000), to: iso(to), step_s };
}

/** Midnight of the reader's day. */
export function startOfDay(now: number): number {
  return new Date(now).setHours(0, 0, 0, 0);
}

/** The whole of the reader's day, in half hours: 46, 48 or 50 of them, as the clocks go. */
export function today(now: number): Window {
  const from = startOfDay(now);
  const next = new Date(from);
  next.setDate(next.getDate() + 1);
  return { from: iso(from), to: iso(next.getTime()), step_s: HOUR / 2 };
}

/** An instant as <input type="datetime-local"> has it, in the reader's time zone. */
export function toInput(instant: string | null): string {
  const at = instant ? new Date(instant) : undefined;
  if (!at || Number.isNaN(at.getTime())) return "";
  const two = (n: number): string => String(n).padStart(2, "0");
  const date = `${String(at.getFullYear()).padStart(4, "0")}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${date}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** What such an input holds as an instant; undefined when it holds none. */
export function fromInput(text: string): string | undefined {
  const at = new Date(text);
  return text === "" || Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}
