/** How calls are worded: states, results, SIP statuses, lengths of time. */
import { duration, locale, number, say } from "../../lib/i18n";
import { RESULTS, type Call, type CallResult } from "./call";

const STATUSES = [
  200, 400, 401, 403, 404, 408, 480, 481, 482, 484, 486, 487, 488, 500, 503, 504, 600, 603, 604,
] as const;

export function resultWord(result: CallResult): string {
  return say(`calls.${result}`);
}

/** A half's result comes as any text. */
export function halfResultWord(result: string): string {
  const known = RESULTS.find((each) => each === result);
  return known ? resultWord(known) : result;
}

export function stateWord(state: Call["state"]): string {
  return say(`calls.${state}`);
}

/** "486 Busy here"; a status without words of ours is its number. */
export function statusWord(status: number | null): string {
  if (status === null || status === 0) return "–";
  const known = STATUSES.find((each) => each === status);
  return known ? `${String(status)} ${say(`calls.sip_${known}`)}` : String(status);
}

/** "4.2 s" below a minute, as figures of the console from there on. */
export function span(seconds: number): string {
  if (seconds < 0.0005) return say("calls.seconds", { n: 0 });
  if (seconds < 60) return say("calls.seconds", { n: number(seconds, seconds < 1 ? 2 : 1) });
  return duration(seconds);
}

/** A running clock: "0:14", "1:02:03". */
export function ticking(seconds: number): string {
  const two = (n: number): string => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h > 0 ? `${String(h)}:${two(m)}:${two(s)}` : `${String(m)}:${two(s)}`;
}

/** "14:28:03.120": the instants of a call are told apart by milliseconds. */
export function exactTime(iso: string | null): string {
  if (iso === null) return "–";
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  const parts = { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 } as const;
  return new Intl.DateTimeFormat(locale(), parts).format(date);
}
