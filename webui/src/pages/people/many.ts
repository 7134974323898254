/** Many people at once: the rows of a CSV file, and what is wrong with them. Pure. */
import { parseCsv } from "../../lib/csv";
import { createBody, emptyForm, extensionFor } from "./form";
import { generatePassword } from "./password";
import type { NewUser } from "./user";

/** What the appliance holds at most (DESIGN: a box is for about 5,000). */
export const ROWS_MAX = 20000;

export const columns = ["name", "handle", "extension", "password", "location"] as const;
export type ColumnName = (typeof columns)[number];

export type Fault =
  | "name_missing" | "name_long" | "handle_missing" | "handle_strange" | "handle_twice" | "handle_taken" | "extension_strange"
  | "extension_twice" | "extension_taken" | "password_long";

export interface Row {
  /** As the file counts its lines of data, from 1. */
  number: number;
  name: string;
  handle: string;
  /** Empty: no station. */
  extension: string;
  location: string;
  password: string;
  /** The browser made the password: it must be handed over. */
  generated: boolean;
  faults: Fault[];
}

export type Reading = { ok: true; rows: Row[]; ignored: string[] } | { ok: false; why: "not_csv" | "no_columns" | "no_rows" | "too_many" };

/** Who is there already. */
export interface Taken {
  handles: ReadonlySet<string>;
  extensions: ReadonlySet<string>;
}

/** `titles` are the columns' names as the console shows them; the API's own names do as well. */
export function readPeople(text: string, titles: Readonly<Record<ColumnName, string>>, taken: Taken, generate = generatePassword): Reading {
  const cells = parseCsv(text);
  const [head, ...body] = cells ?? [];
  if (!cells || !head) return { ok: false, why: "not_csv" };
  const place = new Map<ColumnName, number>();
  const ignored: string[] = [];
  head.forEach((title, i) => {
    const wanted = title.trim().toLowerCase();
    const name = columns.find((each) => each === wanted || titles[each].toLowerCase() === wanted);
    if (name !== undefined && !place.has(name)) place.set(name, i);
    else if (wanted !== "") ignored.push(title.trim());
  });
  if (!place.has("name") || !place.has("handle")) return { ok: false, why: "no_columns" };
  if (body.length === 0) return { ok: false, why: "no_rows" };
  if (body.length > ROWS_MAX) return { ok: false, why: "too_many" };
  const rows = body.map((line, i): Row => {
    const get = (name: ColumnName): string => (line[place.get(name) ?? -1] ?? "").trim();
    const handle = get("handle");
    const password = get("password");
    return {
      number: i + 1,
      name: get("name"),
      handle,
      extension: place.has("extension") ? get("extension") : extensionFor(handle),
      location: get("location"),
      password: password || generate(),
      generated: password === "",
      faults: [],
    };
  });
  judge(rows, taken);
  return { ok: true, rows, ignored };
}

function counted(values: string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

/** What can be seen without asking; the rest says the appliance, before it changes anything. */
function judge(rows: Row[], taken: Taken): void {
  const handles = counted(rows.map(({ handle }) => handle));
  const extensions = counted(rows.map(({ extension }) => extension));
  for (const row of rows) {
    const { name, handle, extension, password, faults } = row;
    if (name === "") faults.push("name_missing");
    else if (name.length > 256) faults.push("name_long");
    if (handle === "") faults.push("handle_missing");
    else if (!/^[^\s/%@<>";?&]{1,64}$/.test(handle)) faults.push("handle_strange");
    else if ((handles.get(handle) ?? 0) > 1) faults.push("handle_twice");
    else if (taken.handles.has(handle)) faults.push("handle_taken");
    if (extension !== "") {
      if (!/^[0-9]{1,15}$/.test(extension)) faults.push("extension_strange");
      else if ((extensions.get(extension) ?? 0) > 1) faults.push("extension_twice");
      else if (taken.extensions.has(extension)) faults.push("extension_taken");
    }
    if (password.length > 128) faults.push("password_long");
  }
}

export function bodyOf(row: Row): NewUser {
  const { name, handle, extension, location, password } = row;
  return createBody({ ...emptyForm(), name, handle, location, station: extension !== "", extension }, password);
}
