/** One thing of the appliance, kept true by events. */
import type { Result } from "../api/client";
import { live, type ApplianceEvent } from "./live.svelte";
import { ownedByComponent } from "./owner";
import type { Remote } from "./remote";

export interface ResourceOptions<T> {
  load: () => Promise<Result<T>>;
  topics?: readonly string[];
  /** The thing after an event; undefined: fetch anew; the same value: the event is about something else. Without it every event fetches anew. */
  apply?: (value: T, event: ApplianceEvent) => T | undefined;
}

const PAUSE_MS = 200;

export class Resource<T> {
  remote = $state.raw<Remote<T>>({ state: "loading" });
  /** For If-Match; undefined when what is shown came by an event. */
  etag = $state<string>();
  busy = $state(false);
  #options: ResourceOptions<T>;
  #asked = 0;
  #later: ReturnType<typeof setTimeout> | undefined;
  #meanwhile: ApplianceEvent[] = [];
  #close: () => void = () => undefined;

  constructor(options: ResourceOptions<T>) {
    this.#options = options;
    if (options.topics)
      this.#close = live.on(options.topics, (event) => this.#event(event), () => void this.refresh());
    ownedByComponent(() => this.close());
    void live.ready().then(() => (this.#asked === 0 ? this.refresh() : undefined));
  }

  get value(): T | undefined {
    return this.remote.state === "data" ? this.remote.value : undefined;
  }

  /** What an answer to a change gave: newer than what is shown. */
  set(value: T, etag?: string): void {
    this.#asked++;
    this.busy = false;
    this.remote = { state: "data", value };
    this.etag = etag;
  }

  async refresh(): Promise<void> {
    clearTimeout(this.#later);
    this.#later = undefined;
    const mine = ++this.#asked;
    this.busy = true;
    this.#meanwhile = [];
    const result = await this.#options.load();
    if (mine !== this.#asked) return;
    this.busy = false;
    if (result.ok) {
      this.remote = { state: "data", value: result.value };
      this.etag = result.etag;
      for (const event of this.#meanwhile.splice(0)) this.#event(event);
    } else if (this.remote.state !== "data" || result.problem.status !== 0) this.remote = { state: "failed", problem: result.problem };
  }

  close(): void {
    clearTimeout(this.#later);
    this.#close();
    this.#asked++;
  }

  /** Once for many events, and however fast they come; what comes while an answer is under way is looked at after it. */
  #refreshSoon(): void {
    if (this.busy || this.#later !== undefined) return;
    this.#later = setTimeout(() => void this.refresh(), PAUSE_MS);
  }

  #event(event: ApplianceEvent): void {
    if (this.busy) this.#meanwhile.push(event);
    if (this.remote.state !== "data") return;
    const next = this.#options.apply?.(this.remote.value, event);
    if (next === undefined) this.#refreshSoon();
    else if (next !== this.remote.value) {
      this.remote = { state: "data", value: next };
      this.etag = undefined;
    }
  }
}
