/** Whether calls work, from what calls did: records, live calls and registrations, never from component lights. */
import { isTalking, type Call, type Cdr, type Tone } from "../calls/call";

/** What is known; undefined is what could not be asked. */
export interface Evidence {
  /** Newest first. */
  records: Cdr[] | undefined;
  live: Call[] | undefined;
  phones: number | undefined;
  people: number | undefined;
  now: number;
}

export type Verdict =
  /** People talk right now. */
  | { kind: "talking"; tone: Tone; talking: number }
  /** The last call that says something was answered. */
  | { kind: "answered"; tone: Tone; record: Cdr }
  /** As answered, but too long ago to promise anything. */
  | { kind: "stale"; tone: Tone; record: Cdr }
  /** As answered, but the call servers cannot be asked now. */
  | { kind: "blind"; tone: Tone; record: Cdr }
  | { kind: "failed_once"; tone: Tone; record: Cdr }
  /** Each of the last `count` failed; with `all` none of those known was ever answered. */
  | { kind: "failed"; tone: Tone; count: number; record: Cdr }
  /** Calls were tried; none was answered and none failed. */
  | { kind: "unanswered"; tone: Tone; record: Cdr }
  /** Nobody can be called: no phone is registered. */
  | { kind: "no_phones"; tone: Tone; record: Cdr | undefined }
  | { kind: "ringing"; tone: Tone }
  | { kind: "none"; tone: Tone; next: "people" | "phones" | "call" }
  | { kind: "unknown"; tone: Tone };

const STALE_MS = 24 * 3600 * 1000;

/** Not Found, Address Incomplete, Does Not Exist Anywhere: the caller's slip says nothing about the system. */
const MISDIALLED = new Set([404, 484, 604]);

function isFailure(record: Cdr): boolean {
  return record.result === "failed" && !MISDIALLED.has(record.sip_status ?? 0);
}

interface Findings {
  answered: Cdr | undefined;
  /** Failures since then, newest first. */
  failures: Cdr[];
}

/** Failures count only if nothing worked after them: neither a record nor a call that talks now. */
function find(records: Cdr[], live: Call[]): Findings {
  const talkSince = Math.max(0, ...live.filter(isTalking).map((call) => Date.parse(call.answered_at ?? call.started_at)));
  const answered = records.find((record) => record.result === "answered");
  const workedAt = Math.max(talkSince, answered ? Date.parse(answered.answered_at ?? answered.ended_at) : 0);
  return { answered, failures: records.filter((record) => isFailure(record) && Date.parse(record.ended_at) > workedAt) };
}

function withoutRecords({ records, live, phones, people }: Evidence): Verdict {
  if (live?.some((call) => call.state === "ringing")) return { kind: "ringing", tone: "wait" };
  if (!records) return { kind: "unknown", tone: "off" };
  if (people === 0) return { kind: "none", tone: "off", next: "people" };
  return { kind: "none", tone: "off", next: phones !== undefined && phones < 2 ? "phones" : "call" };
}

export function verdict(evidence: Evidence): Verdict {
  const records = evidence.records ?? [];
  const live = evidence.live ?? [];
  const talking = live.filter(isTalking).length;
  const { answered, failures } = find(records, live);
  const [failure] = failures;

  if (failure && failures.length > 1) return { kind: "failed", tone: "bad", count: failures.length, record: failure };
  if (failure && !answered && talking === 0) return { kind: "failed", tone: "bad", count: 1, record: failure };
  if (failure) return { kind: "failed_once", tone: "wait", record: failure };
  if (talking > 0) return { kind: "talking", tone: "good", talking };
  const [newest] = records;
  if (!newest) return withoutRecords(evidence);
  if (evidence.phones === 0) return { kind: "no_phones", tone: "bad", record: answered };
  if (!answered) return { kind: "unanswered", tone: "wait", record: newest };
  if (!evidence.live) return { kind: "blind", tone: "wait", record: answered };
  if (evidence.now - Date.parse(answered.ended_at) > STALE_MS) return { kind: "stale", tone: "off", record: answered };
  return { kind: "answered", tone: "good", record: answered };
}
