import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ApplianceEvent } from "./events";
import { Live } from "./live.svelte";
import type { StreamHandlers } from "./stream";

function start() {
  const live = new Live();
  let handlers: StreamHandlers | undefined;
  live.start({
    open: (given) => {
      handlers = given;
      return () => undefined;
    },
    later: setTimeout,
    cancel: (timer) => clearTimeout(timer as number),
  });
  return { live, handlers: handlers as StreamHandlers };
}

const event = (topic: string): ApplianceEvent => ({ id: 1, at: "", topic, type: `${topic}.changed`, subject: "", data: null });

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe("Live", () => {
  it("hands events to those who listen to their topic, until they no longer do", () => {
    const { live, handlers } = start();
    const heard = vi.fn();
    const done = live.on(["vms", "tasks"], heard, () => undefined);
    handlers.event(event("vms"));
    handlers.event(event("audit"));
    handlers.event({ ...event("tasks"), id: 2 });
    expect(heard).toHaveBeenCalledTimes(2);
    done();
    handlers.event({ ...event("vms"), id: 3 });
    expect(heard).toHaveBeenCalledTimes(2);
  });

  it("lets what is fetched first wait for the stream, and then miss nothing", async () => {
    const { live, handlers } = start();
    const reset = vi.fn();
    const ready = vi.fn();
    live.on(["vms"], () => undefined, reset);
    void live.ready().then(ready);
    await vi.advanceTimersByTimeAsync(100);
    expect(ready).not.toHaveBeenCalled();
    handlers.connected(true);
    await vi.advanceTimersByTimeAsync(0);
    expect(ready).toHaveBeenCalled();
    expect(reset).not.toHaveBeenCalled();
  });

  it("does not let it wait long, and has it fetched anew when the stream came after all", async () => {
    const { live, handlers } = start();
    const reset = vi.fn();
    const ready = vi.fn();
    live.on(["vms"], () => undefined, reset);
    void live.ready().then(ready);
    await vi.advanceTimersByTimeAsync(500);
    expect(ready).toHaveBeenCalled();
    handlers.connected(true);
    expect(reset).toHaveBeenCalledTimes(1);
  });

  it("knows a lost connection from one that never was", () => {
    const { live, handlers } = start();
    expect(live.lost).toBe(false);
    handlers.connected(true);
    handlers.connected(false);
    expect([live.connected, live.lost]).toEqual([false, true]);
    handlers.connected(true);
    expect([live.connected, live.lost]).toEqual([true, false]);
    live.stop();
    expect([live.connected, live.lost]).toEqual([false, false]);
  });

  it("says that it was refused", () => {
    const { live, handlers } = start();
    live.onrefused = vi.fn();
    handlers.refused(401);
    expect(live.onrefused).toHaveBeenCalledWith(401);
  });
});
