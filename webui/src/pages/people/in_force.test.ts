import { describe, expect, it, vi } from "vitest";
import { followSave, readReplicas, type InForce } from "./in_force";
import type { Replica } from "./user";

const node = (name: string, state: Replica["state"]): Replica => ({
  node: name,
  state,
  version: 1,
  smgr_version: 1,
  lag_ms: 0,
  last_error: null,
});
const settled = (): Promise<void> => new Promise((done) => setTimeout(done, 0));

function follow(answers: (Replica[] | undefined)[]) {
  let clock = 0;
  const told: InForce[] = [];
  const ask = vi.fn(() => Promise.resolve(answers.shift()));
  const wait = (ms: number): Promise<void> => {
    clock += ms;
    return Promise.resolve();
  };
  const cancel = followSave({ ask, tell: (s) => told.push(s), wait, now: () => clock });
  return { told, ask, cancel };
}

describe("followSave", () => {
  it("stops with the first answer in which all have it", async () => {
    const { told, ask } = follow([
      [node("sm", "in_sync"), node("cm", "lagging")],
      [node("sm", "in_sync"), node("cm", "in_sync")],
    ]);
    await settled();
    expect(ask).toHaveBeenCalledTimes(2);
    expect(told.map((s) => [s.there, s.waiting, s.after_ms, s.done])).toEqual([
      [["sm"], ["cm"], 300, false],
      [["sm", "cm"], [], 1000, true],
    ]);
  });

  it("asks three times, no more, and says what is missing", async () => {
    const lagging = [node("sm", "in_sync"), node("cm", "unreachable")];
    const { told, ask } = follow([lagging, undefined, lagging, lagging]);
    await settled();
    expect(ask).toHaveBeenCalledTimes(3);
    expect(told.at(-1)).toMatchObject({ there: ["sm"], waiting: ["cm"], done: true });
  });

  it("is silent once cancelled", async () => {
    const { told, cancel } = follow([[node("sm", "in_sync")]]);
    cancel();
    await settled();
    expect(told).toEqual([]);
  });
});

describe("readReplicas", () => {
  it("does not wait for what was never deployed", () => {
    const absent = { ...node("presence", "unreachable"), version: null };
    expect(readReplicas([node("sm", "in_sync"), absent], 300, false)).toMatchObject({ there: ["sm"], waiting: [], done: true });
  });

  it("has nothing to wait for without call servers", () => {
    expect(readReplicas([], 300, false)).toEqual({ there: [], waiting: [], after_ms: 300, done: true });
  });
});
