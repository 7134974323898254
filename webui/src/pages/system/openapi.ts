/** The appliance's own OpenAPI document as a reference draws it: operations by resource, schemas as rows. */

export interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  description?: string;
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  additionalProperties?: boolean | Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  pattern?: string;
  writeOnly?: boolean;
  readOnly?: boolean;
}

export interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema?: Schema;
}

type Content = Record<string, { schema?: Schema }>;

interface Described {
  operationId?: string;
  summary?: string;
  description?: string;
  parameters?: Parameter[];
  requestBody?: { content?: Content };
  responses?: Record<string, { $ref?: string; description?: string; content?: Content }>;
  security?: unknown[];
  "x-permission"?: string;
}

export interface Document {
  info?: { title?: string; version?: string };
  paths?: Record<string, Record<string, Described>>;
  components?: { schemas?: Record<string, Schema>; responses?: Record<string, { content?: Content }> };
}

export interface Answer {
  status: string;
  type: string;
  schema: Schema | undefined;
}

export type Access = "public" | "any" | "permission";

export interface Operation {
  id: string;
  method: string;
  path: string;
  group: string;
  summary: string;
  description: string;
  access: Access;
  permission: string;
  parameters: Parameter[];
  body: { type: string; schema: Schema | undefined } | undefined;
  answers: Answer[];
}

export interface Group {
  name: string;
  operations: Operation[];
}

/** One line of a schema as it is drawn; `children` are made when the line is opened. */
export interface Line {
  name: string;
  type: string;
  limits: string;
  description: string;
  required: boolean;
  writeOnly: boolean;
  children: () => Line[];
}

const METHODS = ["get", "post", "put", "patch", "delete"];
const PREFIX = "/api/v1/";
const DEPTH = 8;

/** "/api/v1/uc/users/{user}" belongs to "uc/users"; "/healthz" and "/api/v1/openapi.json" to the appliance itself. */
export function groupOf(path: string): string {
  if (!path.startsWith(PREFIX)) return "/";
  const parts = path.slice(PREFIX.length).split("/");
  if (parts[0]?.includes(".")) return "/";
  if (parts[0] === "uc" && parts[1]) return `uc/${parts[1]}`;
  return parts[0] ?? "/";
}

function firstContent(content: Content | undefined): { type: string; schema: Schema | undefined } | undefined {
  const [entry] = Object.entries(content ?? {});
  return entry && { type: entry[0], schema: entry[1].schema };
}

function operationOf(document: Document, path: string, method: string, raw: Described): Operation {
  const permission = raw["x-permission"] ?? "";
  const answers = Object.entries(raw.responses ?? {}).map(([status, answer]) => {
    const name = answer.$ref?.split("/").pop();
    const content = name ? document.components?.responses?.[name]?.content : answer.content;
    return { status, type: "", schema: undefined, ...firstContent(content) };
  });
  return {
    id: raw.operationId ?? `${method}_${path}`,
    method: method.toUpperCase(),
    path,
    group: groupOf(path),
    summary: raw.summary ?? "",
    description: raw.description ?? "",
    access: raw.security?.length === 0 ? "public" : permission === "*" || permission === "" ? "any" : "permission",
    permission,
    parameters: raw.parameters ?? [],
    body: firstContent(raw.requestBody?.content),
    answers,
  };
}

/** Every operation, grouped by resource in the order of the document. */
export function groupsOf(document: Document): Group[] {
  const groups = new Map<string, Operation[]>();
  for (const [path, methods] of Object.entries(document.paths ?? {})) {
    for (const method of METHODS) {
      const raw = methods[method];
      if (!raw) continue;
      const operation = operationOf(document, path, method, raw);
      groups.set(operation.group, [...(groups.get(operation.group) ?? []), operation]);
    }
  }
  const named = [...groups].map(([name, operations]) => ({ name, operations }));
  return [...named.filter((group) => group.name !== "/"), ...named.filter((group) => group.name === "/")];
}

/** The operations that hold every word asked for, wherever: path, method, summary, permission, id. */
export function search(groups: Group[], asked: string): Group[] {
  const words = asked.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return groups;
  const holds = (operation: Operation): boolean => {
    const { method, path, summary, permission, id } = operation;
    const text = `${method} ${path} ${summary} ${permission} ${id}`.toLowerCase();
    return words.every((word) => text.includes(word));
  };
  return groups
    .map((group) => ({ name: group.name, operations: group.operations.filter(holds) }))
    .filter((group) => group.operations.length > 0);
}

/** Follow `$ref` to what it names; a chain that never ends gives an empty schema. */
export function resolve(document: Document, schema: Schema | undefined): Schema {
  let found = schema;
  for (let i = 0; i < DEPTH && found?.$ref; i++) {
    found = document.components?.schemas?.[found.$ref.split("/").pop() ?? ""];
  }
  return found?.$ref ? {} : (found ?? {});
}

function alternatives(schema: Schema): Schema[] {
  return schema.anyOf ?? schema.oneOf ?? [];
}

/** A type as one reads it in code: `string`, `uuid`, `"running" | "stopped"`, `vm[]`, `integer | null`. */
export function typeOf(document: Document, schema: Schema | undefined, depth = 0): string {
  if (!schema || depth > DEPTH) return "any";
  if (schema.$ref) {
    const real = resolve(document, schema);
    const name = schema.$ref.split("/").pop() ?? "any";
    return real.properties || real.additionalProperties ? name : typeOf(document, real, depth + 1);
  }
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const choices = alternatives(schema);
  if (choices.length > 0) return choices.map((choice) => typeOf(document, choice, depth + 1)).join(" | ");
  const types = typeof schema.type === "string" ? [schema.type] : (schema.type ?? []);
  const words = types.map((type) => {
    if (type !== "array") return type === "string" && schema.format ? schema.format : type;
    const item = typeOf(document, schema.items, depth + 1);
    return item.includes(" ") ? `(${item})[]` : `${item}[]`;
  });
  return words.length > 0 ? words.join(" | ") : "any";
}

function range(least: number | undefined, most: number | undefined): string {
  if (least === undefined && most === undefined) return "";
  return least === most ? String(least) : `${String(least ?? "")}…${String(most ?? "")}`;
}

/** What a value must keep to: `1…64`, `/^[0-9]+$/`, `= 50`. */
export function limitsOf(schema: Schema): string {
  const parts = [
    range(schema.minimum, schema.maximum),
    range(schema.minLength, schema.maxLength),
    range(schema.minItems, schema.maxItems),
    schema.pattern ? `/${schema.pattern}/` : "",
    schema.default === undefined ? "" : `= ${JSON.stringify(schema.default)}`,
  ];
  return parts.filter(Boolean).join("  ");
}

/** The object that a schema is, holds as items, or is one choice of. */
function objectIn(document: Document, schema: Schema | undefined, depth = 0): Schema | undefined {
  if (depth > DEPTH) return undefined;
  const real = resolve(document, schema);
  if (real.properties || typeof real.additionalProperties === "object") return real;
  if (real.items) return objectIn(document, real.items, depth + 1);
  for (const choice of alternatives(real)) {
    const found = objectIn(document, choice, depth + 1);
    if (found) return found;
  }
  return undefined;
}

/** The members of a body or an answer, one line each. */
export function linesOf(document: Document, schema: Schema | undefined): Line[] {
  const real = objectIn(document, schema);
  if (!real) return [];
  const members = Object.entries(real.properties ?? {});
  if (typeof real.additionalProperties === "object") members.push(["*", real.additionalProperties]);
  return members.map(([name, member]) => {
    const meant = resolve(document, member);
    return {
      name,
      type: typeOf(document, member),
      limits: limitsOf(meant),
      description: member.description ?? meant.description ?? "",
      required: real.required?.includes(name) ?? false,
      writeOnly: meant.writeOnly ?? false,
      children: () => linesOf(document, member),
    };
  });
}

/** A value that keeps to the schema's shape; an object shows what it must have, or all if it must have nothing. */
export function example(document: Document, schema: Schema | undefined, name = "", depth = 0): unknown {
  const real = resolve(document, schema);
  if (depth > DEPTH) return null;
  if (real.const !== undefined) return real.const;
  if (real.default !== undefined) return real.default;
  if (real.enum) return real.enum[0] ?? null;
  const [choice] = alternatives(real);
  if (choice) return example(document, choice, name, depth + 1);
  const type = typeof real.type === "string" ? real.type : real.type?.[0];
  if (type === "object" || real.properties) {
    const required = Object.keys(real.properties ?? {}).filter((key) => real.required?.includes(key));
    const keys = required.length > 0 ? required : Object.keys(real.properties ?? {});
    return Object.fromEntries(keys.map((key) => [key, example(document, real.properties?.[key], key, depth + 1)]));
  }
  if (type === "array") return [example(document, real.items, name, depth + 1)];
  if (type === "integer" || type === "number") return real.minimum ?? 1;
  if (type === "boolean") return true;
  if (real.format === "date-time") return "2030-01-01T00:00:00Z";
  return name ? name.toUpperCase() : "TEXT";
}

/** undefined: it is not a description of an API. */
export function readDocument(value: unknown): Document | undefined {
  const found = typeof value === "object" && value !== null ? (value as Document) : undefined;
  return found && typeof found.paths === "object" ? found : undefined;
}
