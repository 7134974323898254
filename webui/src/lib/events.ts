/** The appliance's event stream: one per page, resumed where it broke off, healed by itself. */

/** The data of one event, as `GET /events/stream` sends it (and `/events` lists it). */
export interface ApplianceEvent {
  id: number;
  at: string;
  topic: string;
  type: string;
  subject: string;
  data: unknown;
}

export interface StreamHandlers {
  event: (event: ApplianceEvent) => void;
  /** Events were missed: what is shown must be fetched anew. Also called when first connected. */
  reset: () => void;
  connected: (yes: boolean) => void;
}

/** What is used of EventSource; tests hand in their own. */
export interface Source {
  onopen: ((event: Event) => void) | null;
  onerror: ((event: Event) => void) | null;
  addEventListener(type: string, listener: (event: MessageEvent<string>) => void): void;
  close(): void;
  readonly readyState: number;
}

const CLOSED = 2;

/** Types that the server sends by name; EventSource hands only named ones over. */
export const EVENT_TYPES = ["vm.changed", "vm.deleted", "task.changed", "alarm.changed"] as const;

export function parseEvent(text: string): ApplianceEvent | undefined {
  try {
    const value = JSON.parse(text) as Partial<ApplianceEvent>;
    if (typeof value.id !== "number" || typeof value.type !== "string") return undefined;
    return { at: "", topic: "", subject: "", data: null, ...value } as ApplianceEvent;
  } catch {
    return undefined;
  }
}

/** Open the stream; the result closes it. A browser reconnects by itself with Last-Event-ID; only a
 * refused connection (session over, server gone) is opened anew here, with growing pauses. */
export function openStream(
  url: string,
  handlers: StreamHandlers,
  make: (url: string) => Source = (u) => new EventSource(u),
  later: (f: () => void, ms: number) => unknown = setTimeout,
): () => void {
  let source: Source | undefined;
  let pause = 500;
  let over = false;

  function connect(): void {
    if (over) return;
    const mine = make(url);
    source = mine;
    mine.onopen = () => {
      pause = 500;
      handlers.connected(true);
      handlers.reset();
    };
    mine.onerror = () => {
      handlers.connected(false);
      if (mine.readyState !== CLOSED || over) return;
      later(connect, pause);
      pause = Math.min(pause * 2, 15000);
    };
    mine.addEventListener("reset", () => handlers.reset());
    for (const type of EVENT_TYPES)
      mine.addEventListener(type, (message) => {
        const event = parseEvent(message.data);
        if (event) handlers.event(event);
      });
  }

  connect();
  return () => {
    over = true;
    source?.close();
  };
}
