/** A list of the appliance: pages of it, its search, sort and filters, kept true by events. */
import type { Result } from "../api/client";
import { earlyWaits } from "../api/early";
import { live, type ApplianceEvent } from "./live.svelte";
import { ownedByComponent } from "./owner";
import type { Remote } from "./remote";

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
  total?: number | undefined;
}

/** What `load` hands on as the query of its route. Which values a list takes, the appliance judges: the type fits each. */
export type ListQuery = Readonly<Record<string, never>>;

export interface Query {
  q: string;
  /** "name" or "-created_at"; empty is the list's own order. */
  sort: string;
  filters: Readonly<Record<string, string>>;
}

export interface CollectionOptions<T> {
  load: (query: ListQuery) => Promise<Result<Page<T>>>;
  key: (item: T) => string;
  topics?: readonly string[];
  /** The list after an event; undefined: fetch anew. Without it every event fetches anew. */
  apply?: (items: T[], event: ApplianceEvent) => T[] | undefined;
  sort?: string;
  filters?: Readonly<Record<string, string>>;
  limit?: number;
}

const MOST = 500;
const PAUSE_MS = 300;

export class Collection<T> {
  remote = $state.raw<Remote<T[]>>({ state: "loading" });
  total = $state<number>();
  /** There is more than what is shown. */
  hasMore = $state(false);
  /** An answer is under way. */
  busy = $state(false);
  /** Its search, sort and filters stand in the address bar. */
  bound = false;
  query = $state.raw<Query>({ q: "", sort: "", filters: {} });
  /** Grows with each answer to another question: its rows are other rows, not the old ones moved. */
  era = $state(0);
  #answered: Query | undefined;
  #options: CollectionOptions<T>;
  #cursor: string | null = null;
  #asked = 0;
  #later: ReturnType<typeof setTimeout> | undefined;
  #anew: ReturnType<typeof setTimeout> | undefined;
  #meanwhile: ApplianceEvent[] = [];
  /** What is on its way was asked before the stream was there. */
  #early = false;
  #closed = false;
  #close: () => void = () => undefined;

  constructor(options: CollectionOptions<T>) {
    this.#options = options;
    this.query = { q: "", sort: options.sort ?? "", filters: options.filters ?? {} };
    if (options.topics)
      this.#close = live.on(options.topics, (event) => this.#event(event), () => void this.refresh());
    ownedByComponent(() => this.close());
    // In the next turn: who binds it to the address bar has said by then what is wanted.
    const begin = (): void => (this.#asked === 0 ? this.#soon(0) : undefined);
    if (earlyWaits()) {
      begin();
      void live.ready().then(() => this.#lookAgain());
    } else void live.ready().then(begin);
  }

  get rows(): T[] {
    return this.remote.state === "data" ? this.remote.value : [];
  }

  /** Search, sort or filter by something else; what is shown stays until the answer is here. */
  ask(changes: Partial<Query>, delay_ms = 0): void {
    this.query = { ...this.query, ...changes };
    this.#soon(delay_ms);
  }

  async refresh(): Promise<void> {
    await this.#fetch(Math.min(MOST, Math.max(this.#options.limit ?? 50, this.rows.length)));
  }

  /** The next page, after what is shown. */
  async more(): Promise<void> {
    if (this.#cursor !== null && !this.busy) await this.#fetch(this.#options.limit ?? 50, this.#cursor);
  }

  close(): void {
    this.#closed = true;
    this.#asked++;
    clearTimeout(this.#later);
    clearTimeout(this.#anew);
    this.#close();
  }

  #soon(delay_ms: number): void {
    clearTimeout(this.#later);
    this.#later = setTimeout(() => void this.#fetch(this.#options.limit ?? 50), delay_ms);
  }

  async #fetch(limit: number, cursor?: string): Promise<void> {
    const mine = ++this.#asked;
    clearTimeout(this.#later);
    clearTimeout(this.#anew);
    this.#anew = undefined;
    const asked = this.query;
    const { q, sort, filters } = asked;
    const query = { ...filters, limit, count: true, ...(q && { q }), ...(sort && { sort }), ...(cursor && { cursor }) };
    this.busy = true;
    this.#meanwhile = [];
    const result = await this.#options.load(query as unknown as ListQuery);
    if (mine !== this.#asked) return;
    this.busy = false;
    if (!result.ok) {
      if (this.remote.state !== "data" || result.problem.status !== 0) this.remote = { state: "failed", problem: result.problem };
      return;
    }
    const before = cursor === undefined ? [] : this.rows;
    const known = new Set(before.map(this.#options.key));
    const fresh = result.value.items.filter((item) => !known.has(this.#options.key(item)));
    if (this.#answered !== undefined && this.#answered !== asked) this.era++;
    this.#answered = asked;
    const value = [...before, ...fresh];
    // Nothing new: nothing is drawn anew.
    if (this.remote.state !== "data" || JSON.stringify(value) !== JSON.stringify(this.remote.value)) this.remote = { state: "data", value };
    this.total = result.value.total;
    this.#cursor = result.value.next_cursor;
    this.hasMore = this.#cursor !== null;
    for (const event of this.#meanwhile.splice(0)) this.#event(event);
    if (!this.#early) return;
    this.#early = false;
    this.#refreshSoon();
  }

  /** The stream is there: something may have fallen between it and an answer from before. */
  #lookAgain(): void {
    if (this.#closed) return;
    if (this.remote.state === "data") this.#refreshSoon();
    else this.#early = true;
  }

  /** Once for many events, and however fast they come; what comes while an answer is under way is looked at after it. */
  #refreshSoon(): void {
    if (this.busy || this.#anew !== undefined) return;
    this.#anew = setTimeout(() => void this.refresh(), PAUSE_MS);
  }

  #event(event: ApplianceEvent): void {
    if (this.busy) this.#meanwhile.push(event);
    if (this.remote.state !== "data") return;
    const items = this.#options.apply?.(this.remote.value, event);
    if (items === undefined) this.#refreshSoon();
    else if (items !== this.remote.value) {
      if (this.total !== undefined) this.total += items.length - this.remote.value.length;
      this.remote = { state: "data", value: items };
    }
  }
}
