import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openStream, type StreamHandlers } from "./stream";

/** An appliance whose streams the test writes. */
function appliance() {
  const asked: { headers: Record<string, string>; signal: AbortSignal }[] = [];
  let body: ReadableStreamDefaultController<Uint8Array> | undefined;
  let status: number | "dead" = 200;
  const fetch = async (_url: string, init: RequestInit): Promise<Response> => {
    asked.push({ headers: init.headers as Record<string, string>, signal: init.signal as AbortSignal });
    if (status === "dead") throw new TypeError("no network");
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => {
        body = controller;
        init.signal?.addEventListener("abort", () => controller.error(new Error("aborted")));
      },
    });
    return new Response(status === 200 ? stream : null, { status });
  };
  return {
    asked,
    fetch,
    answer: (what: number | "dead") => (status = what),
    write: (text: string) => body?.enqueue(new TextEncoder().encode(text)),
    end: () => body?.close(),
  };
}

function handlers() {
  return { event: vi.fn(), reset: vi.fn(), connected: vi.fn(), alive: vi.fn(), refused: vi.fn() } satisfies StreamHandlers;
}

const event = (id: number): string => `id: ${String(id)}\nevent: vm.changed\ndata: {"id":${String(id)},"type":"vm.changed","topic":"vms"}\n\n`;
const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function open(there: ReturnType<typeof appliance>, since?: number) {
  const heard = handlers();
  const world = { fetch: there.fetch, later: setTimeout, cancel: (t: unknown) => clearTimeout(t as number) };
  return { heard, close: openStream("/events", heard, since, world) };
}

describe("openStream", () => {
  it("hands events on and resumes after the last one when the line breaks", async () => {
    const there = appliance();
    const { heard, close } = open(there);
    await settle();
    expect(there.asked[0]?.headers["Last-Event-ID"]).toBeUndefined();
    expect(heard.connected).toHaveBeenLastCalledWith(true);
    there.write(event(5) + event(6));
    await settle();
    expect(heard.event.mock.calls.map(([each]) => (each as { id: number }).id)).toEqual([5, 6]);
    there.end();
    await settle();
    expect(heard.connected).toHaveBeenLastCalledWith(false);
    await vi.advanceTimersByTimeAsync(600);
    expect(there.asked[1]?.headers["Last-Event-ID"]).toBe("6");
    expect(heard.connected).toHaveBeenLastCalledWith(true);
    // Nothing was missed: nothing is fetched anew.
    expect(heard.reset).not.toHaveBeenCalled();
    close();
  });

  it("tries again with growing pauses, then has all fetched anew", async () => {
    const there = appliance();
    there.answer("dead");
    const { heard, close } = open(there, 9);
    await vi.advanceTimersByTimeAsync(500 + 1000 + 2000 + 100);
    expect(there.asked.length).toBe(4);
    there.answer(200);
    await vi.advanceTimersByTimeAsync(4000);
    expect(there.asked.at(-1)?.headers["Last-Event-ID"]).toBe("9");
    expect(heard.connected).toHaveBeenLastCalledWith(true);
    expect(heard.reset).toHaveBeenCalledTimes(1);
    close();
  });

  it("has all fetched anew when it had no event to resume after", async () => {
    const there = appliance();
    const { heard, close } = open(there);
    await settle();
    there.end();
    await vi.advanceTimersByTimeAsync(600);
    expect(there.asked.length).toBe(2);
    expect(heard.reset).toHaveBeenCalledTimes(1);
    close();
  });

  it("takes a long silence for a dead line, but not while pings come", async () => {
    const there = appliance();
    const { heard, close } = open(there);
    await settle();
    for (let i = 0; i < 5; i++) {
      await vi.advanceTimersByTimeAsync(15_000);
      there.write(": ping\n\n");
      await settle();
    }
    expect(there.asked.length).toBe(1);
    await vi.advanceTimersByTimeAsync(51_000);
    expect(heard.connected).toHaveBeenCalledWith(false);
    expect(there.asked.length).toBe(2);
    close();
  });

  it("says that the appliance asks to begin anew", async () => {
    const there = appliance();
    const { heard, close } = open(there, 1000);
    await settle();
    there.write("id: 12\nevent: reset\ndata: {}\n\nid: 13\nevent: x\ndata: broken\n\n");
    await settle();
    expect(heard.reset).toHaveBeenCalledTimes(1);
    expect(heard.event).not.toHaveBeenCalled();
    expect(heard.alive).toHaveBeenLastCalledWith(13);
    close();
  });

  it("does not knock again where it was refused", async () => {
    const there = appliance();
    there.answer(401);
    const { heard } = open(there);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(heard.refused).toHaveBeenCalledWith(401);
    expect(there.asked.length).toBe(1);
  });

  it("ends when it is closed", async () => {
    const there = appliance();
    const { heard, close } = open(there);
    await settle();
    close();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(there.asked[0]?.signal.aborted).toBe(true);
    expect(there.asked.length).toBe(1);
    expect(heard.connected).not.toHaveBeenCalledWith(false);
  });
});
