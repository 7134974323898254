/** The path of a call as the route test tells it, laid out to be drawn: the decisions that counted one under the other,
 * then the entities that it would be tried at. Pure. */

export interface RouteQuestion {
  caller: string;
  callee: string;
  source: string | null;
  at: string | null;
  transport: string | null;
}

export interface RouteStep {
  step: string;
  result: string;
  name: string | null;
  detail: string | null;
}

export interface RouteCandidate {
  entity: string;
  policy: string | null;
  rank: number | null;
  link_state: string | null;
  /** Why its link is as it is. */
  reason?: string;
  request_uri: string | null;
  headers?: Readonly<Record<string, string>>;
}

export interface RouteAnswer {
  outcome: "user" | "entity" | "denied" | "not_found" | "down";
  sip_status: number | null;
  location: string | null;
  emergency: boolean;
  steps: RouteStep[];
  candidates: RouteCandidate[];
  request_uri: string | null;
}

export interface Stop {
  key: string;
  kind: "caller" | "step" | "end";
  step: string;
  name: string;
  detail: string;
  y: number;
}

export interface Branch {
  key: string;
  candidate: RouteCandidate;
  /** Where the call goes: the first that is not down. */
  taken: boolean;
  x: number;
  y: number;
}

export interface Drawn {
  stops: Stop[];
  branches: Branch[];
  /** The trunk of the tree, from the first stop to the last. */
  top: number;
  bottom: number;
  height: number;
}

const STOP = 56;
const BRANCH = 52;
const HEAD = 22;

/** A sip: URI as a person reads it: "3001" or "ada@example.com". */
export function party(uri: string): string {
  const bare = uri.trim().replace(/^<|>$/g, "").replace(/^(sips?|tel):/i, "");
  return bare.replace(/;.*$/, "");
}

export function isUp(candidate: RouteCandidate): boolean {
  return candidate.link_state !== "down" && candidate.link_state !== "deny_new_service" && candidate.link_state !== "full";
}

/** Whoever calls is the first stop; links, and what is rewritten on the way out, are shown with each entity. */
function isShownElsewhere({ step, name, detail }: RouteStep, candidates: readonly RouteCandidate[]): boolean {
  if (step === "link") return candidates.some((each) => each.entity === name);
  return step === "caller" || (step === "adaptation" && (detail ?? "").startsWith("egress"));
}

export function layOut(question: Pick<RouteQuestion, "caller" | "callee">, answer: RouteAnswer): Drawn {
  const counted = answer.steps.filter((each) => each.result === "match" && !isShownElsewhere(each, answer.candidates));
  const stops: Stop[] = [{ key: "caller", kind: "caller", step: "caller", name: party(question.caller), detail: "", y: HEAD }];
  for (const [i, each] of counted.entries())
    stops.push({ key: `${String(i)} ${each.step}`, kind: "step", step: each.step, name: each.name ?? "", detail: each.detail ?? "", y: HEAD + stops.length * STOP });
  const ends = answer.outcome !== "entity" || answer.candidates.length === 0;
  if (ends) stops.push({ key: "end", kind: "end", step: answer.outcome, name: "", detail: "", y: HEAD + stops.length * STOP });
  const bottom = stops.at(-1)?.y ?? HEAD;
  const first = answer.candidates.findIndex(isUp);
  const branches = answer.candidates.map((candidate, i) => ({
    key: `${String(i)} ${candidate.entity}`,
    candidate,
    taken: i === first && answer.outcome === "entity",
    x: 40,
    y: bottom + (i + 1) * BRANCH,
  }));
  return { stops, branches, top: HEAD, bottom, height: (branches.at(-1)?.y ?? bottom) + STOP - HEAD };
}

/** Digits stand for themselves, anything with an @ becomes a sip: URI. */
export function uriOf(text: string): string {
  const typed = text.trim();
  return /^(sips?|tel):/i.test(typed) || !typed.includes("@") ? typed : `sip:${typed}`;
}
