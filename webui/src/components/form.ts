/** What a form and the fields in it share. */
import { getContext, setContext } from "svelte";
import type { Problem } from "../lib/remote";

export interface FormContext {
  /** What the appliance found wrong with the field of this JSON pointer. */
  errorOf: (pointer: string) => string | undefined;
  /** A field draws the errors of this pointer: the form need not. */
  adopt: (pointer: string) => () => void;
}

const key = Symbol("form");

export function provideForm(context: FormContext): void {
  setContext(key, context);
}

export function formContext(): FormContext | undefined {
  return getContext<FormContext | undefined>(key);
}

const dialogKey = Symbol("dialog");
type Guards = Set<() => boolean>;

/** The forms of a dialog tell it whether something typed would be lost with it. */
export function provideGuards(): Guards {
  const guards: Guards = new Set();
  setContext(dialogKey, guards);
  return guards;
}

export function guardsOfDialog(): Guards | undefined {
  return getContext<Guards | undefined>(dialogKey);
}

/** What is wrong with one field, in one text. */
export function errorAt(problem: Problem | undefined, pointer: string): string | undefined {
  const errors = problem?.errors ?? [];
  return errors.filter((each) => each.pointer === pointer).map((each) => each.detail).join(" ") || undefined;
}

/** What no field draws; undefined when the fields say it all. */
export function noteOf(problem: Problem | undefined, adopted: ReadonlySet<string>): Problem | undefined {
  if (!problem) return undefined;
  const errors = problem.errors ?? [];
  const homeless = errors.filter((each) => each.pointer === undefined || !adopted.has(each.pointer));
  return errors.length === 0 || homeless.length > 0 ? { ...problem, errors: homeless } : undefined;
}
