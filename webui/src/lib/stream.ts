/** The appliance's event stream: its events out of a line that heals by itself. */
import { parseEvent, type ApplianceEvent } from "./events";
import { openLine, type World } from "./sse_line";

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

/** Open the stream after event `since`, or from now on; the result closes it. */
export function openStream(url: string, handlers: StreamHandlers, since?: number, world?: World): () => void {
  let last = since;
  return openLine(
    url,
    {
      message: ({ id, event, data }) => {
        const number = Number(id);
        if (id !== "" && Number.isSafeInteger(number)) last = number;
        if (event === "reset") return handlers.reset();
        const parsed = parseEvent(data);
        if (parsed) handlers.event(parsed);
      },
      connected: (yes, gap) => {
        handlers.connected(yes);
        if (gap) handlers.reset();
      },
      alive: () => handlers.alive?.(last),
      refused: handlers.refused,
    },
    since === undefined ? "" : String(since),
    world,
  );
}
