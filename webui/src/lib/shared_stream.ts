/** One event stream a browser: the window that holds a lock has it and tells the others by a BroadcastChannel. When it
 * goes, another takes over where it was. Where a browser has neither, or the holder is silent, a window has its own. */
import type { ApplianceEvent } from "./events";
import { openStream, type StreamHandlers } from "./stream";

type Told =
  | { kind: "event"; event: ApplianceEvent }
  | { kind: "reset" }
  | { kind: "state"; connected: boolean | undefined; last: number | undefined }
  /** A window has come and wants the state. */
  | { kind: "hello" };

export interface Channel {
  postMessage(message: Told): void;
  onmessage: ((event: MessageEvent<Told>) => void) | null;
  close(): void;
}

/** What is used of the browser; tests hand in their own. */
export interface Surroundings {
  channel?: (() => Channel) | undefined;
  /** Hold the lock until the promise ends; `signal` gives up waiting for it. */
  lock?: ((hold: () => Promise<void>, signal: AbortSignal) => Promise<unknown>) | undefined;
  open: (handlers: StreamHandlers, since: number | undefined) => () => void;
  later: (f: () => void, ms: number) => unknown;
  cancel: (timer: unknown) => void;
}

/** A new window hears at once from one that has the stream; later each ping is told on. */
const FIRST_WORD_MS = 1500;
const SILENCE_MS = 70_000;

export function browserSurroundings(url: string): Surroundings {
  const shared = "locks" in navigator && typeof BroadcastChannel === "function";
  return {
    channel: shared ? () => new BroadcastChannel("aurabox.events") : undefined,
    lock: shared ? (hold, signal) => navigator.locks.request("aurabox.events", { signal }, hold) : undefined,
    open: (handlers, since) => openStream(url, handlers, since),
    later: (f, ms) => setTimeout(f, ms),
    cancel: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
  };
}

/** Hear the events, by whichever window has the stream; the result ends it. */
export function openShared(handlers: StreamHandlers, around: Surroundings): () => void {
  let last: number | undefined;
  /** Undefined until it was tried. */
  let connected: boolean | undefined;
  let leads = false;
  let own: (() => void) | undefined;
  let timer: unknown;
  let release: () => void = () => undefined;
  const giveUp = new AbortController();
  const channel = around.channel?.();

  function tell(message: Told): void {
    if (leads) channel?.postMessage(message);
  }

  function state(yes: boolean): void {
    if (yes === connected) return;
    connected = yes;
    handlers.connected(yes);
  }

  function take(event: ApplianceEvent): void {
    // A holder that has just taken over tells again what some had heard.
    if (last !== undefined && event.id <= last) return;
    last = event.id;
    handlers.event(event);
  }

  function openOwn(): void {
    if (own) return;
    // It was heard by others so far, and there is no id to go on after.
    let gap = connected === true && last === undefined;
    own = around.open(
      {
        event: (event) => {
          take(event);
          tell({ kind: "event", event });
        },
        reset: () => {
          last = undefined;
          handlers.reset();
          tell({ kind: "reset" });
        },
        connected: (yes) => {
          state(yes);
          tell({ kind: "state", connected: yes, last });
          if (!yes || !gap) return;
          gap = false;
          handlers.reset();
          tell({ kind: "reset" });
        },
        alive: (newest) => {
          last = newest ?? last;
          tell({ kind: "state", connected: true, last });
        },
        refused: handlers.refused,
      },
      last,
    );
  }

  function closeOwn(): void {
    own?.();
    own = undefined;
  }

  function watch(ms: number): void {
    around.cancel(timer);
    timer = around.later(openOwn, ms);
  }

  function hear(message: Told): void {
    if (message.kind === "hello") return tell({ kind: "state", connected, last });
    if (leads) return;
    closeOwn();
    watch(SILENCE_MS);
    if (message.kind === "event") take(message.event);
    else if (message.kind === "reset") {
      last = undefined;
      handlers.reset();
    } else {
      if (message.connected !== undefined) state(message.connected);
      last ??= message.last;
    }
  }

  if (!channel || !around.lock) {
    openOwn();
    return closeOwn;
  }
  channel.onmessage = (event) => hear(event.data);
  watch(FIRST_WORD_MS);
  around
    .lock(() => {
      leads = true;
      around.cancel(timer);
      openOwn();
      tell({ kind: "state", connected, last });
      return new Promise<void>((resolve) => (release = resolve));
    }, giveUp.signal)
    // Given up when this window no longer listens; anything else: it has its own.
    .catch(() => (giveUp.signal.aborted ? undefined : openOwn()));
  channel.postMessage({ kind: "hello" });

  return () => {
    around.cancel(timer);
    giveUp.abort();
    closeOwn();
    leads = false;
    release();
    channel.close();
  };
}
