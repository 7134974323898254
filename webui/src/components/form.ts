/** What a form and the fields in it share. */
import { getContext, setContext } from "svelte";

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
