import { describe, expect, it } from "vitest";
import type { Call, Cdr } from "../calls/call";
import { verdict, type Evidence } from "./verdict";

const now = Date.parse("2026-11-21T14:30:00.000Z");
const ago = (s: number): string => new Date(now - s * 1000).toISOString();

function record(result: Cdr["result"], ended: number, sip_status: number | null = null): Cdr {
  return {
    gsid: `${result} ${String(ended)}`, caller: "3001", callee: "3002", started_at: ago(ended + 20),
    answered_at: result === "answered" ? ago(ended + 15) : null, ended_at: ago(ended), duration_s: 15, result, sip_status, halves: [],
  };
}

function live(state: Call["state"], since = 10): Call {
  const answered_at = state === "ringing" ? null : ago(since);
  return { gsid: `live ${String(since)}`, caller: "3001", callee: "3002", state, started_at: ago(since + 4), answered_at, legs: [] };
}

function given(more: Partial<Evidence>): ReturnType<typeof verdict> {
  return verdict({ records: [], live: [], phones: 3, people: 3, now, ...more });
}

describe("verdict", () => {
  it("says that calls work when the last one was answered", () => {
    expect(given({ records: [record("answered", 14)] })).toMatchObject({ kind: "answered", tone: "good", record: { ended_at: ago(14) } });
  });
  it("is not led astray by a callee who was busy, away or slow after that", () => {
    const records = [record("busy", 1), record("no_answer", 5), record("cancelled", 9), record("answered", 14)];
    expect(given({ records })).toMatchObject({ kind: "answered", record: { ended_at: ago(14) } });
  });
  it("does not blame the system for a number that nobody has", () => {
    for (const status of [404, 484, 604])
      expect(given({ records: [record("failed", 1, status), record("answered", 14)] }).kind).toBe("answered");
  });
  it("warns after one failure and is sure after two", () => {
    const worked = record("answered", 60);
    expect(given({ records: [record("failed", 5, 500), worked] })).toMatchObject({ kind: "failed_once", tone: "wait" });
    expect(given({ records: [record("failed", 5, 500), record("busy", 6), record("failed", 9, 503), worked] })).toMatchObject({ kind: "failed", tone: "bad", count: 2 });
  });
  it("takes one failure for the truth when nothing ever worked", () => {
    expect(given({ records: [record("failed", 5, 500)] })).toMatchObject({ kind: "failed", count: 1 });
  });
  it("forgets failures that a later answer has disproved", () => {
    expect(given({ records: [record("answered", 2), record("failed", 30, 500), record("failed", 40, 500)] }).kind).toBe("answered");
  });
  it("counts from the answer, not from the end of a long talk", () => {
    const long = { ...record("answered", 2), answered_at: ago(3600) };
    expect(given({ records: [long, record("failed", 30, 500), record("failed", 40, 500)] })).toMatchObject({ kind: "failed", count: 2 });
  });
  it("counts people who talk, and lets their answer disprove older failures alone", () => {
    expect(given({ live: [live("talking"), live("held", 30), live("ringing")] })).toEqual({ kind: "talking", tone: "good", talking: 2 });
    expect(given({ live: [live("talking", 3)], records: [record("failed", 60, 500), record("failed", 70, 500)] }).kind).toBe("talking");
    expect(given({ live: [live("talking", 3600)], records: [record("failed", 5, 500), record("failed", 7, 500)] })).toMatchObject({ kind: "failed", count: 2 });
  });
  it("keeps a failure a warning while somebody talks who was answered before", () => {
    expect(given({ live: [live("talking", 3600)], records: [record("failed", 5, 500)] }).kind).toBe("failed_once");
  });
  it("promises nothing from an answer of two days ago", () => {
    expect(given({ records: [record("answered", 2 * 86400)] })).toMatchObject({ kind: "stale", tone: "off" });
  });
  it("says so when the call servers cannot be asked", () => {
    expect(given({ records: [record("answered", 14)], live: undefined })).toMatchObject({ kind: "blind", tone: "wait" });
  });
  it("says that nobody can be called without a phone, but not when phones are unknown", () => {
    expect(given({ records: [record("answered", 14)], phones: 0 })).toMatchObject({ kind: "no_phones", tone: "bad" });
    expect(given({ records: [record("answered", 14)], phones: undefined }).kind).toBe("answered");
  });
  it("tells calls that nobody answered from calls that failed", () => {
    expect(given({ records: [record("no_answer", 5), record("cancelled", 50)] })).toMatchObject({ kind: "unanswered", tone: "wait" });
  });
  it("names the first thing to do when no call was ever made", () => {
    expect(given({ people: 0, phones: 0 })).toMatchObject({ kind: "none", next: "people" });
    expect(given({ phones: 1 })).toMatchObject({ kind: "none", next: "phones" });
    expect(given({})).toMatchObject({ kind: "none", next: "call" });
    expect(given({ live: [live("ringing")] }).kind).toBe("ringing");
  });
  it("knows nothing when nothing could be asked", () => {
    expect(given({ records: undefined, live: undefined, phones: undefined, people: undefined }).kind).toBe("unknown");
    expect(given({ records: undefined, live: [live("talking")] }).kind).toBe("talking");
  });
});
