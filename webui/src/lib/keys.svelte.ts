/** The keys of the whole console. Single keys can be switched off (WCAG 2.1.4). */

const saved = "aurabox.keys";

class Keys {
  /** Single keys and "g x" work. */
  single = $state(true);

  constructor() {
    try {
      this.single = localStorage.getItem(saved) !== "off";
    } catch {
      // A browser that keeps nothing: they work.
    }
  }

  use(yes: boolean): void {
    this.single = yes;
    try {
      localStorage.setItem(saved, yes ? "on" : "off");
    } catch {
      // Until the page is left.
    }
  }
}
export const keys = new Keys();

/** What is used of a keyboard event. */
export interface Pressed {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  /** Text is being typed there, or a dialog is open. */
  busy: boolean;
  at: number;
}

export type Command = { do: "palette" | "help" | "search" } | { do: "go"; to: string };

/** "g" waits so long for its letter. */
const WAIT_MS = 1500;

/** What a key means; it remembers a "g" that waits. `places`: letter to address. */
export class KeyReader {
  #since = -Infinity;

  read(pressed: Pressed, places: ReadonlyMap<string, string>, single: boolean): Command | undefined {
    const { key, at } = pressed;
    if ((pressed.ctrlKey || pressed.metaKey) && !pressed.altKey && key.toLowerCase() === "k") return { do: "palette" };
    if (pressed.ctrlKey || pressed.metaKey || pressed.altKey || pressed.busy || !single) return undefined;
    const waited = at - this.#since < WAIT_MS;
    this.#since = -Infinity;
    if (waited) {
      const to = places.get(key);
      if (to !== undefined) return { do: "go", to };
    }
    if (key === "g") this.#since = at;
    if (key === "?") return { do: "help" };
    if (key === "/") return { do: "search" };
    return undefined;
  }
}
