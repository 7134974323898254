import { describe, expect, it } from "vitest";
import type { Plan, Result } from "../../api/client";
import { deleteTogether, planTogether } from "./deletion";

const handles = Array.from({ length: 20 }, (_, i) => String(3001 + i));
const failed = (status: number): Result<never> => ({ ok: false, problem: { status, code: "x", detail: "no" } });
const planOf = (handle: string): Promise<Result<Plan>> =>
  Promise.resolve({
    ok: true,
    value: { plan: [{ action: "delete", target: handle, detail: "goes" }], warnings: [{ code: "w", detail: "passwords are lost" }] },
  });

describe("planTogether", () => {
  it("is one plan in order, its length and warnings kept short", async () => {
    const result = await planTogether(handles, planOf, (n) => `${String(n)} more`);
    if (!result.ok) throw new Error("no plan");
    expect(result.value.plan.map((each) => each.target).slice(0, 2)).toEqual(["3001", "3002"]);
    expect(result.value.plan.at(-1)?.detail).toBe("8 more");
    expect(result.value.warnings).toHaveLength(1);
  });

  it("leaves out who is gone and stops at any other problem", async () => {
    const gone = await planTogether(["a", "b"], (h) => (h === "a" ? Promise.resolve(failed(404)) : planOf(h)), String);
    expect(gone.ok && gone.value.plan.map((each) => each.target)).toEqual(["b"]);
    expect((await planTogether(["a"], () => Promise.resolve(failed(403)), String)).ok).toBe(false);
  });
});

describe("deleteTogether", () => {
  it("asks for each once, a few at a time, and tells who stayed", async () => {
    let running = 0;
    let most = 0;
    const result = await deleteTogether(handles, async (handle) => {
      most = Math.max(most, ++running);
      await Promise.resolve();
      running--;
      return handle === "3005" ? failed(503) : handle === "3006" ? failed(404) : { ok: true, value: undefined };
    });
    expect(most).toBeLessThanOrEqual(4);
    expect(result.done).toHaveLength(19);
    expect(result.failed.map((each) => each.handle)).toEqual(["3005"]);
  });
});
