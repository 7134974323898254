/** What the trace asks of the appliance. */
import { client, settle, type Result } from "../../../api/client";
import type { paths } from "../../../api/schema";
import type { Ladder, Message } from "./ladder";

type ListQuery = NonNullable<paths["/api/v1/uc/trace"]["get"]["parameters"]["query"]>;

/** What messages are found by; the names are those of the address bar and of the API alike. */
export const FILTERS = ["gsid", "user", "call_id", "address", "q", "node", "at.gte", "at.lt"] as const;
export type Filters = Readonly<Partial<Record<(typeof FILTERS)[number], string>>>;

/** As many as a ladder has at most. */
export const MOST = 5000;
/** What the page begins with, without anybody following; in pages of the API's size. */
const LIST = 1000;
const PAGE = 500;

export function filtersOf(query: URLSearchParams): Filters {
  return Object.fromEntries(FILTERS.flatMap((name) => (query.get(name) ? [[name, query.get(name) ?? ""]] : [])));
}

function queryOf(filters: Filters, more: Record<string, string> = {}): string {
  return new URLSearchParams({ ...filters, ...more }).toString();
}

export async function listMessages(filters: Filters): Promise<Result<Message[]>> {
  const all: Message[] = [];
  let cursor: string | null = null;
  do {
    const query = { ...filters, limit: PAGE, ...(cursor !== null && { cursor }) } as ListQuery;
    const result = await settle(client.GET("/api/v1/uc/trace", { params: { query } }));
    if (!result.ok) return result;
    all.push(...result.value.items);
    cursor = result.value.next_cursor;
  } while (cursor !== null && all.length < LIST);
  return { ok: true, value: all };
}

export function ladderOfCall(gsid: string): Promise<Result<Ladder>> {
  return settle(client.GET("/api/v1/uc/trace/{gsid}/ladder", { params: { path: { gsid } } }));
}

export function oneMessage(id: string): Promise<Result<Message>> {
  return settle(client.GET("/api/v1/uc/trace/messages/{id}", { params: { path: { id } } }));
}

export function followUrl(filters: Filters): string {
  return `/api/v1/uc/trace?${queryOf(filters, { follow: "true" })}`;
}

export function exportUrl(filters: Filters, format: "pcapng" | "txt" | "html"): string {
  const query = queryOf(filters);
  return `/api/v1/uc/trace/export.${format}${query && `?${query}`}`;
}
