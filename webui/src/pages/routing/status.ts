/** The live state of an entity and its links, as sm tells it. Pure. */
import type { Tone } from "../../components/Badge.svelte";
import { isObject, type Draft, type Json } from "./values";

export const STATES = ["up", "partially_up", "down", "deny_new_service", "unknown"] as const;
export type LinkState = (typeof STATES)[number];

export interface LiveLink {
  transport: string;
  port: number;
  state: LinkState;
  reason: string;
}

export interface Status {
  state: LinkState;
  reason: string;
  since: string | null;
  last_request: string | null;
  last_answer: string | null;
  /** When the last OPTIONS was answered, and how fast. */
  last_answer_at: string | null;
  links: LiveLink[];
}

const text = (value: Json | undefined): string => (typeof value === "string" ? value : "");
const orNull = (value: Json | undefined): string | null => (typeof value === "string" && value !== "" ? value : null);

export function stateOf(value: Json | undefined): LinkState {
  return STATES.find((state) => state === value) ?? "unknown";
}

/** What cannot be read is unknown, with sm's silence as the reason it has. */
export function statusOf(row: Draft): Status {
  const raw = isObject(row.status) ? row.status : {};
  const links = (Array.isArray(raw.links) ? raw.links : []).filter(isObject).map((link) => ({
    transport: text(link.transport),
    port: typeof link.port === "number" ? link.port : 0,
    state: stateOf(link.state),
    reason: text(link.reason),
  }));
  return {
    state: stateOf(raw.state),
    reason: text(raw.reason),
    since: orNull(raw.since),
    last_request: orNull(raw.last_request),
    last_answer: orNull(raw.last_answer),
    last_answer_at: orNull(raw.last_answer_at),
    links,
  };
}

export function stateTone(state: LinkState): Tone {
  if (state === "up") return "good";
  if (state === "down") return "bad";
  return state === "unknown" ? "off" : "wait";
}
