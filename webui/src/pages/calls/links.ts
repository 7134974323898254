/** Addresses of calls and of lists of them. */
import type { Summary } from "./summary";

export function callHref(gsid: string): string {
  return `/calls/${encodeURIComponent(gsid)}`;
}

/** The messages of a call. */
export function traceHref(gsid: string): string {
  return `/calls/trace?${new URLSearchParams({ gsid }).toString()}`;
}

/** A telephone in the browser, for a person. */
export function softphoneHref(handle: string): string {
  return `/calls/softphone?${new URLSearchParams({ user: handle }).toString()}`;
}

export function recordsHref(query: Record<string, string>): string {
  return `/calls?${new URLSearchParams({ tab: "records", ...query }).toString()}`;
}

/** The records of one bucket of a chart. */
export function bucketHref(summary: Pick<Summary, "step_s" | "buckets">, index: number, more: Record<string, string> = {}): string {
  const from = Date.parse(summary.buckets[index]?.at ?? "");
  if (Number.isNaN(from)) return recordsHref(more);
  const until = new Date(from + summary.step_s * 1000).toISOString();
  return recordsHref({ ...more, "started_at.gte": new Date(from).toISOString(), "started_at.lt": until });
}
