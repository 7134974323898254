/** The REST API as typed calls; types come from the OpenAPI document (npm run types). */
import createClient from "openapi-fetch";
import { toProblem, unreachable, type Problem } from "../lib/remote";
import type { components, paths } from "./schema";

export type Vm = components["schemas"]["vm"];
export type Session = components["schemas"]["session"];
export type Task = components["schemas"]["task"];

export type Result<T> = { ok: true; value: T } | { ok: false; problem: Problem };

const client = createClient<paths>({ baseUrl: "/" });
let csrfToken = "";
let sessionLost: () => void = () => undefined;

/** Called when the appliance no longer knows the session. */
export function onSessionLost(handler: () => void): void {
  sessionLost = handler;
}

client.use({
  onRequest({ request }) {
    if (csrfToken && request.method !== "GET") request.headers.set("X-CSRF-Token", csrfToken);
    return request;
  },
});

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

async function settle<T>(call: Promise<Answer<T>>): Promise<Result<T>> {
  try {
    const { data, error, response } = await call;
    if (response.ok) return { ok: true, value: data as T };
    const problem = toProblem(response.status, error);
    if (response.status === 401 && problem.code === "unauthenticated") sessionLost();
    return { ok: false, problem };
  } catch {
    return { ok: false, problem: unreachable() };
  }
}

function keepToken(result: Result<Session>): Result<Session> {
  if (result.ok) csrfToken = result.value.csrf_token ?? "";
  return result;
}

export async function logIn(name: string, password: string): Promise<Result<Session>> {
  return keepToken(await settle(client.POST("/api/v1/session", { body: { name, password } })));
}

export async function whoAmI(): Promise<Result<Session>> {
  return keepToken(await settle(client.GET("/api/v1/session")));
}

export async function logOut(): Promise<Result<unknown>> {
  return settle(client.DELETE("/api/v1/session"));
}

export async function changePassword(oldPassword: string, newPassword: string): Promise<Result<unknown>> {
  const body = { old_password: oldPassword, new_password: newPassword };
  return settle(client.POST("/api/v1/session/password", { body }));
}

export async function listVms(): Promise<Result<Vm[]>> {
  const result = await settle(client.GET("/api/v1/vms", { params: { query: { limit: 500 } } }));
  return result.ok ? { ok: true, value: result.value.items } : result;
}

export type VmAction = "start" | "shutdown";

/** Ask for the action; the task of the answer ends when it is done. */
export async function actOnVm(vm: string, action: VmAction): Promise<Result<Task>> {
  const path = { vm, action };
  return settle(client.POST("/api/v1/vms/{vm}/actions/{action}", { params: { path } }));
}
