/** What the first run asks of the appliance. */
import { client, settle, type Result } from "../../api/client";
import type { components } from "../../api/schema";
import type { Task } from "../../lib/task";
import type { WishBody } from "./wish";

export type Setup = components["schemas"]["setup"];
export type SetupPlan = components["schemas"]["setup_plan"];

export function getSetup(): Promise<Result<Setup>> {
  return settle(client.GET("/api/v1/setup"));
}

/** Changes nothing. */
export function planSetup(body: WishBody): Promise<Result<SetupPlan>> {
  return settle(client.POST("/api/v1/setup/plan", { body }));
}

export async function applySetup(body: WishBody & { finished?: boolean }): Promise<Result<Task>> {
  const result = await settle(client.POST("/api/v1/setup/apply", { body }));
  return result.ok ? { ...result, value: result.value as Task } : result;
}
