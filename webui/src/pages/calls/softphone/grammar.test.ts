/// <reference types="node" />
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { compileFunction } from "node:vm";
import { expect, it } from "vitest";
import { leanGrammar } from "../../../../scripts/lean_grammar";

interface Grammar {
  parse: (text: string, rule: string) => unknown;
}
const path = createRequire(import.meta.url).resolve("jssip/lib/Grammar.js");
const source = readFileSync(path, "utf8");

function made(code: string): Grammar {
  const module: { exports: Partial<Grammar> } = { exports: {} };
  compileFunction(code, ["module", "require"])(module, createRequire(path));
  return module.exports as Grammar;
}

const texts = [
  "", "sip:alice@example.com", "sips:+49%20x@[2001:db8::1]:5061;transport=ws;lr?Subject=hi", "SIP:a@10.77.0.12", "tel:123", "alice",
  '"Ada \\"A\\" Ångström" <sip:10001@aura.test;user=phone>;tag=8a9b;expires=300;+sip.instance="<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>"',
  "<sip:a@b>;q=0.7, <sip:c@d;x=y>", "*", "SIP/2.0/WSS [::1]:8443;branch=z9hG4bK1;rport;received=10.77.0.1", "SIP/2.0 486 Busy Here",
  "INVITE sip:10002@aura.test SIP/2.0", "REGISTER sips:b.test SIP/1.0", "INVITE", "1 INVITE", "4294967296 ACK", "70", "application/sdp;charset=utf-8",
  'Digest realm="aura.test", nonce="abc", algorithm=MD5, qop="auth,auth-int", stale=TRUE, opaque="", domain="sip:x"', "Basic x",
  "SIP;cause=486;text=\"Busy\"", "Q.850;cause=16", "90;refresher=uac", "a@b;to-tag=1;from-tag=2;early-only", "presence;id=7", "active;expires=60;retry-after=3",
  "wss://localhost:8443/sip", "http://[::ffff:10.0.0.1]/a?b=c", "localhost", "10.0.0.256", "a.b-c.example.", '"quoted \t text"', "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
  "<sip:a@b?Replaces=x%3Bto-tag%3D1>", "x\r\n y", "\u0000", "é", "100rel, timer",
];

it("parses with fewer words as it did before", () => {
  const [whole, lean] = [made(source), made(leanGrammar(source))];
  const rules = [...source.matchAll(/^ +"(\w+)": parse_\w+,?$/gm)].map((found) => found[1] ?? "");
  expect(rules.length).toBeGreaterThan(200);
  const answer = (grammar: Grammar, text: string, rule: string): string => {
    try {
      return JSON.stringify(grammar.parse(text, rule));
    } catch (error) {
      return String(error);
    }
  };
  let taken = 0;
  for (const rule of rules)
    for (const text of texts) {
      const before = answer(whole, text, rule);
      expect(answer(lean, text, rule), `${rule} of ${text}`).toBe(before);
      if (before !== "-1") taken++;
    }
  expect(taken).toBeGreaterThan(texts.length);
});

it("stops the build when the grammar is made in another way", () => {
  expect(() => leanGrammar("module.exports = 1")).toThrow(/lean_grammar/);
});
