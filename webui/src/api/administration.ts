/** The administration as a document, as /uc/export gives it: read, counted, and cut into parts that one request can hold. */
import type { Problem } from "../lib/remote";
import { client, settle, type Plan, type Result } from "./client";
import type { components } from "./schema";

export type Document = components["schemas"]["uc_document"];
export type Taken = components["schemas"]["uc_import"];

/** Its lists; what is named stands before what names it. */
export const lists = [
  "domains", "locations", "adaptations", "sip_entities", "entity_links", "time_ranges", "routing_policies", "application_sequences",
  "dial_patterns", "regular_expressions", "implicit_users", "firewall_rules", "dial_plan", "users",
] as const;
export type ListName = (typeof lists)[number];

/** A body has at most 1 MiB; this leaves room for what stands around the rows. */
const PART_BYTES = 900_000;
export const FILE_BYTES_MAX = 64 * 1024 * 1024;

/** What one request takes over. */
export interface Part {
  body: Document;
  /** The rows of a list from this one on; a document that goes as a whole has none. */
  rows?: { list: ListName; from: number };
}

type Read = { ok: true; document: Document; counts: { list: ListName; count: number }[] } | { ok: false; why: "not_json" | "not_a_document" };

export function isList(name: string): name is ListName {
  return (lists as readonly string[]).includes(name);
}

/** Only its frame is looked at: what a row must be says the appliance. */
export function readDocument(text: string): Read {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, why: "not_json" };
  }
  if (typeof value !== "object" || value === null || (value as { schema?: unknown }).schema !== 1) return { ok: false, why: "not_a_document" };
  const found = Object.entries(value).filter((entry): entry is [ListName, unknown] => isList(entry[0]));
  if (found.some(([, rows]) => !Array.isArray(rows))) return { ok: false, why: "not_a_document" };
  const counts = found.map(([list, rows]) => ({ list, count: (rows as unknown[]).length }));
  counts.sort((a, b) => lists.indexOf(a.list) - lists.indexOf(b.list));
  return { ok: true, document: value as Document, counts };
}

const size = (value: unknown): number => new TextEncoder().encode(JSON.stringify(value)).length;

/** The document as a whole where a request can hold it; otherwise list by list, as many rows at a time as fit. */
export function partsOf(document: Document, most = PART_BYTES): Part[] {
  if (size(document) <= most) return [{ body: document }];
  const { settings, ...rest } = document as Record<string, unknown>;
  const frame = Object.fromEntries(Object.entries(rest).filter(([name]) => !isList(name)));
  const parts: Part[] = [];
  for (const list of lists) {
    const rows = (rest[list] ?? []) as unknown[];
    let from = 0;
    while (from < rows.length) {
      let to = from;
      for (let bytes = 0; to < rows.length && (to === from || bytes + size(rows[to]) <= most); to++) bytes += size(rows[to]);
      parts.push({ body: { ...frame, [list]: rows.slice(from, to) } as Document, rows: { list, from } });
      from = to;
    }
  }
  // It names an entity, so it comes last.
  if (settings !== undefined) parts.push({ body: { ...frame, settings } as Document });
  return parts;
}

/** What all parts together did, list by list. */
export function addUp(results: readonly Taken[]): Taken {
  const sum: Taken = { created: 0, changed: 0, unchanged: 0, deleted: 0, sets: [] };
  const add = (to: Omit<Taken, "sets">, from: Omit<Taken, "sets">): void => {
    for (const key of ["created", "changed", "unchanged", "deleted"] as const) to[key] += from[key];
  };
  for (const result of results) {
    add(sum, result);
    for (const set of result.sets) {
      const there = sum.sets.find((each) => each.name === set.name);
      if (there) add(there, set);
      else sum.sets.push({ ...set });
    }
  }
  return sum;
}

/** Which row a problem means: its list, its number in the file (from 1), and the member of it. */
export interface Fault {
  list: ListName;
  row: number;
  member: string;
}

export function faultOf(problem: Problem, part: Part): Fault | undefined {
  const match = /^\/(\w+)\/(\d+)(?:\/(.*))?$/.exec(problem.errors?.[0]?.pointer ?? "");
  const [, list, row, member] = match ?? [];
  if (list === undefined || !isList(list)) return undefined;
  const from = part.rows?.list === list ? part.rows.from : 0;
  return { list, row: from + Number(row) + 1, member: member ?? "" };
}

/** The row, as the file counts it, before the appliance's own words. */
export function placed<T>(result: Result<T>, part: Part, words: (fault: Fault, detail: string) => string): Result<T> {
  const fault = result.ok ? undefined : faultOf(result.problem, part);
  if (result.ok || !fault) return result;
  return { ok: false, problem: { ...result.problem, detail: words(fault, result.problem.detail) } };
}

export function getAdministration(): Promise<Result<unknown>> {
  return settle(client.GET("/api/v1/uc/export"));
}

export async function planImport(body: Document, replace = false): Promise<Result<Plan>> {
  const query = { replace, dry_run: true };
  return (await settle<unknown>(client.POST("/api/v1/uc/import", { body, params: { query } }))) as Result<Plan>;
}

/**
 * One part after the other; `done` holds those in force already and is told of each further one, so that a second try goes on behind them.
 * What was refused comes with the words for the row that is at fault.
 */
export async function importParts(
  parts: readonly Part[], done: readonly Taken[], progress: (done: Taken[]) => void, words: (fault: Fault, detail: string) => string, replace = false,
): Promise<Result<unknown>> {
  const taken = [...done];
  for (const part of parts.slice(done.length)) {
    const result = placed(await importPart(part.body, replace), part, words);
    if (!result.ok) return result;
    taken.push(result.value);
    progress([...taken]);
  }
  return { ok: true, value: undefined };
}

function importPart(body: Document, replace: boolean): Promise<Result<Taken>> {
  return settle(client.POST("/api/v1/uc/import", { body, params: { query: { replace } } }));
}
