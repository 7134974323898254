/** The appliance's event stream: resumed where it broke off, healed by itself. */
import { parseEvent, type ApplianceEvent } from "./events";
import { SseParser } from "./sse";

export interface StreamHandlers {
  event: (event: ApplianceEvent) => void;
  /** Events may have been missed: what is shown must be fetched anew. */
  reset: () => void;
  connected: (yes: boolean) => void;
  /** A sign of life; the newest id that was seen. */
  alive?: (last: number | undefined) => void;
  /** The appliance refused: the session is over or may not listen. */
  refused: (status: number) => void;
}

/** What is used of the world; tests hand in their own. */
export interface World {
  fetch: (url: string, init: RequestInit) => Promise<Response>;
  later: (f: () => void, ms: number) => unknown;
  cancel: (timer: unknown) => void;
}

const browser: World = {
  fetch: (url, init) => fetch(url, init),
  later: (f, ms) => setTimeout(f, ms),
  cancel: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
};

/** The appliance pings every 15 s: three missed and the line is dead, whatever the network says. */
const SILENCE_MS = 50_000;
const PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

/** Open the stream after event `since`, or from now on; the result closes it. */
export function openStream(url: string, handlers: StreamHandlers, since?: number, world: World = browser): () => void {
  let last = since;
  let pause = PAUSE_MS;
  let over = false;
  /** An attempt failed since the last good one: what happened meanwhile may not all be in the events. */
  let missed = false;
  let abort = new AbortController();
  let timer: unknown;

  function hear(): void {
    world.cancel(timer);
    timer = world.later(() => abort.abort(), SILENCE_MS);
    handlers.alive?.(last);
  }

  function take(id: string, event: string, data: string): void {
    const number = Number(id);
    if (id !== "" && Number.isSafeInteger(number)) last = number;
    if (event === "reset") handlers.reset();
    else {
      const parsed = parseEvent(data);
      if (parsed) handlers.event(parsed);
    }
  }

  /** Resolves when the stream has ended; false: it is not to be tried again. */
  async function listen(): Promise<boolean> {
    abort = new AbortController();
    const headers: Record<string, string> = { Accept: "text/event-stream" };
    if (last !== undefined) headers["Last-Event-ID"] = String(last);
    timer = world.later(() => abort.abort(), SILENCE_MS);
    const response = await world.fetch(url, { headers, cache: "no-store", signal: abort.signal });
    if (response.status === 401 || response.status === 403) {
      handlers.refused(response.status);
      return false;
    }
    if (!response.ok || !response.body) throw new Error("refused for now");
    pause = PAUSE_MS;
    handlers.connected(true);
    if (missed) handlers.reset();
    missed = false;
    hear();
    const parser = new SseParser();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return true;
      for (const message of parser.feed(value)) take(message.id, message.event, message.data);
      hear();
    }
  }

  async function run(): Promise<void> {
    while (!over) {
      let again = true;
      try {
        again = await listen();
        // Without an id there is nothing to resume after.
        if (last === undefined) missed = true;
      } catch {
        missed = true;
      }
      world.cancel(timer);
      if (over) return;
      handlers.connected(false);
      if (!again) return;
      await new Promise<void>((resolve) => (timer = world.later(resolve, pause)));
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    }
  }

  void run();
  return () => {
    over = true;
    world.cancel(timer);
    abort.abort();
  };
}
