/** Messages as the arrows of a ladder: of one call as the appliance draws it, or of whatever a filter finds. Pure. */

export interface Participant {
  name: string;
  kind: "node" | "entity" | "phone" | "unknown";
  address: string | null;
}

/** One arrow; what one of our servers sent and another received is one. */
export interface Arrow {
  id: string;
  at_us: number;
  offset_us: number;
  transit_us: number | null;
  /** Columns. */
  from: number;
  to: number;
  label: string;
  method: string;
  status: number | null;
  /** Which Call-ID it has, counted from 0. */
  leg: number;
  phase?: string | null;
  transport: string;
  sdp: boolean;
  retransmission: boolean;
}

export interface Phase {
  name: string;
  first: number;
  last: number;
}

export interface Ladder {
  participants: Participant[];
  legs: { call_id: string; caller: string; callee: string }[];
  phases: Phase[];
  messages: Arrow[];
}

/** A message as the appliance lists it and tells it while one follows. */
export interface Message {
  id: string;
  node: string;
  seq: number;
  at: string;
  at_us: number;
  direction: "in" | "out";
  transport: string;
  local: string;
  remote: string;
  call_id: string;
  gsid: string;
  /** Its start line. */
  summary: string;
  message?: string;
  truncated?: boolean;
  from?: string;
  to?: string;
}

const NODES = ["sm", "cm", "presence"];
/** Between sending and receiving, clocks differing. */
const TRANSIT_US = 5_000_000;

interface Start {
  label: string;
  method: string;
  status: number | null;
}

/** "INVITE sip:… SIP/2.0" or "SIP/2.0 180 Ringing". */
export function startOf(summary: string): Start {
  const [, code, reason = ""] = /^SIP\/2\.0 (\d{3}) ?(.*)$/i.exec(summary) ?? [];
  if (code !== undefined) return { label: `${code} ${reason}`.trim(), method: "", status: Number(code) };
  const [, method] = /^([A-Z!%*_+`'~.-]+) \S+ SIP\/2\.0$/i.exec(summary) ?? [];
  return method === undefined ? { label: summary.slice(0, 40), method: "", status: null } : { label: method, method, status: null };
}

function header(message: string, name: string, short = ""): string {
  const found = new RegExp(`^(?:${name}${short && `|${short}`})[ \\t]*:[ \\t]*(.*)$`, "im").exec(message.split(/\r?\n\r?\n/, 1)[0] ?? "");
  return found?.[1]?.trim() ?? "";
}

function hasSdp(message: string): boolean {
  return /\r?\n\r?\nv=0/.test(message);
}

function phaseOf(message: string): string | null {
  return /;phase=(\w+)/i.exec(header(message, "Route"))?.[1] ?? null;
}

const near = (message: Message): string => message.node;
const far = (message: Message): string => {
  const other = message.direction === "out" ? message.to : message.from;
  return other !== undefined && other !== "" ? other : message.remote;
};

/** The arrows of any messages, oldest first: each with its two ends, what was received joined to what was sent. */
export function ladderOf(all: readonly Message[]): Ladder {
  const names = new Map<string, number>();
  const participants: Participant[] = [];
  const column = (name: string, address: string | null): number => {
    const known = names.get(name);
    if (known !== undefined) return known;
    const kind = NODES.includes(name) ? "node" : name === address ? "unknown" : "phone";
    participants.push({ name, kind, address: kind === "node" ? null : address });
    names.set(name, participants.length - 1);
    return participants.length - 1;
  };
  const legs: Ladder["legs"] = [];
  const legOf = new Map<string, number>();
  const messages: Arrow[] = [];
  const sent = new Map<string, { arrow: Arrow; node: string; received: boolean }[]>();
  const seen = new Set<string>();
  const began = all[0]?.at_us ?? 0;

  for (const each of all) {
    const text = each.message ?? `${each.summary} ${each.call_id}`;
    if (each.direction === "in") {
      const sender = sent.get(text)?.find((s) => !s.received && s.node !== each.node && Math.abs(each.at_us - s.arrow.at_us) < TRANSIT_US);
      if (sender) {
        sender.received = true;
        sender.arrow.transit_us = each.at_us - sender.arrow.at_us;
        continue;
      }
    }
    const here = (): number => column(near(each), null);
    const there = (): number => column(far(each), each.remote);
    const from = each.direction === "out" ? here() : there();
    const to = each.direction === "out" ? there() : here();
    let leg = legOf.get(each.call_id);
    if (leg === undefined) {
      leg = legs.length;
      legOf.set(each.call_id, leg);
      legs.push({ call_id: each.call_id, caller: "", callee: "" });
    }
    const way = `${String(from)} ${String(to)} ${text}`;
    const arrow: Arrow = {
      ...startOf(each.summary),
      id: each.id, at_us: each.at_us, offset_us: each.at_us - began, transit_us: null, from, to, leg,
      phase: phaseOf(each.message ?? ""), transport: each.transport, sdp: hasSdp(each.message ?? ""), retransmission: seen.has(way),
    };
    seen.add(way);
    messages.push(arrow);
    if (each.direction === "out") {
      const waiting = sent.get(text);
      if (waiting) waiting.push({ arrow, node: each.node, received: false });
      else sent.set(text, [{ arrow, node: each.node, received: false }]);
    }
  }
  return { participants, legs, phases: [], messages };
}

/** What is drawn row by row: the phases of a call stand as headings between its messages. */
export type Row = { kind: "phase"; key: string; name: string } | { kind: "message"; key: string; arrow: Arrow; index: number };

export function rowsOf(ladder: Ladder): Row[] {
  const heads = new Map(ladder.phases.map((phase) => [phase.first, phase.name]));
  const rows: Row[] = [];
  for (const [index, arrow] of ladder.messages.entries()) {
    const head = heads.get(index);
    if (head !== undefined) rows.push({ kind: "phase", key: `phase ${String(index)}`, name: head });
    rows.push({ kind: "message", key: arrow.id, arrow, index });
  }
  return rows;
}

export type Look = "request" | "provisional" | "good" | "wait" | "bad";

export function lookOf({ status }: Pick<Arrow, "status">): Look {
  if (status === null) return "request";
  if (status < 200) return "provisional";
  if (status < 300) return "good";
  return status < 400 || status === 401 || status === 407 ? "wait" : "bad";
}

/** "+0.000", "+12.345", "+1:02.003": how far from the first. */
export function offsetText(us: number): string {
  const sign = us < 0 ? "−" : "+";
  const ms = Math.round(Math.abs(us) / 1000);
  const rest = `${String(Math.floor(ms / 1000) % 60)}.${String(ms % 1000).padStart(3, "0")}`;
  const minutes = Math.floor(ms / 60_000);
  return minutes > 0 ? `${sign}${String(minutes)}:${rest.padStart(6, "0")}` : `${sign}${rest}`;
}

/** Which rows to draw: those in sight and a few on either side. */
export function inSight(count: number, row: number, top: number, height: number, more = 10): { first: number; end: number } {
  const first = Math.max(0, Math.min(count, Math.floor(top / row) - more));
  return { first, end: Math.min(count, Math.ceil((top + height) / row) + more) };
}

/** The bytes of the wire came as Latin-1, so that none is lost; what is UTF-8 is read as such. */
export function readable(text: string): string {
  let plain = true;
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0xff) return text;
    if (code > 0x7f) plain = false;
    bytes[i] = code;
  }
  if (plain) return text;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return text;
  }
}

/** A message by its lines: names of headers apart, so that they can be drawn so. */
export interface Line {
  name: string;
  value: string;
}

export function linesOf(message: string): { start: string; headers: Line[]; body: string } {
  const [head = "", ...rest] = readable(message).split(/\r?\n\r?\n/);
  const [start = "", ...lines] = head.split(/\r?\n/);
  const headers = lines.map((line) => {
    const at = line.indexOf(":");
    return at > 0 && !/^\s/.test(line) ? { name: line.slice(0, at), value: line.slice(at + 1).trim() } : { name: "", value: line };
  });
  return { start, headers, body: rest.join("\n\n").trimEnd() };
}
