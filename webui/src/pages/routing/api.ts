/** What these pages ask of the appliance: the same five calls for every kind of rows, and the test of a route. */
import { client, settle, type Plan, type Result } from "../../api/client";
import type { ListQuery, Page } from "../../lib/collection.svelte";
import type { components } from "../../api/schema";
import type { Kind } from "./kinds";
import type { RouteAnswer, RouteQuestion } from "./path";
import type { Draft } from "./values";

export type Firewall = components["schemas"]["firewall"];

/** Any row: its members are those of its kind in `kinds`, and what every resource has. */
export type Row = Draft & { id: string };

/** The document types each kind of its own; the table of kinds knows them by their names alone. */
type Any = "/api/v1/uc/domains";
type One = "/api/v1/uc/domains/{domain}";
const all = (kind: Kind): Any => `/api/v1/uc/${kind}` as Any;
const one = (kind: Kind, id: string): One => `/api/v1/uc/${kind}/${encodeURIComponent(id)}` as One;

const MOST = 500;
const ROWS = 5000;

export async function listRows(kind: Kind, query: ListQuery): Promise<Result<Page<Row>>> {
  return (await settle<unknown>(client.GET(all(kind), { params: { query } }))) as Result<Page<Row>>;
}

export async function getRow(kind: Kind, id: string): Promise<Result<Row>> {
  return (await settle<unknown>(client.GET(one(kind, id), { params: { path: { domain: id } } }))) as Result<Row>;
}

export async function createRow(kind: Kind, body: Draft): Promise<Result<Row>> {
  return (await settle<unknown>(client.POST(all(kind), { body: body as never }))) as Result<Row>;
}

export async function patchRow(kind: Kind, id: string, body: Draft, etag: string): Promise<Result<Row>> {
  const headers = { "Content-Type": "application/merge-patch+json", "If-Match": etag };
  return (await settle<unknown>(client.PATCH(one(kind, id), { params: { path: { domain: id } }, body: body as never, headers }))) as Result<Row>;
}

export function deleteRow(kind: Kind, id: string): Promise<Result<unknown>> {
  return settle<unknown>(client.DELETE(one(kind, id), { params: { path: { domain: id } } }));
}

export async function planDeletion(kind: Kind, id: string): Promise<Result<Plan>> {
  const params = { path: { domain: id }, query: { dry_run: true } };
  return (await settle<unknown>(client.DELETE(one(kind, id), { params }))) as Result<Plan>;
}

/** The names of all rows of a kind, to choose from. */
export async function namesOf(kind: Kind): Promise<Result<string[]>> {
  const names: string[] = [];
  let cursor: string | undefined;
  do {
    const query = { limit: MOST, sort: "name", ...(cursor !== undefined && { cursor }) };
    const result = await listRows(kind, query as unknown as ListQuery);
    if (!result.ok) return result;
    names.push(...result.value.items.map((row) => String(row.name)));
    cursor = result.value.next_cursor ?? undefined;
  } while (cursor !== undefined && names.length < ROWS);
  return { ok: true, value: names };
}

export async function getSettings(): Promise<Result<Draft>> {
  return (await settle<unknown>(client.GET("/api/v1/uc/settings"))) as Result<Draft>;
}

export async function patchSettings(body: Draft, etag: string): Promise<Result<Draft>> {
  const headers = { "Content-Type": "application/merge-patch+json", "If-Match": etag };
  return (await settle<unknown>(client.PATCH("/api/v1/uc/settings", { body: body as never, headers }))) as Result<Draft>;
}

export function getFirewall(): Promise<Result<Firewall>> {
  return settle(client.GET("/api/v1/uc/firewall"));
}

export function releaseAddress(address: string): Promise<Result<unknown>> {
  return settle<unknown>(client.POST("/api/v1/uc/firewall/actions/release", { body: { address } }));
}

export async function testRoute(question: RouteQuestion): Promise<Result<RouteAnswer>> {
  return (await settle<unknown>(client.POST("/api/v1/uc/route-test", { body: question as never }))) as Result<RouteAnswer>;
}
