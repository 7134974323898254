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
  checked_at: string | null;
  last_request: string | null;
  last_answer: string | null;
  calls: number;
  links: LiveLink[];
  registration: { state: string; reason: string } | null;
}

const text = (value: Json | undefined): string => (typeof value === "string" ? value : "");
const orNull = (value: Json | undefined): string | null => (typeof value === "string" && value !== "" ? value : null);

export function stateOf(value: Json | undefined): LinkState {
  return STATES.find((state) => state === value) ?? "unknown";
}

/** Without sm's word (it is off, or does not answer) the state is not known. */
export function statusOf(row: Draft): Status {
  const raw = isObject(row.status) ? row.status : {};
  const links = (Array.isArray(raw.links) ? raw.links : []).filter(isObject).map((link) => ({
    transport: text(link.transport),
    port: typeof link.port === "number" ? link.port : 0,
    state: stateOf(link.link),
    reason: text(link.reason),
  }));
  return {
    state: stateOf(raw.link),
    reason: text(raw.reason),
    since: orNull(raw.changed_at),
    checked_at: orNull(raw.checked_at),
    last_request: orNull(raw.last_request),
    last_answer: orNull(raw.last_answer),
    calls: typeof raw.calls === "number" ? raw.calls : 0,
    links,
    registration: isObject(raw.registration) ? { state: text(raw.registration.state), reason: text(raw.registration.reason) } : null,
  };
}

export function stateTone(state: LinkState): Tone {
  if (state === "up") return "good";
  if (state === "down") return "bad";
  return state === "unknown" ? "off" : "wait";
}
