/** The appliance's events for whoever shows something: one stream for all that is on the page. */
import type { ApplianceEvent } from "./events";
import { browserSurroundings, openShared, type Surroundings } from "./shared_stream";

export type { ApplianceEvent };

interface Listener {
  topics: ReadonlySet<string>;
  handler: (event: ApplianceEvent) => void;
  reset: () => void;
}

/** What is fetched first waits this long for the stream, so that nothing falls between the two. */
const PATIENCE_MS = 400;

export class Live {
  connected = $state(false);
  /** It was connected and is not: what is shown may be old. */
  lost = $state(false);
  /** The appliance refuses the stream: the session is over, or may not listen. */
  onrefused: (status: number) => void = () => undefined;
  #listeners = new Set<Listener>();
  #close: (() => void) | undefined;
  #begun: Promise<void> = Promise.resolve();
  #begin: () => void = () => undefined;

  /** Hear the events of these topics; `reset` when some may have been missed: fetch anew. The result ends it. */
  on(topics: readonly string[], handler: (event: ApplianceEvent) => void, reset: () => void): () => void {
    const listener = { topics: new Set(topics), handler, reset };
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves once the stream is there, or is late: what is fetched from then on misses nothing. */
  ready(): Promise<void> {
    return this.#begun;
  }

  start(around: Surroundings = browserSurroundings("/api/v1/events/stream")): void {
    if (this.#close) return;
    let late = false;
    this.#begun = new Promise((resolve) => (this.#begin = resolve));
    const timer = setTimeout(() => {
      late = true;
      this.#begin();
    }, PATIENCE_MS);
    const close = openShared(
      {
        event: (event) => this.#event(event),
        reset: () => this.#reset(),
        connected: (yes) => {
          this.connected = yes;
          this.lost = !yes;
          if (!yes) return;
          clearTimeout(timer);
          if (late) this.#reset();
          late = false;
          this.#begin();
        },
        refused: (status) => this.onrefused(status),
      },
      around,
    );
    this.#close = () => {
      clearTimeout(timer);
      this.#begin();
      close();
    };
  }

  stop(): void {
    this.#close?.();
    this.#close = undefined;
    this.connected = false;
    this.lost = false;
  }

  #event(event: ApplianceEvent): void {
    for (const each of this.#listeners) if (each.topics.has(event.topic)) each.handler(event);
  }

  #reset(): void {
    for (const each of this.#listeners) each.reset();
  }
}

export const live = new Live();
