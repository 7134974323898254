/// <reference types="node" />
// Vite plugin: JsSIP's generated grammar, most of the softphone's library, said shorter. Gone are its lists of what had been
// expected, which it makes for an error that it throws away; reading one letter or word is a call. What it parses, and
// to what, stays the same: grammar.test.ts.
import { readFileSync } from "node:fs";
import type { Plugin } from "vite";

/** Nobody subscribes here: the class that would, and what its package says of itself beside name and version. */
const subscriber = /\/jssip\/lib\/Subscriber\.js$/;
const about = /\/jssip\/package\.json$/;
const file = /\/jssip\/lib\/Grammar\.js$/;
/** In each branch where nothing was read: what it would have been. */
const note = /if \(reportFailures === 0\) \{\s*matchFailed\((?:"(?:[^"\\]|\\.)*")\);\s*\}/g;
const error = /var offset = Math\.max\(pos, rightmostFailuresPos\);[^]*?new this\.SyntaxError\([^;]*\);/g;
const otherwise = String.raw`\s*\}\s*else \{\s*\1 = null;\s*\}`;
const string = String.raw`("(?:[^"\\]|\\.)*")`;
const set = (condition: string): string => String.raw`if \(${condition}\) \{\s*(result\d+) = `;
const letter = new RegExp(set(String.raw`input\.charCodeAt\(pos\) === \d+`) + string + String.raw`;\s*pos\+\+;` + otherwise, "g");
const word = new RegExp(set(String.raw`input\.substr\(pos, \d+\) === "(?:[^"\\]|\\.)*"`) + string + String.raw`;\s*pos \+= \d+;` + otherwise, "g");
const anyCase = /if \(input\.substr\(pos, \d+\)\.toLowerCase\(\) === ("(?:[^"\\]|\\.)*")\) \{\s*(result\d+) = input\.substr\(pos, \d+\);\s*pos \+= \d+;\s*\}\s*else \{\s*\2 = null;\s*\}/g;
const oneOf = /if \((\/\^\[(?:[^\]\\]|\\.)*\]\/)\.test\(input\.charAt\(pos\)\)\) \{\s*(result\d+) = input\.charAt\(pos\);\s*pos\+\+;\s*\}\s*else \{\s*\2 = null;\s*\}/g;
const first = "function parse_CRLF() {";
const helpers = `function read(text) {
  if (!input.startsWith(text, pos)) return null;
  pos += text.length;
  return text;
}
function readAnyCase(text) {
  const found = input.substr(pos, text.length);
  if (found.toLowerCase() !== text) return null;
  pos += text.length;
  return found;
}
function readOf(letters) {
  return letters.test(input.charAt(pos)) ? input.charAt(pos++) : null;
}
`;

export function leanGrammar(code: string): string {
  const replace = (text: string, what: RegExp | string, by: string): string => {
    const made = text.replace(what, by);
    if (made === text) throw new Error("JsSIP's grammar is made in another way: see scripts/lean_grammar.ts");
    return made;
  };
  let lean = replace(replace(code, note, ""), error, "");
  lean = replace(replace(lean, letter, "$1 = read($2);"), word, "$1 = read($2);");
  lean = replace(lean, anyCase, "$2 = readAnyCase($1);");
  lean = replace(lean, oneOf, "$2 = readOf($1);");
  return replace(lean, first, helpers + first);
}

export function leanSip(): Plugin {
  return {
    name: "lean-sip",
    enforce: "pre",
    load(id: string) {
      if (subscriber.test(id)) return "module.exports = class {};";
      if (!about.test(id)) return undefined;
      const { title, version } = JSON.parse(readFileSync(id, "utf8")) as Record<string, string>;
      return JSON.stringify({ title, version });
    },
    transform(code: string, id: string) {
      return file.test(id) ? { code: leanGrammar(code), map: null } : undefined;
    },
  };
}
