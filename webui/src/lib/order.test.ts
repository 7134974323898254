import { expect, it } from "vitest";
import { textual } from "./order";

it("orders instants", () => {
  const at = ["2026-11-22T07:00:00Z", "2025-01-01T00:00:00Z", "2026-11-22T07:00:00Z", "2026-11-22T07:00:00.5Z"];
  expect([...at].sort(textual)).toEqual([at[1], at[3], at[0], at[2]]);
  expect(textual("a", "a")).toBe(0);
});
