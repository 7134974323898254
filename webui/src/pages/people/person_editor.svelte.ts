/** One person being edited: what it was, what is typed, and what somebody else made of it meanwhile. */
import type { Problem, Result } from "../../api/client";
import { changedFields, differences } from "../../lib/conflict";
import { canUndo, emptyForm, formOf, normal, patchOf, type PersonForm } from "./form";
import type { User, UserPatch } from "./user";

export interface Version {
  user: User;
  etag: string;
}

export interface Saved {
  before: PersonForm;
  after: Version;
  /** The patch that takes it back, if anything can. */
  undo: UserPatch | undefined;
  /** The password that the browser made, to be shown once. */
  password: string | undefined;
}

export interface EditorCalls {
  get: (key: string) => Promise<Result<User>>;
  patch: (key: string, body: UserPatch, etag: string) => Promise<Result<User>>;
}

export class PersonEditor {
  base = $state.raw<Version>();
  form = $state<PersonForm>(emptyForm());
  password = $state("");
  generated = $state(false);
  /** Somebody else's version, known while something is typed here. */
  theirs = $state.raw<Version>();
  /** Theirs is being compared with what is typed. */
  comparing = $state(false);
  busy = $state(false);
  problem = $state.raw<Problem>();
  /** It has been deleted by somebody else. */
  gone = $state(false);
  #calls: EditorCalls;

  constructor(calls: EditorCalls) {
    this.#calls = calls;
  }

  get baseForm(): PersonForm {
    return this.base ? formOf(this.base.user) : emptyForm();
  }

  /** How many fields differ from what was loaded; a password that was typed is one. */
  get changes(): number {
    if (!this.base) return 0;
    return changedFields(normal(this.baseForm), normal($state.snapshot(this.form))).length + (this.password === "" ? 0 : 1);
  }

  get dirty(): boolean {
    return this.changes > 0;
  }

  /** A version from the appliance: taken as it is, unless that would lose what is typed. */
  receive(version: Version): void {
    this.gone = false;
    // What comes while our own save is under way is most likely that save.
    if (this.busy) return;
    if (!this.base || !this.dirty) return this.#adopt(version);
    if (version.etag === this.base.etag) return;
    const typed = $state.snapshot(this.form);
    if (differences(this.baseForm, normal(this.baseForm), normal(formOf(version.user))).length === 0) {
      // Nothing that is shown has changed: only what a save must refer to.
      this.base = version;
      this.form = typed;
      return;
    }
    this.theirs = version;
  }

  discard(): void {
    const latest = this.theirs ?? this.base;
    if (latest) this.#adopt(latest);
  }

  /** Send what is typed. A 412 fetches theirs and compares. */
  async save(): Promise<Result<Saved>> {
    const base = this.base;
    if (!base) throw new Error("nothing was loaded");
    const before = this.baseForm;
    const typed = $state.snapshot(this.form);
    const secret = typed.sip ? this.password : "";
    this.busy = true;
    const result = await this.#calls.patch(base.user.id, patchOf(before, typed, secret), base.etag);
    this.busy = false;
    if (!result.ok) {
      if (result.problem.status === 412) await this.#meet(base.user.id);
      if (result.problem.status === 404) this.gone = true;
      return result;
    }
    const after = { user: result.value, etag: result.etag ?? "" };
    const undo = canUndo(before, formOf(after.user), secret) ? patchOf(formOf(after.user), before) : undefined;
    const password = this.generated && secret !== "" ? secret : undefined;
    this.#adopt(after);
    return { ok: true, value: { before, after, undo, password } };
  }

  /** What came of comparing stands on theirs from now on. */
  rebase(merged: PersonForm): void {
    if (!this.theirs) return;
    this.base = this.theirs;
    this.theirs = undefined;
    this.comparing = false;
    this.problem = undefined;
    this.form = { ...merged };
  }

  async #meet(id: string): Promise<void> {
    const latest = await this.#calls.get(id);
    if (latest.ok) {
      this.theirs = { user: latest.value, etag: latest.etag ?? "" };
      this.comparing = true;
    } else if (latest.problem.status === 404) this.gone = true;
    else this.problem = latest.problem;
  }

  #adopt(version: Version): void {
    this.base = version;
    this.form = formOf(version.user);
    this.password = "";
    this.generated = false;
    this.theirs = undefined;
    this.comparing = false;
    this.problem = undefined;
  }
}
