/** The messages that are shown: a call's ladder as the appliance draws it, or what a filter finds; and what comes while one follows. */
import type { Result } from "../../../api/client";
import { ownedByComponent } from "../../../lib/owner";
import type { Remote } from "../../../lib/remote";
import { followUrl, ladderOfCall, listMessages, MOST, type Filters } from "./api";
import { followTrace } from "./follow";
import { ladderOf, type Ladder, type Message } from "./ladder";

export interface TraceCalls {
  list: (filters: Filters) => Promise<Result<Message[]>>;
  ladder: (gsid: string) => Promise<Result<Ladder>>;
}

const AGAIN_MS = 400;
const none: Ladder = { participants: [], legs: [], phases: [], messages: [] };

/** The newest `MOST`, each once, by time. */
export function joined(before: readonly Message[], fresh: readonly Message[]): Message[] {
  const known = new Set(before.map((each) => each.id));
  const all = [...before, ...fresh.filter((each) => !known.has(each.id))].sort((a, b) => a.at_us - b.at_us || a.seq - b.seq);
  return all.length > MOST ? all.slice(all.length - MOST) : all;
}

/** A ladder of one call alone has no other. */
function isOneCall(filters: Filters): filters is Filters & { gsid: string } {
  return filters.gsid !== undefined && Object.keys(filters).length === 1;
}

export class TraceView {
  remote = $state.raw<Remote<true>>({ state: "loading" });
  ladder = $state.raw<Ladder>(none);
  connected = $state(false);
  #messages: Message[] = [];
  #byId = new Map<string, Message>();
  #calls: TraceCalls;
  #asked = 0;
  #later: ReturnType<typeof setTimeout> | undefined;

  constructor(calls: TraceCalls = { list: listMessages, ladder: ladderOfCall }) {
    this.#calls = calls;
    ownedByComponent(() => {
      this.#asked++;
      clearTimeout(this.#later);
    });
  }

  /** There are as many as are drawn at most. */
  get cut(): boolean {
    return this.ladder.messages.length >= MOST;
  }

  message(id: string): Message | undefined {
    return this.#byId.get(id);
  }

  async ask(filters: Filters, keep = false): Promise<void> {
    const mine = ++this.#asked;
    if (!keep) {
      this.remote = { state: "loading" };
      this.#messages = [];
    }
    const result = isOneCall(filters) ? await this.#calls.ladder(filters.gsid) : await this.#calls.list(filters);
    if (mine !== this.#asked) return;
    if (!result.ok) {
      // A call whose messages are gone, or have not come yet, has none.
      if (result.problem.status === 404 && isOneCall(filters)) this.#draw(none);
      else if (!keep || result.problem.status !== 0) this.remote = { state: "failed", problem: result.problem };
      return;
    }
    if (Array.isArray(result.value)) {
      this.#messages = joined(this.#messages, result.value);
      this.#index();
      this.#draw(ladderOf(this.#messages));
    } else this.#draw(result.value);
  }

  /** The result ends it. */
  follow(filters: Filters): () => void {
    const stop = followTrace<Message>(followUrl(filters), {
      messages: (all) => {
        if (isOneCall(filters)) return this.#soon(filters);
        this.#messages = joined(this.#messages, all);
        this.#index();
        this.#draw(ladderOf(this.#messages));
      },
      reset: () => void this.ask(filters, true),
      connected: (yes) => (this.connected = yes),
      refused: () => (this.connected = false),
    });
    return () => {
      stop();
      this.connected = false;
      clearTimeout(this.#later);
      this.#later = undefined;
    };
  }

  /** A call's ladder is the appliance's to draw: asked for once for many messages. */
  #soon(filters: Filters): void {
    this.#later ??= setTimeout(() => {
      this.#later = undefined;
      void this.ask(filters, true);
    }, AGAIN_MS);
  }

  #index(): void {
    this.#byId = new Map(this.#messages.map((each) => [each.id, each]));
  }

  #draw(ladder: Ladder): void {
    this.ladder = ladder;
    this.remote = { state: "data", value: true };
  }
}
