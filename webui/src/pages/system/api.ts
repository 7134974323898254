/** What the pages of System ask of the appliance. */
import { client, settle, type Plan, type Result } from "../../api/client";
import type { components } from "../../api/schema";
import type { ListQuery, Page } from "../../lib/collection.svelte";
import type { Problem } from "../../lib/remote";

export type Admin = components["schemas"]["admin"];
export type AdminSpec = components["schemas"]["admin_spec"];
export type AdminPatch = components["schemas"]["admin_patch"];
export type Token = components["schemas"]["token"];
export type NewToken = components["schemas"]["token_new"];
export type TokenSpec = components["schemas"]["token_spec"];
export type AuditRow = components["schemas"]["audit"];
export type AppliancePage = components["schemas"]["appliance"];

/** With `dry_run` a change answers its plan, which the document's own answer does not say. */
async function planOf(call: Promise<Result<unknown>>): Promise<Result<Plan>> {
  return (await call) as Result<Plan>;
}

/** How an administrator is named in a path: by name, so that the audit reads well, where a path can hold it. */
export function keyOf(admin: Pick<Admin, "id" | "name">): string {
  return /^[\p{L}\p{N}._@-]*[\p{L}\p{N}_@-]$/u.test(admin.name) && admin.name !== "new" ? admin.name : admin.id;
}

export function listAdmins(query: ListQuery): Promise<Result<Page<Admin>>> {
  return settle(client.GET("/api/v1/admins", { params: { query } }));
}

export function getAdmin(admin: string): Promise<Result<Admin>> {
  return settle(client.GET("/api/v1/admins/{admin}", { params: { path: { admin } } }));
}

export function createAdmin(body: AdminSpec): Promise<Result<Admin>> {
  return settle(client.POST("/api/v1/admins", { body }));
}

export function changeAdmin(admin: string, etag: string, body: AdminPatch): Promise<Result<Admin>> {
  return settle(client.PATCH("/api/v1/admins/{admin}", { params: { path: { admin } }, body, headers: { "If-Match": etag } }));
}

export function planRemoval(admin: string): Promise<Result<Plan>> {
  return planOf(settle(client.DELETE("/api/v1/admins/{admin}", { params: { path: { admin }, query: { dry_run: true } } })));
}

export function removeAdmin(admin: string): Promise<Result<unknown>> {
  return settle(client.DELETE("/api/v1/admins/{admin}", { params: { path: { admin } } }));
}

export function listTokens(query: ListQuery): Promise<Result<Page<Token>>> {
  return settle(client.GET("/api/v1/tokens", { params: { query } }));
}

export function createToken(body: TokenSpec): Promise<Result<NewToken>> {
  return settle(client.POST("/api/v1/tokens", { body }));
}

export function planRevocation(id: string): Promise<Result<Plan>> {
  return planOf(settle(client.DELETE("/api/v1/tokens/{id}", { params: { path: { id }, query: { dry_run: true } } })));
}

export function revokeToken(id: string): Promise<Result<unknown>> {
  return settle(client.DELETE("/api/v1/tokens/{id}", { params: { path: { id } } }));
}

export function listAudit(query: ListQuery): Promise<Result<Page<AuditRow>>> {
  return settle(client.GET("/api/v1/audit", { params: { query } }));
}

export function getAppliance(): Promise<Result<AppliancePage>> {
  return settle(client.GET("/api/v1/appliance"));
}

/** The API's own description, or undefined inside where it is none. */
export function getDocument(): Promise<Result<unknown>> {
  return settle(client.GET("/api/v1/openapi.json") as Promise<{ data?: unknown; error?: unknown; response: Response }>);
}

/** A file of the console's own, beside its scripts. */
export async function getFile(path: string): Promise<Result<unknown>> {
  return settle(
    fetch(path).then(async (response) => ({ response, data: response.ok ? ((await response.json()) as unknown) : undefined })),
  );
}

/** The 409 of the last administrator is told in words of this page. */
export function isLastAdmin(problem: Problem): boolean {
  return problem.status === 409 && problem.code === "state_conflict";
}
