/** Follows the trace: messages as they pass, gathered so that a page is drawn a few times a second however many come. */
import type { Message as Sent } from "../../../lib/sse";
import { browser, openLine, type World } from "../../../lib/sse_line";

export interface FollowHandlers<T> {
  messages: (all: T[]) => void;
  /** Some were missed: read anew. */
  reset: () => void;
  connected: (yes: boolean) => void;
  /** The appliance refuses; it is not asked again. */
  refused: (status: number) => void;
}

const GATHER_MS = 120;
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
  let gathered: T[] = [];
  let flush: unknown;

  function hand(): void {
    flush = undefined;
    const all = gathered;
    gathered = [];
    if (all.length > 0) handlers.messages(all);
  }

  function take(sent: Sent): void {
    if (sent.event === "reset" || sent.event === "trace.gap") return handlers.reset();
    const value = parsed<T>(sent.data);
    if (value === undefined) return;
    gathered.push(value);
    if (gathered.length > MOST) gathered.shift();
    flush ??= world.later(hand, GATHER_MS);
  }

  const close = openLine(
    url,
    {
      message: take,
      connected: (yes, gap) => {
        handlers.connected(yes);
        if (gap) handlers.reset();
      },
      refused: handlers.refused,
    },
    "",
    world,
  );
  return () => {
    close();
    world.cancel(flush);
  };
}
