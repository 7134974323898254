/** The course of one call as moments, lanes and a scale to draw it by; all times are milliseconds. */
import type { Cdr } from "./call";

export type HalfSide = "orig" | "term";

export interface Span {
  kind: "ring" | "talk";
  from: number;
  to: number;
}

/** One half of the call: the caller's, or a callee's. */
export interface Lane {
  key: string;
  side: HalfSide;
  handle: string;
  result: string;
  status: number | null;
  spans: Span[];
}

export interface Moment {
  key: string;
  at: number;
  kind: "dialled" | "offered" | "answered" | "ended";
  who: string;
  status: number | null;
}

interface Times {
  started_at: string | null;
  answered_at: string | null;
  ended_at: string | null;
}

function spans(times: Times, start: number, end: number): Span[] {
  const from = times.started_at ? Date.parse(times.started_at) : start;
  const to = Math.max(from, times.ended_at ? Date.parse(times.ended_at) : end);
  if (!times.answered_at) return [{ kind: "ring", from, to }];
  const answered = Math.min(Math.max(from, Date.parse(times.answered_at)), to);
  return [
    { kind: "ring", from, to: answered },
    { kind: "talk", from: answered, to },
  ];
}

/** Caller first, then callees as they were called. A record whose halves never came has its caller's lane alone. */
export function lanes(record: Cdr): Lane[] {
  const start = Date.parse(record.started_at);
  const end = Date.parse(record.ended_at);
  if (record.halves.length === 0)
    return [
      {
        key: "call",
        side: "orig",
        handle: record.caller,
        result: record.result,
        status: record.sip_status,
        spans: spans(record, start, end),
      },
    ];
  const all = record.halves.map((half) => ({
    key: half.half,
    side: half.half.startsWith("orig") ? ("orig" as const) : ("term" as const),
    handle: half.handle,
    result: half.result,
    status: half.sip_status === 0 ? null : half.sip_status,
    spans: spans(half, start, end),
  }));
  const first = (lane: Lane): number => lane.spans[0]?.from ?? 0;
  return all.sort((a, b) => a.side.localeCompare(b.side) || first(a) - first(b) || a.key.localeCompare(b.key));
}

export function moments(record: Cdr): Moment[] {
  const all: Moment[] = [];
  const found = lanes(record);
  const terms = found.filter((lane) => lane.side === "term");
  const moment = (kind: Moment["kind"], key: string, at: number, who: string, status: number | null): number =>
    all.push({ kind, key, at, who, status });

  moment("dialled", "dialled", Date.parse(record.started_at), record.caller, null);
  for (const lane of terms) moment("offered", `offered ${lane.key}`, lane.spans[0]?.from ?? 0, lane.handle, null);
  if (record.answered_at) {
    const by = terms.find((lane) => lane.spans.some((span) => span.kind === "talk"))?.handle ?? record.callee;
    moment("answered", "answered", Date.parse(record.answered_at), by, record.sip_status);
  }
  moment("ended", "ended", Date.parse(record.ended_at), record.caller, record.answered_at ? null : record.sip_status);
  const order = ["dialled", "offered", "answered", "ended"];
  return all.sort((a, b) => a.at - b.at || order.indexOf(a.kind) - order.indexOf(b.kind));
}

/** Times to pixels, piecewise: each stretch between two neighbouring times is as wide as it is long, but never
 * narrower than `least`, so that four seconds of ringing are seen beside an hour of talk. */
export function storyScale(times: number[], width: number, least: number): (at: number) => number {
  const stops = [...new Set(times.filter((at) => Number.isFinite(at)))].sort((a, b) => a - b);
  const first = stops[0] ?? 0;
  const gaps = stops.slice(1).map((at, i) => at - (stops[i] ?? at));
  const floor = Math.min(least, gaps.length > 0 ? width / gaps.length : width);
  const widths = share(gaps, width, floor);
  const places = widths.reduce<number[]>((all, w) => [...all, (all.at(-1) ?? 0) + w], [0]);

  return (at) => {
    if (at <= first || gaps.length === 0) return 0;
    const i = Math.min(gaps.length - 1, stops.findLastIndex((stop) => stop <= at));
    const part = Math.min(1, (at - (stops[i] ?? 0)) / (gaps[i] ?? 1));
    return (places[i] ?? 0) + part * (widths[i] ?? 0);
  };
}

/** Those too narrow get `floor`, the others share what is left by their length. */
function share(gaps: number[], width: number, floor: number): number[] {
  const narrow = new Set<number>();
  for (;;) {
    const left = width - narrow.size * floor;
    const length = gaps.reduce((sum, gap, i) => (narrow.has(i) ? sum : sum + gap), 0);
    const widths = gaps.map((gap, i) => (narrow.has(i) || length === 0 ? floor : (gap / length) * left));
    const found = widths.findIndex((w, i) => !narrow.has(i) && w < floor);
    if (found < 0) return widths;
    narrow.add(found);
  }
}
