/** What was chosen in the first run so far. It outlives a walk to another page; passwords are not among it. */
import { session } from "../../lib/session.svelte";
import type { Setup } from "./api";
import { faults, named, withNeeds, type Needs, type Person, type Wish } from "./wish";

export interface Line {
  handle: string;
  name: string;
}

/** Passwords that were made for people and that nobody has seen yet. They live in memory only, until they were shown. */
export class Handover {
  /** The task that makes these people; empty when none does. */
  task = $state("");
  people = $state.raw<readonly Person[]>([]);
  /** They exist now: show them, once. */
  ready = $state(false);
  retried = false;
  readonly made = new Map<string, string>();

  forget(): void {
    this.task = "";
    this.people = [];
    this.ready = false;
    this.retried = false;
    this.made.clear();
  }
}

export class Wizard {
  name = $state("");
  timeZone = $state("");
  components = $state.raw<readonly string[]>([]);
  people = $state<Line[]>([]);
  begun = $state(false);
  readonly handover = new Handover();
  /** Whose wish it is: nobody else's shall appear here. */
  readonly owner = session.name;

  /** Take what is there and what is proposed, once. */
  begin(setup: Setup, catalogue: readonly Needs[]): void {
    if (this.begun) return;
    this.begun = true;
    this.name = setup.current.name || setup.defaults.name;
    this.timeZone = setup.current.time_zone || setup.defaults.time_zone;
    const there = setup.current.components.filter((each) => each.deployed).map((each) => each.name);
    this.components = withNeeds([...there, ...setup.defaults.components], catalogue);
    // Where people are already, nobody is proposed.
    const proposed = (setup.current.people ?? 0) > 0 ? [] : setup.defaults.people;
    this.people = proposed.map(({ handle, name }) => ({ handle, name }));
  }

  get faults(): ReturnType<typeof faults> {
    return faults(this.people.map((line) => ({ ...line, password: "" })));
  }

  get sound(): boolean {
    return this.name.trim() !== "" && this.faults.every((fault) => fault === undefined);
  }

  wish(passwordOf: (handle: string) => string): Wish {
    const people: Person[] = named(this.people.map((line) => ({ ...line, password: "" })));
    return {
      name: this.name,
      timeZone: this.timeZone,
      components: this.components,
      people: people.map((person) => ({ ...person, password: passwordOf(person.handle) })),
    };
  }
}

let kept: Wizard | undefined;

// Whoever logs out leaves nothing behind.
$effect.root(() => {
  $effect(() => {
    if (session.state === "in") return;
    kept?.handover.forget();
    kept = undefined;
  });
});

/** A page that is loaded anew forgets: ask first while a password would be lost with it. */
window.addEventListener("beforeunload", (event) => {
  if (kept && kept.handover.people.length > 0) event.preventDefault();
});

/** The one of whoever is logged in. */
export function wizard(): Wizard {
  if (kept?.owner !== session.name) kept = new Wizard();
  return kept;
}
