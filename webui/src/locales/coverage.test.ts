/** Catalogues and pages fit: no message that nobody says, and no English on a page that is not in a catalogue. */
import { parse } from "svelte/compiler";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import schema from "../api/schema.d.ts?raw";

const catalogues = import.meta.glob<{ default: Record<string, unknown> }>("./en/*.ts", { eager: true });
const found = import.meta.glob<string>(["../**/*.ts", "../**/*.svelte", "!../**/*.test.ts", "!../api/schema.d.ts", "!./en/*.ts"], {
  eager: true,
  query: "?raw",
  import: "default",
});
const sources = Object.entries(found);

interface Said {
  exact: string[];
  /** What keys look like that are put together: say(`machines.${action}_title`). */
  like: RegExp[];
  /** Namespaces of which any key may be said: say(`calls.${state}`). */
  any: string[];
}

function said(source: string, namespaces: string): Said {
  const into: Said = { exact: [], like: [], any: [] };
  for (const [, key = ""] of source.matchAll(new RegExp(`["'\`]((?:${namespaces})\\.\\w+)["'\`]`, "g"))) into.exact.push(key);
  for (const [, text = ""] of source.matchAll(new RegExp(`\`((?:${namespaces})\\.\\w*\\$\\{[^\`]*)\``, "g"))) {
    const [head = "", ...rest] = text.split(/\$\{[^}]*\}/);
    if (head.endsWith(".") && rest.join("") === "") into.any.push(head.slice(0, -1));
    else into.like.push(new RegExp(`^${[head, ...rest].map((part) => part.replaceAll(".", "\\.")).join("\\w+")}$`));
  }
  return into;
}

const WORD = /\p{L}{2,}/u;
/** Attributes that a reader sees or hears. */
const SPOKEN = new Set(["title", "aria-label", "aria-description", "aria-roledescription", "placeholder", "alt", "label", "text", "hint", "subtitle"]);
/** What is the same in each language: the name of a thing, a format, a key to press. */
const NAMES = /^(Aurabox|Ctrl|Esc|Enter|Tab|Shift|Alt|kbps|SIP|API|curl|libvirt|CSV|ETag|JSON|ms|px|https?:\S*|[A-Z]{2,}\S*)$/;

function isEnglish(text: string): boolean {
  return text.split(/[\s+·/|–…,.:]+/).some((word) => WORD.test(word) && !NAMES.test(word));
}

type Node = Record<string, unknown>;
const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null;

function literal(attribute: Node): string {
  const parts = Array.isArray(attribute["value"]) ? (attribute["value"] as unknown[]) : [attribute["value"]];
  return parts.map((part) => (isNode(part) && part["type"] === "Text" ? String(part["data"]) : "")).join("");
}

/** Text, spoken attributes and strings drawn as they are, of one component's markup. */
function drawn(node: unknown, into: string[] = []): string[] {
  if (Array.isArray(node)) for (const each of node) drawn(each, into);
  if (!isNode(node) || Array.isArray(node)) return into;
  if (node["type"] === "Text") into.push(String(node["data"]));
  else if (node["type"] === "Attribute") {
    if (SPOKEN.has(String(node["name"]))) into.push(literal(node));
  } else if (node["type"] === "ExpressionTag") strings(node["expression"], into);
  else for (const [key, value] of Object.entries(node)) if (key !== "metadata") drawn(value, into);
  return into;
}

/** The strings that an expression itself gives: `yes ? "Yes" : "No"`, not what it hands to a function. */
function strings(expression: unknown, into: string[]): void {
  if (!isNode(expression)) return;
  if (expression["type"] === "Literal" && typeof expression["value"] === "string") into.push(expression["value"]);
  if (expression["type"] === "ConditionalExpression") {
    strings(expression["consequent"], into);
    strings(expression["alternate"], into);
  }
  if (expression["type"] === "LogicalExpression") {
    strings(expression["left"], into);
    strings(expression["right"], into);
  }
  if (expression["type"] === "TemplateLiteral")
    for (const quasi of expression["quasis"] as Node[]) into.push(String((quasi["value"] as Node)["cooked"]));
}

/** Sentences that a script would show: "Some words like these". What is thrown is for whoever reads the code. */
function sentences(script: string): string[] {
  const into: string[] = [];
  const walk = (node: ts.Node): void => {
    if (ts.isThrowStatement(node) || ts.isImportDeclaration(node)) return;
    if (ts.isStringLiteralLike(node) && /^\p{Lu}\p{Ll}+ \p{L}/u.test(node.text)) into.push(node.text);
    ts.forEachChild(node, walk);
  };
  walk(ts.createSourceFile("x.ts", script, ts.ScriptTarget.ES2022, true));
  return into;
}

function scriptsOf(path: string, source: string): string[] {
  if (!path.endsWith(".svelte")) return [source];
  return [...source.matchAll(/<script[^>]*>([\s\S]*?)<\/script>/g)].map(([, script = ""]) => script);
}

describe("catalogues", () => {
  const namespaces = Object.keys(catalogues).map((path) => path.replace(/^.*\/|\.ts$/g, ""));
  const all = sources.map(([, source]) => said(source, namespaces.join("|")));
  const exact = new Set(all.flatMap((each) => each.exact));
  const like = all.flatMap((each) => each.like);
  const any = new Set(all.flatMap((each) => each.any));
  /** Words of the code and of the API: what stands behind say(`calls.${state}`). */
  const names = new Set([...sources.map(([, source]) => source), schema].flatMap((source) => [...source.matchAll(/["'`](\w+)["'`]|\b(\w+):/g)].map(([, a, b]) => a ?? b)));

  test.each(Object.entries(catalogues))("%s holds nothing that no page says", (path, { default: catalogue }) => {
    const namespace = path.replace(/^.*\/|\.ts$/g, "");
    const isSaid = (key: string): boolean => {
      if (exact.has(`${namespace}.${key}`)) return true;
      return (any.has(namespace) && names.has(key)) || like.some((pattern) => pattern.test(`${namespace}.${key}`));
    };
    expect(Object.keys(catalogue).filter((key) => !isSaid(key)).join("\n")).toBe("");
  });
});

describe("pages", () => {
  test.each(sources.filter(([path]) => path.endsWith(".svelte")))("%s draws no word of its own", (_, source) => {
    expect(drawn(parse(source, { modern: true }).fragment).map((text) => text.trim()).filter(isEnglish).join("\n")).toBe("");
  });

  test.each(sources)("%s has no sentence in its script", (path, source) => {
    expect(scriptsOf(path, source).flatMap(sentences).join("\n")).toBe("");
  });
});

test("the check itself sees what it is for", () => {
  const bad = `<p title="Some help">Hello there {yes ? "Fine" : say("frame.save")} 12 · SIP</p>`;
  expect(drawn(parse(bad, { modern: true }).fragment).filter(isEnglish)).toEqual(["Some help", "Hello there ", "Fine"]);
  expect(sentences(`toast.show("It is done now"); throw new Error("Never mind this")`)).toEqual(["It is done now"]);
  const { exact, like, any } = said("say(`system.role_${role}`), say('system.name'), say(`calls.${state}`), say(`calls.${a}_b`)", "system|calls");
  expect([exact, like.map(String), any]).toEqual([["system.name"], ["/^system\\.role_\\w+$/", "/^calls\\.\\w+_b$/"], ["calls"]]);
});
