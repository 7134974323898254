/** Two people changed the same thing: what differs, field by field, and what comes of the choices. Pure. */

export type FieldValue = string | number | boolean | null;

/** What a form holds, flat: one name a field. */
export type Values = Readonly<Record<string, FieldValue>>;

export type Side = "mine" | "theirs";
export type Choices = Readonly<Record<string, Side>>;

export interface Difference {
  name: string;
  base: FieldValue;
  mine: FieldValue;
  theirs: FieldValue;
  /** Who moved away from the base. Only `both` needs a decision. */
  changedBy: Side | "both";
}

function valueOf(values: Values, name: string): FieldValue {
  return values[name] ?? null;
}

/** The fields in which mine and theirs differ, in the order of `mine`; what both made alike is none. */
export function differences(base: Values, mine: Values, theirs: Values): Difference[] {
  const names = new Set([...Object.keys(mine), ...Object.keys(theirs)]);
  const found: Difference[] = [];
  for (const name of names) {
    const [b, m, t] = [valueOf(base, name), valueOf(mine, name), valueOf(theirs, name)];
    if (m === t) continue;
    const changedBy = m === b ? "theirs" : t === b ? "mine" : "both";
    found.push({ name, base: b, mine: m, theirs: t, changedBy });
  }
  return found;
}

/** What nobody disputes is chosen: each keeps what only he changed. */
export function undisputed(all: readonly Difference[]): Choices {
  const choices: Record<string, Side> = {};
  for (const each of all) if (each.changedBy !== "both") choices[each.name] = each.changedBy;
  return choices;
}

export function allOf(all: readonly Difference[], side: Side): Choices {
  return Object.fromEntries(all.map((each) => [each.name, side]));
}

export function undecided(all: readonly Difference[], choices: Choices): string[] {
  return all.filter((each) => choices[each.name] === undefined).map((each) => each.name);
}

/** Theirs, with each field that was chosen as mine. */
export function merge<T extends Values>(theirs: T, mine: T, all: readonly Difference[], choices: Choices): T {
  const kept = all.filter((each) => choices[each.name] === "mine").map((each) => [each.name, mine[each.name]]);
  return { ...theirs, ...Object.fromEntries(kept) } as T;
}

/** The names of fields that are no longer as they were. */
export function changedFields(before: Values, after: Values): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => valueOf(before, name) !== valueOf(after, name));
}
