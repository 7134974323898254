import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openLine, type LineHandlers, type World } from "./sse_line";

/** Answers in turn; a number is a status without a body, a text the whole of a body that then ends, undefined no network. */
function world(...answers: (number | string | undefined)[]) {
  const asked: { last: string | undefined; signal: AbortSignal }[] = [];
  const fetch = (_url: string, init: RequestInit): Promise<Response> => {
    asked.push({ last: (init.headers as Record<string, string>)["Last-Event-ID"], signal: init.signal as AbortSignal });
    if (answers.length === 0) return new Promise((_, fail) => init.signal?.addEventListener("abort", () => fail(new Error("aborted"))));
    const next = answers.shift();
    if (next === undefined) return Promise.reject(new TypeError("no network"));
    return Promise.resolve(typeof next === "number" ? new Response(null, { status: next }) : new Response(next));
  };
  const there: World = { fetch, later: setTimeout, cancel: (timer) => clearTimeout(timer as number) };
  return { asked, there };
}

function handlers() {
  return { message: vi.fn(), connected: vi.fn(), refused: vi.fn(), alive: vi.fn() } satisfies LineHandlers;
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe("openLine", () => {
  it("goes on after the last id that it saw, whatever an id looks like", async () => {
    const { asked, there } = world("id: sm-7\ndata: a\n\n", "data: b\n\n");
    const heard = handlers();
    const close = openLine("/x", heard, "", there);
    await vi.advanceTimersByTimeAsync(3000);
    expect(asked.map((each) => each.last)).toEqual([undefined, "sm-7", "sm-7"]);
    expect(heard.message.mock.calls.map(([each]) => (each as { data: string }).data)).toEqual(["a", "b"]);
    expect(heard.connected.mock.calls).toEqual([[true, false], [false, false], [true, false], [false, false]]);
    close();
  });

  it("tells of a gap after a failed attempt, and where there was no id to go on after", async () => {
    const failed = handlers();
    const first = openLine("/x", failed, "4", world(undefined, 503, "").there);
    await vi.advanceTimersByTimeAsync(2000);
    expect(failed.connected.mock.calls.at(-2)).toEqual([true, true]);
    first();
    const nameless = handlers();
    const second = openLine("/x", nameless, "", world("data: a\n\n", "").there);
    await vi.advanceTimersByTimeAsync(600);
    expect(nameless.connected.mock.calls.filter(([yes]) => yes)).toEqual([[true, false], [true, true]]);
    second();
  });

  it.each([400, 401, 403, 404, 422])("does not knock again after %i", async (status) => {
    const { asked, there } = world(status);
    const heard = handlers();
    openLine("/x", heard, "", there);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(heard.refused).toHaveBeenCalledExactlyOnceWith(status);
    expect(asked.length).toBe(1);
  });

  it.each([408, 429, 500, 503])("knocks again after %i, with growing pauses", async (status) => {
    const { asked, there } = world(status, status, status);
    const heard = handlers();
    const close = openLine("/x", heard, "", there);
    await vi.advanceTimersByTimeAsync(490);
    expect(asked.length).toBe(1);
    await vi.advanceTimersByTimeAsync(500 + 1000 + 2000);
    expect(asked.length).toBe(4);
    expect(heard.refused).not.toHaveBeenCalled();
    close();
  });

  it("cuts a line that is silent, also one that never answers", async () => {
    const { asked, there } = world();
    const close = openLine("/x", handlers(), "", there);
    await vi.advanceTimersByTimeAsync(51_000);
    expect(asked[0]?.signal.aborted).toBe(true);
    expect(asked.length).toBe(2);
    close();
    expect(asked[1]?.signal.aborted).toBe(true);
  });
});
