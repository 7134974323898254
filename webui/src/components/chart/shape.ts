/** What a chart draws, before any canvas: series, stacking, labels of the time axis. */

export type ChartTone = "accent" | "good" | "wait" | "bad" | "quiet";

export interface ChartSeries {
  label: string;
  tone: ChartTone;
  /** One a time of the chart; null is a gap. */
  values: (number | null)[];
}

export type ChartKind = "bars" | "line";

type Column = (number | null)[];

/** Each series on top of those before it, so that the last one is the sum; gaps count as nothing. */
export function stack(series: Column[]): Column[] {
  const sums: number[] = [];
  return series.map((values) =>
    values.map((value, i) => {
      sums[i] = (sums[i] ?? 0) + (value ?? 0);
      return sums[i];
    }),
  );
}

/** The top of the scale: room above the highest value, whole steps, and never a flat 0..0. */
export function ceiling(columns: Column[], least: number): number {
  const highest = columns.flat().reduce<number>((max, value) => Math.max(max, value ?? 0), 0);
  const wanted = Math.max(highest * 1.08, least);
  const unit = 10 ** Math.floor(Math.log10(wanted));
  const step = [1, 2, 2.5, 4, 5, 6, 8, 10].find((n) => n * unit >= wanted) ?? 10;
  return step * unit;
}

/** Whether there is anything to see. */
export function isFlat(columns: Column[]): boolean {
  return columns.flat().every((value) => value === null || value === 0);
}

const DAY = 86400;

/** A mark of the time axis, `at` in seconds: the time of the day, but the day itself at midnight and where marks
 * are a day apart or more. */
export function timeLabel(at: number, apart: number, locale?: string): string {
  const date = new Date(at * 1000);
  const midnight = date.getHours() === 0 && date.getMinutes() === 0;
  const options: Intl.DateTimeFormatOptions =
    apart >= DAY || midnight ? { day: "numeric", month: "short" } : { hour: "2-digit", minute: "2-digit" };
  return new Intl.DateTimeFormat(locale, options).format(date);
}

/** A bucket as a person reads it: "Sat 21 Nov, 14:00 – 14:30". */
export function bucketLabel(at: number, step: number, locale?: string): string {
  const format = new Intl.DateTimeFormat(locale, {
    weekday: "short",
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
  });
  return format.formatRange(new Date(at * 1000), new Date((at + step) * 1000));
}
