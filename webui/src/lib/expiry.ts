/** When a session ends: so long after the last request, and for good at a fixed time. Pure. */

export interface Limits {
  /** The end for good, RFC 3339; null: none. */
  expires_at: string | null;
  /** Seconds without a request; null: none. */
  idle_timeout_s: number | null;
}

export interface Expiry {
  /** Milliseconds of the clock. */
  at: number;
  /** Asking again does not help. */
  forGood: boolean;
}

/** So long before its end one is told; sooner if the idle time is short. */
const NOTICE_MS = 120_000;
/** The appliance writes down a use at most every 15 s (or a quarter of the idle time): the end may come so much earlier. */
const BLUR_MS = 15_000;

export function expiryOf(limits: Limits, answered_at: number): Expiry | undefined {
  const end = limits.expires_at === null ? undefined : new Date(limits.expires_at).getTime();
  const idle_ms = limits.idle_timeout_s === null ? undefined : limits.idle_timeout_s * 1000;
  const idle = idle_ms === undefined ? undefined : answered_at + idle_ms - Math.min(BLUR_MS, idle_ms / 4);
  if (end !== undefined && (idle === undefined || end <= idle)) return { at: end, forGood: true };
  return idle === undefined ? undefined : { at: idle, forGood: false };
}

/** From when on the end is announced. */
export function noticeAt(expiry: Expiry, limits: Limits): number {
  const idle_ms = (limits.idle_timeout_s ?? Infinity) * 1000;
  return expiry.at - (expiry.forGood ? NOTICE_MS : Math.min(NOTICE_MS, idle_ms / 3));
}
