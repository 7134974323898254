/** The names that rows of other kinds have, each kind asked for once while a form is open. */
import { SvelteMap } from "svelte/reactivity";
import { namesOf } from "./api";
import type { Kind } from "./kinds";

export class Names {
  #known = new SvelteMap<Kind, readonly string[]>();
  #asked = new Set<Kind>();

  /** Empty until the answer is here; a list that cannot be read leaves what the row itself names. */
  of(kind: Kind): readonly string[] {
    if (!this.#asked.has(kind)) {
      this.#asked.add(kind);
      void this.#ask(kind);
    }
    return this.#known.get(kind) ?? [];
  }

  async #ask(kind: Kind): Promise<void> {
    const result = await namesOf(kind);
    if (result.ok) this.#known.set(kind, result.value);
    else this.#asked.delete(kind);
  }
}
