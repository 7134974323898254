/** The appliance's events, one stream for the whole page. */
import { openStream, type ApplianceEvent } from "./events";

export type { ApplianceEvent };

interface Listener {
  topics: ReadonlySet<string>;
  handler: (event: ApplianceEvent) => void;
  reset: () => void;
}

class Live {
  connected = $state(false);
  #listeners = new Set<Listener>();
  #close: (() => void) | undefined;

  /** Hear the events of these topics; `reset` when some may have been missed: fetch anew. The result ends it. */
  on(topics: readonly string[], handler: (event: ApplianceEvent) => void, reset: () => void): () => void {
    const listener = { topics: new Set(topics), handler, reset };
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start(): void {
    this.#close ??= openStream("/api/v1/events/stream", {
      event: (event) => this.#event(event),
      reset: () => this.#reset(),
      connected: (yes) => (this.connected = yes),
    });
  }

  stop(): void {
    this.#close?.();
    this.#close = undefined;
    this.connected = false;
  }

  #event(event: ApplianceEvent): void {
    for (const each of this.#listeners) if (each.topics.has(event.topic)) each.handler(event);
  }

  #reset(): void {
    for (const each of this.#listeners) each.reset();
  }
}

export const live = new Live();
