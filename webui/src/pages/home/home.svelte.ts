/** What Home shows, kept true by the event stream: the newest calls, who talks, phones, people, today's figures. */
import { client, settle, type Result } from "../../api/client";
import { Collection, type Page } from "../../lib/collection.svelte";
import { live } from "../../lib/live.svelte";
import { ownedByComponent } from "../../lib/owner";
import { Resource } from "../../lib/resource.svelte";
import { applyCallEvent, type Call, type Cdr } from "../calls/call";
import { onCallsEnded } from "../calls/on_ended";
import { today } from "../calls/range";
import type { Summary } from "../calls/summary";
import { throttled } from "../calls/throttle";

/** Enough to see a row of failures and what was before it. */
const RECORDS = 50;
/** Phones come and go in hundreds when a call server starts: they are counted this often at most. */
const COUNT_MS = 2000;

function itemsOf<T>(result: Result<Page<T>>): Result<T[]> {
  return result.ok ? { ...result, value: result.value.items } : result;
}

function totalOf(result: Result<Page<unknown>>): Result<number> {
  return result.ok ? { ...result, value: result.value.total ?? result.value.items.length } : result;
}

const one = { limit: 1, count: true } as const;

export class HomeCalls {
  live = new Collection<Call>({
    load: (query) => settle(client.GET("/api/v1/uc/calls", { params: { query } })),
    key: (call) => call.gsid,
    topics: ["uc.calls"],
    apply: applyCallEvent,
    limit: 500,
  });
  records = new Resource<Cdr[]>({
    load: async () => itemsOf(await settle(client.GET("/api/v1/uc/cdr", { params: { query: { limit: RECORDS } } }))),
  });
  today = new Resource<Summary>({
    load: () => settle(client.GET("/api/v1/uc/cdr/summary", { params: { query: today(Date.now()) } })),
  });
  phones = new Resource<number>({
    load: async () => totalOf(await settle(client.GET("/api/v1/uc/registrations", { params: { query: one } }))),
  });
  people = new Resource<number>({
    load: async () => totalOf(await settle(client.GET("/api/v1/uc/users", { params: { query: one } }))),
    topics: ["uc.users"],
  });

  /** Something that decides what the sentence says is still asked for. */
  get asked(): boolean {
    return [this.live, this.records, this.phones, this.people].some((each) => each.remote.state === "loading");
  }

  constructor() {
    const countPhones = throttled(() => void this.phones.refresh(), COUNT_MS);
    ownedByComponent(live.on(["uc.registrations"], countPhones, countPhones));
    onCallsEnded(
      () => void this.records.refresh(),
      () => {
        void this.records.refresh();
        void this.today.refresh();
      },
    );
  }
}
