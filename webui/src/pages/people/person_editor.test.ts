import { describe, expect, it, vi } from "vitest";
import type { Result } from "../../api/client";
import { PersonEditor, type EditorCalls } from "./person_editor.svelte";
import type { User } from "./user";

const ada: User = {
  id: "id-ada",
  handle: "3001",
  name: "Ada",
  sip: { aor: "3001@aurabox.internal", max_contacts: 10, sequence: null },
  station: { extension: "3001", appearances: 3, restrict_last_appearance: false },
  location: null,
  presence: { enabled: true },
  created_at: "",
  updated_at: "",
};
const stale: Result<User> = { ok: false, problem: { status: 412, code: "precondition_failed", detail: "changed meanwhile" } };

function editing(calls: Partial<EditorCalls> = {}): PersonEditor {
  const none = (): Promise<Result<User>> => Promise.resolve(stale);
  const editor = new PersonEditor({ get: none, patch: none, ...calls });
  editor.receive({ user: ada, etag: '"1"' });
  return editor;
}

describe("PersonEditor", () => {
  it("follows the appliance while nothing is typed", () => {
    const editor = editing();
    editor.receive({ user: { ...ada, name: "Ada L." }, etag: '"2"' });
    expect([editor.form.name, editor.dirty, editor.theirs]).toEqual(["Ada L.", false, undefined]);
  });

  it("keeps what is typed and remembers what came", () => {
    const editor = editing();
    editor.form.name = "Ada K.";
    editor.receive({ user: { ...ada, name: "Ada L." }, etag: '"2"' });
    expect([editor.form.name, editor.theirs?.etag, editor.base?.etag]).toEqual(["Ada K.", '"2"', '"1"']);
    editor.discard();
    expect([editor.form.name, editor.dirty]).toEqual(["Ada L.", false]);
  });

  it("says nothing of a version in which no field differs", () => {
    const editor = editing();
    editor.form.name = "Ada K.";
    editor.receive({ user: { ...ada, updated_at: "later" }, etag: '"2"' });
    expect([editor.theirs, editor.base?.etag, editor.form.name]).toEqual([undefined, '"2"', "Ada K."]);
  });

  it("compares after a 412 and saves on theirs, the typed password with it", async () => {
    const theirs = { ...ada, presence: { enabled: false } };
    const answers: Result<User>[] = [stale, { ok: true, value: { ...theirs, name: "Ada K." }, etag: '"3"' }];
    const patch = vi.fn<EditorCalls["patch"]>(() => Promise.resolve(answers.shift() ?? stale));
    const editor = editing({ patch, get: () => Promise.resolve({ ok: true, value: theirs, etag: '"2"' }) });
    editor.form.name = "Ada K.";
    editor.password = "secret";
    expect((await editor.save()).ok).toBe(false);
    expect([editor.comparing, editor.form.name, editor.password]).toEqual([true, "Ada K.", "secret"]);
    editor.rebase({ ...editor.form, presence: "off" });
    expect((await editor.save()).ok).toBe(true);
    expect(patch.mock.calls[1]).toEqual(["id-ada", { name: "Ada K.", password: "secret" }, '"2"']);
    expect([editor.password, editor.dirty, editor.base?.etag]).toEqual(["", false, '"3"']);
  });

  it("offers the way back, and shows a made password once", async () => {
    const renamed = { ...ada, name: "Ada K." };
    const editor = editing({ patch: () => Promise.resolve({ ok: true, value: renamed, etag: '"2"' }) });
    editor.form.name = "Ada K.";
    const plain = await editor.save();
    expect(plain.ok && [plain.value.undo, plain.value.password]).toEqual([{ name: "Ada" }, undefined]);
    editor.password = "made";
    editor.generated = true;
    const made = await editor.save();
    expect(made.ok && [made.value.undo, made.value.password]).toEqual([undefined, "made"]);
  });

  it("knows when there is nothing left to save to", async () => {
    const gone: Result<User> = { ok: false, problem: { status: 404, code: "not_found", detail: "no user" } };
    const editor = editing({ patch: () => Promise.resolve(gone) });
    editor.form.name = "Ada K.";
    await editor.save();
    expect([editor.gone, editor.form.name]).toEqual([true, "Ada K."]);
  });
});
