import { describe, expect, it } from "vitest";
import type { Result } from "../../api/client";
import { RowEditor, type RowCalls } from "./editor.svelte";
import { kinds } from "./kinds";
import { put, type Draft } from "./values";

const blank = kinds["sip-entities"].blank;
const trunk: Draft = { ...structuredClone(blank), id: "1", name: "trunk", address: "10.0.0.9", registration: { registrar: "sip:p.example", user: "u", auth_user: null, expires_s: 600 }, status: { state: "up" } };
const stale: Result<Draft> = { ok: false, problem: { status: 412, code: "precondition_failed", detail: "changed" } };

function editing(calls: Partial<RowCalls> = {}): { editor: RowEditor; sent: Draft[] } {
  const sent: Draft[] = [];
  const keep = (body: Draft): Promise<Result<Draft>> => {
    sent.push(body);
    return Promise.resolve({ ok: true, value: body });
  };
  const editor = new RowEditor(blank, false, { get: () => Promise.resolve({ ok: true, value: trunk }), create: keep, patch: keep, ...calls });
  editor.take({ row: trunk, etag: '"7"' });
  return { editor, sent };
}

describe("RowEditor", () => {
  it("sends what was changed alone, and no secret that was not typed", async () => {
    const { editor, sent } = editing();
    expect(editor.dirty).toBe(false);
    put(editor.draft, "/port", 5080);
    put(editor.draft, "/registration/expires_s", 900);
    await editor.save();
    put(editor.draft, "/registration/password", "secret");
    await editor.save();
    expect(sent).toEqual([
      { port: 5080, registration: { expires_s: 900 } },
      { port: 5080, registration: { expires_s: 900, password: "secret" } },
    ]);
  });

  it("sends a new row whole", async () => {
    const sent: Draft[] = [];
    const calls = { get: () => Promise.resolve(stale), patch: () => Promise.resolve(stale), create: (body: Draft) => (sent.push(body), Promise.resolve<Result<Draft>>({ ok: true, value: body })) };
    const editor = new RowEditor(kinds.domains.blank, true, calls);
    put(editor.draft, "/name", "b.example");
    await editor.save();
    expect(sent).toEqual([{ name: "b.example", authoritative: true, notes: "" }]);
  });

  it("puts theirs beside mine after a 412, and saves what was chosen over theirs", async () => {
    const theirs = { ...structuredClone(trunk), port: 5999, notes: "night" };
    const answers: Result<Draft>[] = [stale, { ok: true, value: theirs }];
    const etags: string[] = [];
    const { editor } = editing({
      get: () => Promise.resolve({ ok: true, value: theirs, etag: '"8"' }),
      patch: (_, etag) => (etags.push(etag), Promise.resolve(answers.shift() ?? stale)),
    });
    put(editor.draft, "/port", 5080);
    await editor.save();
    expect([editor.comparing, editor.disputed]).toEqual([true, 2]);
    editor.rebase({ ...editor.versions.theirs, port: 5080 });
    expect([editor.draft.port, editor.draft.notes, editor.comparing]).toEqual([5080, "night", false]);
    await editor.save();
    expect(etags).toEqual(['"7"', '"8"']);
  });
});
