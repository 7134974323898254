/** The REST API as typed calls; types come from the OpenAPI document (npm run types). */
import createClient from "openapi-fetch";
import { toProblem, unreachable, type Problem } from "../lib/remote";
import { batching } from "./batch";
import { takeEarly } from "./early";
import type { components, paths } from "./schema";

export type Vm = components["schemas"]["vm"];
export type Session = components["schemas"]["session"];
export type Task = components["schemas"]["task"];
export type Alarm = components["schemas"]["alarm"];

export type { Problem };
export type Result<T> =
  | { ok: true; value: T; etag?: string | undefined; location?: string | undefined }
  | { ok: false; problem: Problem };

/** What `?dry_run=true` answers. */
export interface Plan {
  plan: { action: string; target: string; detail: string }[];
  warnings: { code: string; detail: string }[];
}

let csrfToken = "";
let sessionLost: () => void = () => undefined;
let answered: (at: number) => void = () => undefined;

/** The token that every change must carry; it lives in memory only. */
export function useCsrfToken(token: string): void {
  csrfToken = token;
}

/** Called when the appliance no longer knows the session. */
export function onSessionLost(handler: () => void): void {
  sessionLost = handler;
}

/** Called whenever the appliance took a request as ours: the session's idle time begins anew. */
export function onAnswered(handler: (at: number) => void): void {
  answered = handler;
}

const batched = batching();
export const client = createClient<paths>({ baseUrl: "/", fetch: (request) => takeEarly(request) ?? batched(request) });

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

/** Await a call of `client`: a value or a problem, never an exception. */
export async function settle<T>(call: Promise<Answer<T>>): Promise<Result<T>> {
  const asked = Date.now();
  try {
    const { data, error, response } = await call;
    if (response.ok) {
      answered(asked);
      const etag = response.headers.get("ETag") ?? undefined;
      const location = response.headers.get("Location") ?? undefined;
      return { ok: true, value: data as T, etag, location };
    }
    const problem = toProblem(response.status, error);
    if (response.status === 401 && problem.code === "unauthenticated") sessionLost();
    return { ok: false, problem };
  } catch {
    return { ok: false, problem: unreachable() };
  }
}
