/** A resource as a form holds it: read and written by JSON pointer, and what of it must be sent. Pure. */
import type { FieldValue } from "../../lib/conflict";

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type Draft = Record<string, Json>;

export function isObject(value: Json | undefined): value is Record<string, Json> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** "/monitoring/retries" of a draft; undefined where there is nothing. */
export function at(draft: Draft, pointer: string): Json | undefined {
  let value: Json | undefined = draft;
  for (const name of pointer.split("/").slice(1)) value = isObject(value) ? value[name] : undefined;
  return value;
}

/** Objects on the way that are not there are made. */
export function put(draft: Draft, pointer: string, value: Json): void {
  const names = pointer.split("/").slice(1);
  const last = names.pop() ?? "";
  let place: Record<string, Json> = draft;
  for (const name of names) {
    let next = place[name];
    if (!isObject(next)) {
      place[name] = {};
      next = place[name] as Record<string, Json>;
    }
    place = next;
  }
  place[last] = value;
}

export function equal(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a) || Array.isArray(b))
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((each, i) => equal(each, b[i]));
  if (!isObject(a) || !isObject(b)) return false;
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => equal(a[name], b[name]));
}

/** What turns one into the other (RFC 7396): lists go as a whole. */
export function patchOf(before: Draft, after: Draft): Draft {
  const patch: Draft = {};
  for (const [name, value] of Object.entries(after)) {
    const was = before[name];
    if (equal(was, value)) continue;
    patch[name] = isObject(was) && isObject(value) ? patchOf(was, value) : value;
  }
  return patch;
}

/** The members of `like` alone, as `from` has them: without what is read only. */
export function pick(like: Draft, from: Draft): Draft {
  return Object.fromEntries(Object.entries(like).map(([name, value]) => [name, structuredClone(from[name] ?? value)]));
}

/** One value a field, for comparing two versions: what is no plain value stands as its JSON. */
export function flatten(draft: Draft): Record<string, FieldValue> {
  return Object.fromEntries(
    Object.entries(draft).map(([name, value]) => [name, typeof value === "object" && value !== null ? `json:${JSON.stringify(value)}` : value]),
  );
}

export function unflatten(values: Readonly<Record<string, FieldValue>>): Draft {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, plain(value)]));
}

export function plain(value: FieldValue): Json {
  return typeof value === "string" && value.startsWith("json:") ? (JSON.parse(value.slice(5)) as Json) : value;
}

/** Lines of a text, without what is empty. */
export function linesOf(text: string): string[] {
  return text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
}
