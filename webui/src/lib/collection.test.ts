import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Result } from "../api/client";
import { askEarly, dropEarly } from "../api/early";
import { Collection, type CollectionOptions, type ListQuery, type Page } from "./collection.svelte";
import { live, type ApplianceEvent } from "./live.svelte";

interface Thing {
  name: string;
  n?: number;
}
type Answer = Result<Page<Thing>>;

/** Requests that the test answers when and as it likes. */
function server() {
  const asked: { query: Record<string, unknown>; answer: (answer: Answer) => void }[] = [];
  return {
    asked,
    load: (query: ListQuery) => new Promise<Answer>((answer) => asked.push({ query: query as unknown as Record<string, unknown>, answer })),
  };
}

function page(names: string[], more: Partial<Page<Thing>> = {}): Answer {
  return { ok: true, value: { items: names.map((name) => ({ name })), next_cursor: null, ...more } };
}

const gone: Answer = { ok: false, problem: { status: 0, code: "unreachable", detail: "" } };
const names = (list: Collection<Thing>): string[] => list.rows.map((each) => each.name);
let hear: (event: Partial<ApplianceEvent>) => void;
let reset: () => void;

function collection(there: ReturnType<typeof server>, more: Partial<CollectionOptions<Thing>> = {}) {
  vi.spyOn(live, "on").mockImplementation((_topics, handler, whenReset) => {
    hear = (event) => handler(event as ApplianceEvent);
    reset = whenReset;
    return () => undefined;
  });
  return new Collection<Thing>({ load: there.load, key: (each) => each.name, topics: ["things"], ...more });
}

const apply = (items: Thing[], event: ApplianceEvent): Thing[] | undefined => {
  if (event.type === "thing.deleted") return items.filter((each) => each.name !== event.subject);
  if (event.type === "thing.changed") return items.map((each) => (each.name === event.subject ? (event.data as Thing) : each));
  return undefined;
};

const settle = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("Collection", () => {
  it("fetches its first page once, with what it begins with", async () => {
    const there = server();
    const list = collection(there, { sort: "name", filters: { state: "active" }, limit: 20 });
    await settle();
    expect(there.asked.map((each) => each.query)).toEqual([{ limit: 20, count: true, sort: "name", state: "active" }]);
    expect(list.remote.state).toBe("loading");
    there.asked[0]?.answer(page(["a", "b"], { next_cursor: "c1", total: 5 }));
    await settle();
    expect([names(list), list.total, list.hasMore]).toEqual([["a", "b"], 5, true]);
  });

  it("begins a new era with the answer to another question, not with more or newer rows of the same", async () => {
    const there = server();
    const list = collection(there);
    await settle();
    there.asked[0]?.answer(page(["a"], { next_cursor: "c1" }));
    await settle();
    void list.more();
    there.asked[1]?.answer(page(["b"]));
    await settle();
    void list.refresh();
    there.asked[2]?.answer(page(["a", "b", "c"]));
    await settle();
    expect([names(list), list.era]).toEqual([["a", "b", "c"], 0]);
    list.ask({ q: "b" });
    await settle();
    expect(list.era).toBe(0);
    there.asked[3]?.answer(page(["b"]));
    await settle();
    expect([names(list), list.era]).toEqual([["b"], 1]);
  });

  it("drops the answer to what is no longer asked", async () => {
    const there = server();
    const list = collection(there);
    await settle();
    list.ask({ q: "ann" });
    await settle();
    list.ask({ q: "anna" });
    await settle();
    there.asked[2]?.answer(page(["anna"]));
    await settle();
    there.asked[1]?.answer(page(["ann", "anna"]));
    there.asked[0]?.answer(page(["all"]));
    await settle();
    expect(there.asked[2]?.query.q).toBe("anna");
    expect(names(list)).toEqual(["anna"]);
    expect(list.busy).toBe(false);
  });

  it("asks once for what is typed fast, and shows the old rows until the answer is here", async () => {
    const there = server();
    const list = collection(there);
    await settle();
    there.asked[0]?.answer(page(["a"]));
    await settle();
    for (const q of ["x", "xy", "xyz"]) list.ask({ q }, 150);
    await settle(100);
    expect(there.asked.length).toBe(1);
    await settle(100);
    expect(there.asked.map((each) => each.query.q)).toEqual([undefined, "xyz"]);
    expect(names(list)).toEqual(["a"]);
  });

  it("adds the next page, each row once", async () => {
    const there = server();
    const list = collection(there);
    await settle();
    there.asked[0]?.answer(page(["a", "b"], { next_cursor: "c1" }));
    await settle();
    void list.more();
    void list.more();
    expect(there.asked[1]?.query.cursor).toBe("c1");
    there.asked[1]?.answer(page(["b", "c"]));
    await settle();
    expect([names(list), list.hasMore, there.asked.length]).toEqual([["a", "b", "c"], false, 2]);
    await list.more();
    expect(there.asked.length).toBe(2);
  });

  it("applies events at once, and again to an answer that may be older than they are", async () => {
    const there = server();
    const list = collection(there, { apply });
    await settle();
    hear({ type: "thing.deleted", subject: "b" });
    there.asked[0]?.answer(page(["a", "b"], { total: 2 }));
    await settle();
    expect([names(list), list.total]).toEqual([["a"], 1]);
    hear({ type: "thing.changed", subject: "a", data: { name: "a", n: 2 } });
    expect(list.rows).toEqual([{ name: "a", n: 2 }]);
    expect(there.asked.length).toBe(1);
  });

  it("fetches as much as is shown anew after events it cannot apply, once for many", async () => {
    const there = server();
    const list = collection(there, { apply, limit: 2 });
    await settle();
    there.asked[0]?.answer(page(["a", "b"], { next_cursor: "c1" }));
    await settle();
    void list.more();
    there.asked[1]?.answer(page(["c", "d"]));
    await settle();
    for (let i = 0; i < 20; i++) hear({ type: "thing.created", subject: "e" });
    await settle(400);
    expect(there.asked.length).toBe(3);
    expect(there.asked[2]?.query).toEqual({ limit: 4, count: true });
  });

  it("keeps on being refreshed while events never cease", async () => {
    const there = server();
    collection(there);
    await settle();
    there.asked[0]?.answer(page(["a"]));
    await settle();
    for (let i = 0; i < 40; i++) {
      hear({ type: "thing.created" });
      await settle(100);
    }
    expect(there.asked.length).toBeGreaterThan(1);
  });

  it("keeps what it shows when the appliance is away, and fetches anew when events were missed", async () => {
    const there = server();
    const list = collection(there);
    await settle();
    there.asked[0]?.answer(page(["a"]));
    await settle();
    reset();
    await settle();
    there.asked[1]?.answer(gone);
    await settle();
    expect(names(list)).toEqual(["a"]);
    reset();
    await settle();
    there.asked[2]?.answer(page(["z"]));
    await settle();
    expect(names(list)).toEqual(["z"]);
  });

  it("shows why its first page could not be had", async () => {
    const there = server();
    const list = collection(there);
    await settle();
    there.asked[0]?.answer(gone);
    await settle();
    expect(list.remote.state).toBe("failed");
  });

  it("hears and shows nothing once it is closed", async () => {
    const there = server();
    const list = collection(there);
    await settle();
    list.close();
    there.asked[0]?.answer(page(["late"]));
    await settle(1000);
    expect(list.remote.state).toBe("loading");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("asks at once for what was asked before, and looks again when the stream is there", async () => {
    vi.stubGlobal("fetch", () => new Promise(() => undefined));
    let ready = (): void => undefined;
    vi.spyOn(live, "ready").mockReturnValue(new Promise((resolve) => (ready = resolve)));
    void askEarly("/api/v1/things");
    const there = server();
    const list = collection(there);
    await settle();
    expect(there.asked.length).toBe(1);
    dropEarly();
    ready();
    await settle(1000);
    expect(there.asked.length, "the first answer is waited for").toBe(1);
    there.asked[0]?.answer(page(["a"]));
    await settle();
    const [before] = list.rows;
    await settle(1000);
    expect(there.asked.length).toBe(2);
    there.asked[1]?.answer(page(["a"]));
    await settle(1000);
    expect(list.rows[0], "the same answer draws nothing anew").toBe(before);
    expect(there.asked.length).toBe(2);
    vi.unstubAllGlobals();
  });

  it("does not look again once it is gone", async () => {
    vi.stubGlobal("fetch", () => new Promise(() => undefined));
    let ready = (): void => undefined;
    vi.spyOn(live, "ready").mockReturnValue(new Promise((resolve) => (ready = resolve)));
    void askEarly("/api/v1/things");
    const there = server();
    const list = collection(there);
    await settle();
    dropEarly();
    there.asked[0]?.answer(page(["a"]));
    await settle();
    list.close();
    ready();
    await settle(1000);
    expect(there.asked.length).toBe(1);
    vi.unstubAllGlobals();
  });
});
