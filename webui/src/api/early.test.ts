import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { askEarly, dropEarly, earlyWaits, takeEarly } from "./early";

const get = (path: string, method = "GET"): Request => new Request(`https://box.test${path}`, { method });

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("fetch", (target: string) => (target.includes("broken") ? Promise.reject(new Error("gone")) : Promise.resolve(Response.json({ target }))));
});
afterEach(() => {
  dropEarly();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

it("hands an answer to the first who asks the same, and to nobody else", async () => {
  void askEarly("/api/v1/uc/users?limit=50");
  expect(takeEarly(get("/api/v1/uc/users"))).toBeUndefined();
  expect(takeEarly(get("/api/v1/uc/users?limit=50", "DELETE"))).toBeUndefined();
  const answer = await takeEarly(get("/api/v1/uc/users?limit=50"));
  expect(await answer?.json()).toEqual({ target: "/api/v1/uc/users?limit=50" });
  expect(takeEarly(get("/api/v1/uc/users?limit=50"))).toBeUndefined();
});

it("forgets what nobody takes, and what was for somebody else", async () => {
  void askEarly("/api/v1/session");
  expect(earlyWaits()).toBe(true);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(earlyWaits()).toBe(false);
  void askEarly("/api/v1/session");
  dropEarly();
  expect(takeEarly(get("/api/v1/session"))).toBeUndefined();
});

it("fails for whoever takes it, silently for all others", async () => {
  askEarly("/api/v1/broken").catch(() => undefined);
  await expect(takeEarly(get("/api/v1/broken"))).rejects.toThrow("gone");
});
