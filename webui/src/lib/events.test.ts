import { describe, expect, it, vi } from "vitest";
import { openStream, parseEvent, type Source } from "./events";

class FakeSource implements Source {
  onopen: ((event: Event) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;
  readyState = 0;
  closed = false;
  listeners = new Map<string, (event: MessageEvent<string>) => void>();
  addEventListener(type: string, listener: (event: MessageEvent<string>) => void): void {
    this.listeners.set(type, listener);
  }
  close(): void {
    this.closed = true;
  }
  send(type: string, data: string): void {
    this.listeners.get(type)?.({ data } as MessageEvent<string>);
  }
}

function open() {
  const made: FakeSource[] = [];
  const waits: [() => void, number][] = [];
  const handlers = { event: vi.fn(), reset: vi.fn(), connected: vi.fn() };
  const close = openStream(
    "/events",
    handlers,
    () => {
      const source = new FakeSource();
      made.push(source);
      return source;
    },
    (f, ms) => waits.push([f, ms]),
  );
  return { made, waits, handlers, close };
}

describe("parseEvent", () => {
  it("refuses what is no event", () => {
    expect(parseEvent("nonsense")).toBeUndefined();
    expect(parseEvent("{}")).toBeUndefined();
    expect(parseEvent('{"id":1,"type":"vm.changed"}')?.id).toBe(1);
  });
});

describe("openStream", () => {
  it("hands events over and asks for a fresh view when connected or reset", () => {
    const { made, handlers } = open();
    made[0]?.onopen?.(new Event("open"));
    expect(handlers.connected).toHaveBeenLastCalledWith(true);
    made[0]?.send("vm.changed", '{"id":7,"type":"vm.changed","data":{"name":"sm"}}');
    made[0]?.send("vm.changed", "broken");
    made[0]?.send("reset", "{}");
    expect(handlers.event).toHaveBeenCalledTimes(1);
    expect(handlers.reset).toHaveBeenCalledTimes(2);
  });

  it("opens a refused stream anew with growing pauses, until closed", () => {
    const { made, waits, handlers, close } = open();
    for (let i = 0; i < 2; i++) {
      const source = made[i];
      if (!source) throw new Error("no stream was opened");
      source.readyState = 2;
      source.onerror?.(new Event("error"));
      waits[i]?.[0]();
    }
    expect(handlers.connected).toHaveBeenLastCalledWith(false);
    expect(waits.map(([, ms]) => ms)).toEqual([500, 1000]);
    close();
    expect(made[2]?.closed).toBe(true);
  });

  it("leaves a broken but living stream to the browser", () => {
    const { made, waits } = open();
    made[0]?.onerror?.(new Event("error"));
    expect(waits).toHaveLength(0);
  });
});
