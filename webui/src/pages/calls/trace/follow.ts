/** Follows the trace: messages as they pass, gathered so that a page is drawn a few times a second however many come. */
import { SseParser, type Message as Sent } from "../../../lib/sse";

export interface FollowHandlers<T> {
  messages: (all: T[]) => void;
  /** Some were missed: read anew. */
  reset: () => void;
  connected: (yes: boolean) => void;
  /** The appliance refuses; it is not asked again. */
  refused: (status: number) => void;
}

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

const GATHER_MS = 120;
const PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 15_000;
/** The appliance pings every 15 s. */
const SILENCE_MS = 50_000;
/** Gathered at most: what comes faster than anybody reads. */
const MOST = 5000;

function parsed<T>(data: string): T | undefined {
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === "object" && value !== null && "id" in value ? (value as T) : undefined;
  } catch {
    return undefined;
  }
}

/** The result ends it. */
export function followTrace<T>(url: string, handlers: FollowHandlers<T>, world: World = browser): () => void {
  let over = false;
  let pause = PAUSE_MS;
  let last = "";
  let gathered: T[] = [];
  let flush: unknown;
  let timer: unknown;
  let abort = new AbortController();

  function hand(): void {
    flush = undefined;
    const all = gathered;
    gathered = [];
    if (!over && all.length > 0) handlers.messages(all);
  }

  function take(sent: Sent): void {
    if (sent.id !== "") last = sent.id;
    if (sent.event === "reset" || sent.event === "trace.gap") return handlers.reset();
    const value = parsed<T>(sent.data);
    if (value === undefined) return;
    gathered.push(value);
    if (gathered.length > MOST) gathered.shift();
    flush ??= world.later(hand, GATHER_MS);
  }

  function hear(): void {
    world.cancel(timer);
    timer = world.later(() => abort.abort(), SILENCE_MS);
  }

  async function listen(): Promise<boolean> {
    abort = new AbortController();
    hear();
    const headers: Record<string, string> = { Accept: "text/event-stream", ...(last !== "" && { "Last-Event-ID": last }) };
    const response = await world.fetch(url, { headers, cache: "no-store", signal: abort.signal });
    if (!response.ok && response.status < 500 && response.status !== 429) {
      handlers.refused(response.status);
      return false;
    }
    if (!response.ok || !response.body) throw new Error("refused for now");
    pause = PAUSE_MS;
    handlers.connected(true);
    const parser = new SseParser();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return true;
      hear();
      for (const sent of parser.feed(value)) take(sent);
    }
  }

  async function run(): Promise<void> {
    while (!over) {
      let again = true;
      try {
        again = await listen();
      } catch {
        // Tried again below.
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
    world.cancel(flush);
    abort.abort();
  };
}
