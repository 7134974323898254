import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { awaitRecord } from "./settle_record";

describe("awaitRecord", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("asks until the record is there and then no more", async () => {
    const look = vi.fn<() => Promise<boolean>>().mockResolvedValueOnce(false).mockResolvedValueOnce(false).mockResolvedValue(true);
    awaitRecord(look);
    await vi.advanceTimersByTimeAsync(60000);
    expect(look).toHaveBeenCalledTimes(3);
  });
  it("gives up on a record that never comes", async () => {
    const look = vi.fn<() => Promise<boolean>>().mockResolvedValue(false);
    awaitRecord(look);
    await vi.advanceTimersByTimeAsync(3600000);
    expect(look).toHaveBeenCalledTimes(5);
  });
  it("ends when told to, also while an answer is under way", async () => {
    const look = vi.fn<() => Promise<boolean>>().mockResolvedValue(false);
    const end = awaitRecord(look);
    await vi.advanceTimersByTimeAsync(400);
    end();
    await vi.advanceTimersByTimeAsync(60000);
    expect(look).toHaveBeenCalledTimes(1);
  });
});
