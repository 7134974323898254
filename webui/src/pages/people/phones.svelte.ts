/** How many phones each person has registered, for a list of thousands: one map that rows read key by key. */
import { SvelteMap } from "svelte/reactivity";
import type { Problem, Result } from "../../api/client";
import type { ApplianceEvent } from "../../lib/events";
import { live } from "../../lib/live.svelte";
import { ownedByComponent } from "../../lib/owner";
import { registrationOf } from "./phones";
import type { Registration } from "./user";

export type LoadAll = () => Promise<Result<Registration[]>>;

export class LivePhones {
  /** By handle; who has none is not in it. */
  counts = new SvelteMap<string, number>();
  state = $state<"asking" | "known" | "failed">("asking");
  problem = $state.raw<Problem>();
  #contacts = new Map<string, Set<string>>();
  #load: LoadAll;
  #asked = 0;
  #meanwhile: ApplianceEvent[] | undefined;
  #later: ReturnType<typeof setTimeout> | undefined;

  constructor(load: LoadAll) {
    this.#load = load;
    const close = live.on(["uc.registrations"], (event) => this.take(event), () => this.#soon());
    ownedByComponent(() => {
      close();
      clearTimeout(this.#later);
      this.#asked++;
    });
    void live.ready().then(() => (this.#asked === 0 ? this.refresh() : undefined));
  }

  async refresh(): Promise<void> {
    const mine = ++this.#asked;
    this.#meanwhile = [];
    const result = await this.#load();
    if (mine !== this.#asked) return;
    const missed = this.#meanwhile;
    this.#meanwhile = undefined;
    if (!result.ok) {
      this.problem = result.problem;
      this.state = "failed";
      return;
    }
    this.#fill(result.value);
    this.state = "known";
    for (const event of missed) this.take(event);
  }

  take(event: ApplianceEvent): void {
    this.#meanwhile?.push(event);
    const told = registrationOf(event);
    if (!told) return this.#soon();
    const { handle, contact } = told.registration;
    const contacts = this.#contacts.get(handle) ?? new Set<string>();
    if (told.there) contacts.add(contact);
    else contacts.delete(contact);
    this.#put(handle, contacts);
  }

  #fill(all: readonly Registration[]): void {
    const fresh = new Map<string, Set<string>>();
    for (const { handle, contact } of all) fresh.set(handle, (fresh.get(handle) ?? new Set()).add(contact));
    for (const handle of this.#contacts.keys()) if (!fresh.has(handle)) this.#put(handle, new Set());
    for (const [handle, contacts] of fresh) this.#put(handle, contacts);
  }

  #put(handle: string, contacts: Set<string>): void {
    if (contacts.size === 0) {
      this.#contacts.delete(handle);
      this.counts.delete(handle);
      return;
    }
    this.#contacts.set(handle, contacts);
    if (this.counts.get(handle) !== contacts.size) this.counts.set(handle, contacts.size);
  }

  #soon(): void {
    clearTimeout(this.#later);
    this.#later = setTimeout(() => void this.refresh(), 500);
  }
}
