/** What is asked of the appliance about machines. A plan is the same request with `dry_run`. */
import { client, settle, type Plan, type Result } from "../../api/client";
import type { Task } from "../../lib/task";
import type { Vm, VmAction } from "./condition";
import type { Sizes, Template } from "./settings";

/** A change answers its plan when only that was asked for: the document says both, the query decides. */
export async function planned(call: Promise<Result<unknown>>): Promise<Result<Plan>> {
  const result = await call;
  return result.ok ? { ...result, value: result.value as Plan } : result;
}

export function act(vm: string, action: VmAction): Promise<Result<Task>> {
  return asTask(settle(client.POST("/api/v1/vms/{vm}/actions/{action}", { params: { path: { vm, action } } })));
}

export function planAct(vm: string, action: VmAction): Promise<Result<Plan>> {
  const params = { path: { vm, action }, query: { dry_run: true } };
  return planned(settle(client.POST("/api/v1/vms/{vm}/actions/{action}", { params })));
}

export interface Deployment {
  template: string;
  name?: string;
  address?: string;
  cpus?: number;
  memory_mib?: number;
}

export function deploy(body: Deployment): Promise<Result<Task>> {
  return asTask(settle(client.POST("/api/v1/vms", { body })));
}

export function planDeploy(body: Deployment): Promise<Result<Plan>> {
  return planned(settle(client.POST("/api/v1/vms", { body, params: { query: { dry_run: true } } })));
}

export function remove(vm: string, purge: boolean): Promise<Result<unknown>> {
  return settle(client.DELETE("/api/v1/vms/{vm}", { params: { path: { vm }, query: { purge } } }));
}

export function planRemove(vm: string, purge: boolean): Promise<Result<Plan>> {
  return planned(settle(client.DELETE("/api/v1/vms/{vm}", { params: { path: { vm }, query: { purge, dry_run: true } } })));
}

export function getVm(vm: string): Promise<Result<Vm>> {
  return settle(client.GET("/api/v1/vms/{vm}", { params: { path: { vm } } }));
}

export async function changeVm(vm: string, body: Partial<Sizes>, etag: string): Promise<Result<Vm>> {
  const headers = { "If-Match": etag };
  const result = await settle(client.PATCH("/api/v1/vms/{vm}", { params: { path: { vm } }, headers, body }));
  return result.ok ? { ...result, value: result.value as Vm } : result;
}

export async function getTemplates(): Promise<Result<Template[]>> {
  const result = await settle(client.GET("/api/v1/templates", { params: { query: { limit: 500 } } }));
  return result.ok ? { ...result, value: result.value.items } : result;
}

async function asTask(call: Promise<Result<unknown>>): Promise<Result<Task>> {
  const result = await call;
  return result.ok ? { ...result, value: result.value as Task } : result;
}
