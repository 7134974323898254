import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ApplianceEvent } from "./events";
import { openShared, type Channel, type Surroundings } from "./shared_stream";
import type { StreamHandlers } from "./stream";

type Message = Parameters<Channel["postMessage"]>[0];

/** A browser: its windows share a lock and a channel; each stream that is opened is written down. */
class Browser {
  streams: { handlers: StreamHandlers; since: number | undefined; open: boolean }[] = [];
  #channels = new Set<Channel>();
  #queue: (() => void)[] = [];
  #held = false;
  deaf = false;

  window(shared = true) {
    const heard = { event: vi.fn(), reset: vi.fn(), connected: vi.fn(), refused: vi.fn() };
    const around: Surroundings = {
      channel: shared ? () => this.#channel() : undefined,
      lock: shared ? (hold, signal) => this.#lock(hold, signal) : undefined,
      open: (handlers, since) => {
        const stream = { handlers, since, open: true };
        this.streams.push(stream);
        return () => (stream.open = false);
      },
      later: (f, ms) => setTimeout(f, ms),
      cancel: (timer) => clearTimeout(timer as number),
    };
    const ids = (): number[] => heard.event.mock.calls.map(([each]) => (each as ApplianceEvent).id);
    return { heard, ids, close: openShared(heard, around) };
  }

  get open() {
    return this.streams.filter((each) => each.open);
  }

  send(id: number): void {
    const event = { id, at: "", topic: "vms", type: "vm.changed", subject: "", data: null };
    for (const each of this.open) each.handlers.event(event);
  }

  #channel(): Channel {
    const own: Channel = {
      onmessage: null,
      postMessage: (message: Message) => {
        if (this.deaf) return;
        for (const each of this.#channels) if (each !== own) each.onmessage?.({ data: message } as MessageEvent<Message>);
      },
      close: () => this.#channels.delete(own),
    };
    this.#channels.add(own);
    return own;
  }

  #lock(hold: () => Promise<void>, signal: AbortSignal): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const run = (): void => {
        this.#held = true;
        void hold().then(() => {
          this.#held = false;
          this.#queue.shift()?.();
          resolve(undefined);
        });
      };
      signal.addEventListener("abort", () => {
        this.#queue = this.#queue.filter((each) => each !== run);
        reject(new Error("given up"));
      });
      if (this.#held) this.#queue.push(run);
      else run();
    });
  }
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe("openShared", () => {
  it("has one stream for all windows, and each hears every event once", () => {
    const browser = new Browser();
    const windows = [browser.window(), browser.window(), browser.window()];
    browser.open[0]?.handlers.connected(true);
    expect(browser.open.length).toBe(1);
    browser.send(1);
    browser.send(2);
    for (const each of windows) {
      expect(each.ids()).toEqual([1, 2]);
      expect(each.heard.connected).toHaveBeenLastCalledWith(true);
    }
  });

  it("tells a window that comes late how things stand", () => {
    const browser = new Browser();
    browser.window();
    browser.open[0]?.handlers.connected(true);
    const late = browser.window();
    expect(late.heard.connected).toHaveBeenLastCalledWith(true);
    vi.advanceTimersByTime(5000);
    expect(browser.open.length).toBe(1);
  });

  it("goes on after the last event when the window with the stream goes", async () => {
    const browser = new Browser();
    const first = browser.window();
    const second = browser.window();
    const third = browser.window();
    browser.open[0]?.handlers.connected(true);
    browser.send(41);
    first.close();
    await vi.advanceTimersByTimeAsync(0);
    expect(browser.open.length).toBe(1);
    expect(browser.streams[1]?.since).toBe(41);
    // It resumes with one that all have heard.
    browser.open[0]?.handlers.connected(true);
    browser.send(41);
    browser.send(42);
    expect(second.ids()).toEqual([41, 42]);
    expect(third.ids()).toEqual([41, 42]);
    expect(first.ids()).toEqual([41]);
  });

  it("has all fetched anew when another takes over before any event was heard", async () => {
    const browser = new Browser();
    const first = browser.window();
    const second = browser.window();
    const third = browser.window();
    browser.open[0]?.handlers.connected(true);
    first.close();
    await vi.advanceTimersByTimeAsync(0);
    browser.open[0]?.handlers.connected(true);
    expect(second.heard.reset).toHaveBeenCalledTimes(1);
    expect(third.heard.reset).toHaveBeenCalledTimes(1);
  });

  it("passes a reset and a lost connection on", () => {
    const browser = new Browser();
    browser.window();
    const other = browser.window();
    const [stream] = browser.open;
    stream?.handlers.connected(true);
    browser.send(100);
    stream?.handlers.connected(false);
    expect(other.heard.connected).toHaveBeenLastCalledWith(false);
    stream?.handlers.reset();
    expect(other.heard.reset).toHaveBeenCalledTimes(1);
    // The appliance counts from lower now.
    browser.send(3);
    expect(other.ids()).toEqual([100, 3]);
  });

  it("opens its own stream when nobody tells anything, and closes it when somebody does", () => {
    const browser = new Browser();
    browser.window();
    browser.deaf = true;
    const other = browser.window();
    expect(browser.open.length).toBe(1);
    vi.advanceTimersByTime(1600);
    expect(browser.open.length).toBe(2);
    browser.send(7);
    expect(other.ids()).toEqual([7]);
    browser.deaf = false;
    browser.streams[0]?.handlers.alive?.(7);
    expect(browser.open.length).toBe(1);
  });

  it("has its own stream where a browser cannot share", () => {
    const browser = new Browser();
    const windows = [browser.window(false), browser.window(false)];
    expect(browser.open.length).toBe(2);
    windows[0]?.close();
    expect(browser.open.length).toBe(1);
  });

  it("leaves nothing behind when the last window goes", async () => {
    const browser = new Browser();
    const windows = [browser.window(), browser.window()];
    windows[1]?.close();
    windows[0]?.close();
    await vi.advanceTimersByTimeAsync(100_000);
    expect(browser.open.length).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});
