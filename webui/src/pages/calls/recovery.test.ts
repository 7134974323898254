import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { live } from "../../lib/live.svelte";
import type { Remote } from "../../lib/remote";
import type { StreamHandlers } from "../../lib/stream";
import { recover } from "./recovery";

const failed: Remote<unknown> = { state: "failed", problem: { status: 503, code: "unavailable", detail: "" } };

describe("recover", () => {
  let stream: StreamHandlers | undefined;

  function tell(topic: string, data: unknown): void {
    stream?.event({ id: Date.now(), at: "", topic, type: "x", subject: "", data });
  }

  beforeEach(() => {
    vi.useFakeTimers();
    live.start({ open: (handlers) => ((stream = handlers), () => undefined), later: () => 0, cancel: () => undefined });
  });
  afterEach(() => {
    live.stop();
    vi.useRealTimers();
  });

  it("fetches what had failed once a machine is ready, a few times, and nothing else", async () => {
    const broken = { remote: failed, refresh: vi.fn(() => Promise.resolve()) };
    const well = { remote: { state: "data", value: 1 } as Remote<unknown>, refresh: vi.fn(() => Promise.resolve()) };
    recover(broken, well);
    tell("vms", { ready: false });
    await vi.advanceTimersByTimeAsync(5000);
    expect(broken.refresh).not.toHaveBeenCalled();
    tell("vms", { ready: true, ready_at: "14:00" });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(broken.refresh).toHaveBeenCalledTimes(3);
    expect(well.refresh).not.toHaveBeenCalled();
  });
  it("stops as soon as it has worked", async () => {
    const mended: { remote: Remote<unknown>; refresh: () => Promise<void> } = { remote: failed, refresh: () => Promise.resolve() };
    const refresh = vi.spyOn(mended, "refresh").mockImplementation(() => {
      mended.remote = { state: "data", value: 1 };
      return Promise.resolve();
    });
    recover(mended);
    tell("uc.calls", null);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(refresh).toHaveBeenCalledTimes(1);
  });
  it("does not ask for each word of a machine that was ready before", async () => {
    const broken = { remote: failed, refresh: vi.fn(() => Promise.resolve()) };
    recover(broken);
    for (let i = 0; i < 20; i++) {
      tell("vms", { ready: true, ready_at: "14:00" });
      await vi.advanceTimersByTimeAsync(10_000);
    }
    expect(broken.refresh).toHaveBeenCalledTimes(3);
  });
  it("is not put off by signs that never pause", async () => {
    const broken = { remote: failed, refresh: vi.fn(() => Promise.resolve()) };
    recover(broken);
    for (let i = 0; i < 10; i++) {
      tell("uc.calls", null);
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect(broken.refresh.mock.calls.length).toBeGreaterThanOrEqual(3);
  });
  it("does so too when events were missed", () => {
    const broken = { remote: failed, refresh: vi.fn(() => Promise.resolve()) };
    recover(broken);
    stream?.reset();
    expect(broken.refresh).toHaveBeenCalledTimes(1);
  });
});
