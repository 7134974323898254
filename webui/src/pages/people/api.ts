/** What these pages ask of the appliance. */
import { client, settle, type Plan, type Result } from "../../api/client";
import type { ListQuery, Page } from "../../lib/collection.svelte";
import type { NewUser, Registration, Replica, User, UserPatch } from "./user";

const PAGE = 500;

export function listUsers(query: ListQuery): Promise<Result<Page<User>>> {
  return settle(client.GET("/api/v1/uc/users", { params: { query } }));
}

/** `key` is the handle or the id. */
export function getUser(key: string): Promise<Result<User>> {
  return settle(client.GET("/api/v1/uc/users/{user}", { params: { path: { user: key } } }));
}

export function createUser(body: NewUser): Promise<Result<User>> {
  return settle(client.POST("/api/v1/uc/users", { body }));
}

export function patchUser(key: string, body: UserPatch, etag: string): Promise<Result<User>> {
  const headers = { "Content-Type": "application/merge-patch+json", "If-Match": etag };
  return settle(client.PATCH("/api/v1/uc/users/{user}", { params: { path: { user: key } }, body, headers }));
}

export function deleteUser(key: string): Promise<Result<unknown>> {
  return settle(client.DELETE("/api/v1/uc/users/{user}", { params: { path: { user: key } } }));
}

/** The document types what the deletion answers, not its plan. */
export async function planDeletion(key: string): Promise<Result<Plan>> {
  const params = { path: { user: key }, query: { dry_run: true } };
  return (await settle<unknown>(client.DELETE("/api/v1/uc/users/{user}", { params }))) as Result<Plan>;
}

export async function replication(): Promise<readonly Replica[] | undefined> {
  const result = await settle(client.GET("/api/v1/uc/replication"));
  return result.ok ? result.value.items : undefined;
}

/** All pages of a list, one after another. */
async function walk<T>(page: (cursor: string | undefined) => Promise<Result<Page<T>>>): Promise<Result<T[]>> {
  const all: T[] = [];
  let cursor: string | undefined;
  do {
    const result = await page(cursor);
    if (!result.ok) return result;
    all.push(...result.value.items);
    cursor = result.value.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return { ok: true, value: all };
}

export function allUsers(q: string, sort: string): Promise<Result<User[]>> {
  return walk((cursor) => {
    const query = { limit: PAGE, ...(q && { q }), ...(sort && { sort }), ...(cursor !== undefined && { cursor }) };
    return listUsers(query as unknown as ListQuery);
  });
}

export function registrationsOf(handle: string): Promise<Result<Registration[]>> {
  return walk((cursor) => {
    const query = { limit: PAGE, handle, ...(cursor !== undefined && { cursor }) };
    return settle(client.GET("/api/v1/uc/registrations", { params: { query } }));
  });
}

export function allRegistrations(): Promise<Result<Registration[]>> {
  return walk((cursor) => {
    const query = { limit: PAGE, ...(cursor !== undefined && { cursor }) };
    return settle(client.GET("/api/v1/uc/registrations", { params: { query } }));
  });
}
