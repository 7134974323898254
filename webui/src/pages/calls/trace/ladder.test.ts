import { describe, expect, it } from "vitest";
import { inSight, ladderOf, linesOf, lookOf, offsetText, readable, rowsOf, startOf, type Message } from "./ladder";

let seq = 0;
function message(node: string, direction: "in" | "out", other: string, summary: string, at_us: number, more: Partial<Message> = {}): Message {
  seq++;
  const text = `${summary}\r\nCall-ID: a\r\nCSeq: 1 INVITE\r\n\r\n`;
  return {
    id: `${node}-${String(seq)}`, node, seq, at: "", at_us, direction, transport: "udp", local: "10.0.0.11:5060", remote: "10.0.0.99:5060", call_id: "a", gsid: "",
    summary, message: text, ...(direction === "out" ? { from: node, to: other } : { from: other, to: node }), ...more,
  };
}

const call = (): Message[] => [
  message("sm", "in", "3001", "INVITE sip:3002@a.b SIP/2.0", 0),
  message("sm", "out", "cm", "INVITE sip:3002@a.b SIP/2.0", 1000, { message: "INVITE sip:3002@a.b SIP/2.0\r\nRoute: <sip:cm;lr;phase=imsorig>, <sip:sm;lr>\r\n\r\nv=0\r\n" }),
  message("cm", "in", "sm", "INVITE sip:3002@a.b SIP/2.0", 1400, { message: "INVITE sip:3002@a.b SIP/2.0\r\nRoute: <sip:cm;lr;phase=imsorig>, <sip:sm;lr>\r\n\r\nv=0\r\n" }),
  message("cm", "out", "sm", "INVITE sip:3002@a.b SIP/2.0", 2000, { call_id: "b", message: "b" }),
  message("sm", "in", "cm", "INVITE sip:3002@a.b SIP/2.0", 2100, { call_id: "b", message: "b" }),
  message("sm", "out", "3001", "SIP/2.0 180 Ringing", 3000),
  message("sm", "out", "3001", "SIP/2.0 180 Ringing", 503_000),
];

describe("ladderOf", () => {
  it("draws one arrow for what one server sent and another received", () => {
    const ladder = ladderOf(call());
    expect(ladder.participants.map((p) => `${p.name} ${p.kind}`)).toEqual(["3001 phone", "sm node", "cm node"]);
    expect(ladder.messages.map((m) => [m.from, m.to, m.label, m.transit_us, m.leg])).toEqual([
      [0, 1, "INVITE", null, 0],
      [1, 2, "INVITE", 400, 0],
      [2, 1, "INVITE", 100, 1],
      [1, 0, "180 Ringing", null, 0],
      [1, 0, "180 Ringing", null, 0],
    ]);
  });

  it("knows phases, SDP and what was sent again", () => {
    const { messages } = ladderOf(call());
    expect([messages[1]?.phase, messages[1]?.sdp, messages[0]?.sdp]).toEqual(["imsorig", true, false]);
    expect(messages.map((m) => m.retransmission)).toEqual([false, false, false, false, true]);
  });

  it("leaves both when too long lies between them", () => {
    const all = call();
    const late = all[2];
    if (late) late.at_us = 9_000_000;
    expect(ladderOf(all).messages.length).toBe(6);
  });

  it("names who is not known by the address", () => {
    const [one] = ladderOf([message("sm", "in", "", "OPTIONS sip:a.b SIP/2.0", 0)]).participants;
    expect([one?.name, one?.kind]).toEqual(["10.0.0.99:5060", "unknown"]);
  });

  it("joins five thousand messages", () => {
    const many = Array.from({ length: 5000 }, (_, i) => message("sm", i % 2 ? "out" : "in", `30${String(i % 40)}`, "OPTIONS sip:a SIP/2.0", i * 1000, { message: `m${String(i)}`, call_id: String(i % 500) }));
    expect(ladderOf(many).messages.length).toBe(5000);
  });
});

it("startOf reads start lines, and shows what is none", () => {
  expect(startOf("SIP/2.0 486 Busy Here")).toEqual({ label: "486 Busy Here", method: "", status: 486 });
  expect(startOf("NOTIFY sip:a SIP/2.0").method).toBe("NOTIFY");
  expect(startOf("\u0001garbage").label).toBe("\u0001garbage");
});

it("rowsOf puts the phases of a call between its messages", () => {
  const ladder = { ...ladderOf(call()), phases: [{ name: "setup", first: 0, last: 0 }, { name: "imsorig", first: 1, last: 4 }] };
  expect(rowsOf(ladder).map((row) => (row.kind === "phase" ? row.name : row.arrow.label))).toEqual(["setup", "INVITE", "imsorig", "INVITE", "INVITE", "180 Ringing", "180 Ringing"]);
});

it("lookOf tells challenges from refusals", () => {
  expect([null, 100, 200, 302, 407, 486].map((status) => lookOf({ status }))).toEqual(["request", "provisional", "good", "wait", "wait", "bad"]);
});

it("offsetText is exact to the millisecond", () => {
  expect([0, 12_345_600, 3_723_003_000, -1500].map(offsetText)).toEqual(["+0.000", "+12.346", "+62:03.003", "−0.002"]);
});

it("inSight draws no more than what is seen, wherever one is", () => {
  expect([inSight(5000, 30, 0, 600), inSight(5000, 30, 149_400, 600), inSight(3, 30, 900, 600)]).toEqual([
    { first: 0, end: 30 }, { first: 4970, end: 5000 }, { first: 3, end: 3 },
  ]);
});

it("readable takes Latin-1 for what it was", () => {
  expect([readable("J\u00c3\u00b6rg"), readable("J\u00f6rg"), readable("plain"), readable("\u20ac")]).toEqual(["Jörg", "J\u00f6rg", "plain", "\u20ac"]);
});

it("linesOf parts start line, headers and body", () => {
  expect(linesOf("SIP/2.0 200 OK\r\nVia: x\r\nSubject: a\r\n b\r\n\r\nv=0\r\n")).toEqual({
    start: "SIP/2.0 200 OK",
    headers: [{ name: "Via", value: "x" }, { name: "Subject", value: "a" }, { name: "", value: " b" }],
    body: "v=0",
  });
});
