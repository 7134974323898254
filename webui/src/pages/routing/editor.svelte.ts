/** One row being edited: what it was, what is typed, and what somebody else made of it meanwhile. */
import type { Problem, Result } from "../../api/client";
import { differences } from "../../lib/conflict";
import { isObject, equal, flatten, patchOf, pick, put, unflatten, type Draft } from "./values";
import type { FieldValue } from "../../lib/conflict";

export interface Version {
  row: Draft;
  etag: string;
}

export interface RowCalls {
  get: () => Promise<Result<Draft>>;
  create: (body: Draft) => Promise<Result<Draft>>;
  patch: (body: Draft, etag: string) => Promise<Result<Draft>>;
}

/** A secret that is not typed is not sent: the appliance keeps the one it has. */
function withoutEmptySecret(body: Draft): Draft {
  const part = body.registration;
  if (!isObject(part) || part.password !== "") return body;
  const { password: _, ...rest } = part;
  return { ...body, registration: rest };
}

export class RowEditor {
  draft = $state<Draft>({});
  base = $state.raw<Draft>({});
  etag = "";
  theirs = $state.raw<Version>();
  comparing = $state(false);
  problem = $state.raw<Problem>();
  #blank: Draft;
  #calls: RowCalls;
  #isNew: boolean;

  constructor(blank: Draft, isNew: boolean, calls: RowCalls) {
    this.#blank = blank;
    this.#calls = calls;
    this.#isNew = isNew;
    this.base = structuredClone(blank);
    this.draft = structuredClone(blank);
  }

  /** What is typed, as plain values. */
  get typed(): Draft {
    return $state.snapshot(this.draft as object) as Draft;
  }

  get dirty(): boolean {
    return !equal(this.base, this.typed);
  }

  /** The row as the appliance has it; its members alone. */
  take({ row, etag }: Version): void {
    const own = this.#own(row);
    this.base = own;
    this.draft = structuredClone(own);
    this.etag = etag;
    this.theirs = undefined;
    this.comparing = false;
  }

  /** Write-only members are not in what the appliance answers: they stand empty. */
  #own(row: Draft): Draft {
    const own = pick(this.#blank, row);
    if (isObject(own.registration)) put(own, "/registration/password", "");
    return own;
  }

  async save(): Promise<Result<Draft>> {
    const { typed } = this;
    const result = this.#isNew
      ? await this.#calls.create(withoutEmptySecret(typed))
      : await this.#calls.patch(withoutEmptySecret(patchOf(this.base, typed)), this.etag);
    if (!result.ok && result.problem.status === 412) await this.#compare();
    return result;
  }

  /** Somebody saved first: theirs is fetched and put beside what is typed. */
  async #compare(): Promise<void> {
    const result = await this.#calls.get();
    if (!result.ok) return;
    this.theirs = { row: result.value, etag: result.etag ?? "" };
    this.comparing = true;
  }

  get versions(): { base: Record<string, FieldValue>; mine: Record<string, FieldValue>; theirs: Record<string, FieldValue> } {
    return {
      base: flatten(this.base),
      mine: flatten(this.typed),
      theirs: flatten(this.theirs ? this.#own(this.theirs.row) : this.base),
    };
  }

  /** What was chosen becomes what is typed, over theirs. */
  rebase(merged: Readonly<Record<string, FieldValue>>): void {
    if (!this.theirs) return;
    this.take(this.theirs);
    this.draft = unflatten(merged);
  }

  get disputed(): number {
    const { base, mine, theirs } = this.versions;
    return differences(base, mine, theirs).length;
  }
}
