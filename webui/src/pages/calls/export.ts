/** The records that a list shows, all pages of them, as CSV. */
import { client, settle, type Result } from "../../api/client";
import type { ListQuery, Query } from "../../lib/collection.svelte";
import { say } from "../../lib/i18n";
import type { Cdr } from "./call";
import { toCsv } from "../../lib/csv";
import { resultWord } from "./words";

const PAGE = 500;
const MOST = 20000;

/** Every record that the query finds, at most 20,000; `cut` when there are more. */
export async function fetchAll(query: Query): Promise<Result<{ records: Cdr[]; cut: boolean }>> {
  const records: Cdr[] = [];
  let cursor: string | null = null;
  do {
    const { q, sort, filters } = query;
    const asked: Record<string, unknown> = { ...filters, limit: PAGE, ...(q && { q }), ...(sort && { sort }), ...(cursor && { cursor }) };
    const result = await settle(client.GET("/api/v1/uc/cdr", { params: { query: asked as ListQuery } }));
    if (!result.ok) return result;
    records.push(...result.value.items);
    cursor = result.value.next_cursor;
  } while (cursor !== null && records.length < MOST);
  return { ok: true, value: { records, cut: cursor !== null } };
}

export function exportRecords(records: Cdr[]): string {
  const head = [
    say("calls.started"), say("calls.csv_answered"), say("calls.csv_ended"), say("calls.caller"), say("calls.callee"),
    say("calls.result"), say("calls.talked"), say("calls.csv_status"), say("calls.csv_gsid"),
  ];
  const rows = records.map((r) => [
    r.started_at, r.answered_at, r.ended_at, r.caller, r.callee, resultWord(r.result), r.duration_s, r.sip_status, r.gsid,
  ]);
  return toCsv(head, rows);
}
