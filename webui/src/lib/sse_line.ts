/** Server-sent events over a line that is taken up again where it broke off, healed by itself. */
import { SseParser, type Message } from "./sse";

export interface LineHandlers {
  message: (message: Message) => void;
  /** `gap`: since it was last there, something may have passed that is not told again. */
  connected: (yes: boolean, gap: boolean) => void;
  /** The appliance refused for good: it is not asked again. */
  refused: (status: number) => void;
  /** A sign of life, after what it brought was handed on. */
  alive?: () => void;
}

/** What is used of the world; tests hand in their own. */
export interface World {
  fetch: (url: string, init: RequestInit) => Promise<Response>;
  later: (f: () => void, ms: number) => unknown;
  cancel: (timer: unknown) => void;
}

export const browser: World = {
  fetch: (url, init) => fetch(url, init),
  later: (f, ms) => setTimeout(f, ms),
  cancel: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
};

/** The appliance pings every 15 s: three missed and the line is dead, whatever the network says. */
const SILENCE_MS = 50_000;
const PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

/** A status that another attempt may change: not 4xx, but "later". */
function passes(status: number): boolean {
  return status < 400 || status >= 500 || status === 408 || status === 429;
}

/** Open the line after the event `since`, or from now on; the result closes it. */
export function openLine(url: string, handlers: LineHandlers, since = "", world: World = browser): () => void {
  let last = since;
  let pause = PAUSE_MS;
  let over = false;
  /** An attempt failed since the last good one, or there was nothing to resume after. */
  let gap = false;
  let abort = new AbortController();
  let timer: unknown;

  function watch(): void {
    world.cancel(timer);
    timer = world.later(() => abort.abort(), SILENCE_MS);
  }

  function hear(): void {
    watch();
    handlers.alive?.();
  }

  /** Resolves when the line has ended; false: it is not to be tried again. */
  async function listen(): Promise<boolean> {
    abort = new AbortController();
    const headers: Record<string, string> = { Accept: "text/event-stream", ...(last !== "" && { "Last-Event-ID": last }) };
    watch();
    const response = await world.fetch(url, { headers, cache: "no-store", signal: abort.signal });
    if (!passes(response.status)) {
      handlers.refused(response.status);
      return false;
    }
    if (!response.ok || !response.body) throw new Error("refused for now");
    pause = PAUSE_MS;
    handlers.connected(true, gap);
    gap = false;
    hear();
    const parser = new SseParser();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return true;
      for (const message of parser.feed(value)) {
        if (message.id !== "") last = message.id;
        handlers.message(message);
      }
      hear();
    }
  }

  async function run(): Promise<void> {
    while (!over) {
      let again = true;
      try {
        again = await listen();
        if (last === "") gap = true;
      } catch {
        gap = true;
      }
      world.cancel(timer);
      if (over) return;
      handlers.connected(false, false);
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
