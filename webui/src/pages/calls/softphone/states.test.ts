import { describe, expect, it } from "vitest";
import { callRows, lineRows, nextCall, nextLine } from "./states";

describe.each([
  ["line", lineRows, "out"],
  ["call", callRows, "idle"],
] as const)("%s", (_, rows, first) => {
  it("says each thing once, and every state is reached", () => {
    const pairs = rows.map(([state, event]) => `${state} ${event}`);
    expect(new Set(pairs).size).toBe(pairs.length);
    const reached = new Set<string>([first]);
    for (let size = 0; size !== reached.size; ) {
      size = reached.size;
      for (const [from, , to] of rows) if (reached.has(from)) reached.add(to);
    }
    expect(new Set<string>(rows.flatMap(([from, , to]) => [from, to]))).toEqual(reached);
  });
});

it("what has no row changes nothing", () => {
  expect([nextLine("out", "registered"), nextLine("lost", "connected"), nextCall("idle", "over"), nextCall("talking", "incoming")]).toEqual(["out", "lost", "idle", "talking"]);
});
