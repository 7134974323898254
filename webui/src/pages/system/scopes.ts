/** The scopes of a token: the permissions of whoever makes it, grouped by resource. */

export type Verb = "read" | "write" | "act";
export const verbs: readonly Verb[] = ["read", "write", "act"];

export interface Resource {
  name: string;
  verbs: Verb[];
}

function isVerb(text: string): text is Verb {
  return (verbs as readonly string[]).includes(text);
}

/** ["vms:read", "vms:act", "uc:read"] as [{vms: read, act}, {uc: read}]. */
export function resourcesOf(permissions: readonly string[]): Resource[] {
  const found = new Map<string, Verb[]>();
  for (const permission of permissions) {
    const [name, verb] = permission.split(":");
    if (!name || !verb || !isVerb(verb)) continue;
    found.set(name, [...(found.get(name) ?? []), verb]);
  }
  return [...found].map(([name, has]) => ({ name, verbs: verbs.filter((verb) => has.includes(verb)) }));
}

export type Preset = "all" | "read" | "metrics";

/** What a preset ticks, of what one may. */
export function presetScopes(preset: Preset, permissions: readonly string[]): string[] {
  if (preset === "all") return [...permissions];
  if (preset === "metrics") return permissions.filter((permission) => permission === "metrics:read");
  return permissions.filter((permission) => permission.endsWith(":read"));
}

export type Life = "never" | "good" | "soon" | "expired";

const SOON_MS = 14 * 24 * 3600 * 1000;

/** How a token stands towards its end. */
export function lifeOf(expiresAt: string | null, now: number): Life {
  if (expiresAt === null) return "never";
  const left = Date.parse(expiresAt) - now;
  if (left <= 0) return "expired";
  return left < SOON_MS ? "soon" : "good";
}

/** RFC 3339 of that many days from now; null is never. */
export function expiryAfter(days: number | null, now: number): string | null {
  return days === null ? null : new Date(now + days * 24 * 3600 * 1000).toISOString();
}
