/** Several people deleted as one act: what would happen, and doing it, a few at a time. */
import type { Plan, Problem, Result } from "../../api/client";

/** The appliance serves four at once without others waiting. */
const AT_ONCE = 4;
/** More lines than these nobody reads. */
const SHOWN = 12;

async function forEach<T>(all: readonly string[], act: (handle: string) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  async function worker(): Promise<void> {
    for (let i = next++; i < all.length; i = next++) results[i] = await act(all[i] ?? "");
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}

/** One plan of many: a line a person, equal warnings once, the rest of a long list as a number. */
export async function planTogether(
  handles: readonly string[],
  plan: (handle: string) => Promise<Result<Plan>>,
  rest: (n: number) => string,
): Promise<Result<Plan>> {
  const answers = await forEach(handles, plan);
  const steps: Plan["plan"] = [];
  const warnings = new Map<string, Plan["warnings"][number]>();
  for (const [i, answer] of answers.entries()) {
    // Whoever is gone already needs no deletion.
    if (!answer.ok && answer.problem.status === 404) continue;
    if (!answer.ok) return answer;
    steps.push({ action: "delete", target: handles[i] ?? "", detail: answer.value.plan.map((each) => each.detail).join(" · ") });
    for (const each of answer.value.warnings) warnings.set(each.detail, each);
  }
  const shown = steps.slice(0, SHOWN);
  if (steps.length > SHOWN) shown.push({ action: "delete", target: "…", detail: rest(steps.length - SHOWN) });
  return { ok: true, value: { plan: shown, warnings: [...warnings.values()].slice(0, SHOWN) } };
}

export interface Deleted {
  done: string[];
  failed: { handle: string; problem: Problem }[];
}

export async function deleteTogether(
  handles: readonly string[],
  remove: (handle: string) => Promise<Result<unknown>>,
): Promise<Deleted> {
  const out: Deleted = { done: [], failed: [] };
  await forEach(handles, async (handle) => {
    const answer = await remove(handle);
    if (answer.ok || answer.problem.status === 404) out.done.push(handle);
    else out.failed.push({ handle, problem: answer.problem });
  });
  return out;
}
