/** The audit's actions in words. The daemon writes METHOD and pattern ("PATCH vms/{vm}") or a verb of its own. */
import type { Query } from "../../lib/collection.svelte";
import type { ApplianceEvent } from "../../lib/events";
import type { AuditRow } from "./api";

const known = {
  login: "login",
  logout: "logout",
  change_password: "change_password",
  bootstrap: "bootstrap",
  "POST session": "login",
  "POST session/password": "change_password",
  "DELETE session": "logout",
  "POST tokens": "create_token",
  "DELETE tokens/{id}": "revoke_token",
  "POST admins": "create_admin",
  "PATCH admins/{admin}": "change_admin",
  "DELETE admins/{admin}": "remove_admin",
  "PATCH appliance": "change_appliance",
  "POST vms": "deploy_vm",
  "PATCH vms/{vm}": "change_vm",
  "DELETE vms/{vm}": "remove_vm",
  "POST vms/{vm}/actions/{action}": "power_vm",
  "POST tasks/{id}/actions/cancel": "cancel_task",
  "POST alarms/{id}/actions/acknowledge": "acknowledge",
  "POST uc/users": "create_user",
  "PATCH uc/users/{user}": "change_user",
  "DELETE uc/users/{user}": "remove_user",
  "POST setup/plan": "plan_setup",
  "POST setup/apply": "apply_setup",
} as const;

export type ActionWord = (typeof known)[keyof typeof known] | "start_vm" | "shutdown_vm" | "stop_vm" | "restart_vm";

const power: Record<string, ActionWord> = {
  start: "start_vm",
  shutdown: "shutdown_vm",
  stop: "stop_vm",
  restart: "restart_vm",
};

/** The action of a row in a word of the catalogue; undefined: only the raw one is known. */
export function actionWord(action: string, target: string): ActionWord | undefined {
  if (!Object.hasOwn(known, action)) return undefined;
  const word = known[action as keyof typeof known];
  if (word !== "power_vm") return word;
  return power[target.split("/").pop() ?? ""] ?? word;
}

/** What one can filter by: each action once, by its raw name. */
export const filterable: { action: string; word: ActionWord }[] = Object.entries(known)
  .filter(([action]) => !["POST session", "POST session/password", "DELETE session"].includes(action))
  .map(([action, word]) => ({ action, word }));

/** The results worth a filter of their own; the API takes any other code too. */
export const results = [
  "ok", "invalid_credentials", "too_many_requests", "forbidden", "csrf_failed", "validation_failed",
  "state_conflict", "precondition_failed", "name_taken", "not_found", "resources_exhausted",
  "unavailable", "internal",
] as const;
export type ResultCode = (typeof results)[number];

/** Results that say that it could not be done, not that it must not. */
const failures = new Set(["internal", "unavailable", "disk_full"]);

export function outcomeOf(result: string): "done" | "refused" | "failed" {
  if (result === "ok") return "done";
  return failures.has(result) ? "failed" : "refused";
}

export function isResult(text: string): text is ResultCode {
  return (results as readonly string[]).includes(text);
}

/** Where a target can be looked at: "vms/sm" is a page of the console. */
export function targetPage(target: string): string | undefined {
  const [room, name, more] = target.split("/");
  if (room === "vms" && name) return `/machines/${encodeURIComponent(name)}`;
  if (room === "uc" && name === "users" && more) return `/people/${encodeURIComponent(more)}`;
  if (room === "tasks" && name) return `/system/tasks/${encodeURIComponent(name)}`;
  return undefined;
}

/** What narrows the list, by the names of the API: they stand in the address as they are. */
export const filterNames = ["actor", "action", "target", "result", "at.gte", "at.lt"] as const;

export const periods = ["all", "hour", "day", "week", "month", "own"] as const;
export type Period = (typeof periods)[number];

const HOUR = 3600 * 1000;
const lengths: Partial<Record<Period, number>> = { hour: HOUR, day: 24 * HOUR, week: 7 * 24 * HOUR, month: 30 * 24 * HOUR };

/** When a period that ends now began, to the minute; undefined: without a beginning. */
export function sinceOf(period: Period, now: number): string | undefined {
  const length = lengths[period];
  return length === undefined ? undefined : new Date(Math.floor((now - length) / 60000) * 60000).toISOString();
}

/** Does this moment still say what that period said when it was picked a while ago? */
export function periodOf(from: string, period: Period, now: number): boolean {
  const length = lengths[period];
  if (length === undefined) return false;
  const late = now - length - Date.parse(from);
  return late >= 0 && late < length / 10 + 60000;
}

function isRow(value: unknown): value is AuditRow {
  return typeof value === "object" && value !== null && "id" in value && "at" in value && "action" in value;
}

/** The list with a new row on top; undefined: what narrows or turns it must be asked of the appliance. */
export function afterAudit(items: AuditRow[], event: ApplianceEvent, query: Query): AuditRow[] | undefined {
  if (event.type !== "audit.added" || !isRow(event.data)) return items;
  const { id } = event.data;
  if (query.q !== "" || query.sort !== "" || Object.keys(query.filters).length > 0) return undefined;
  return items.some((row) => row.id === id) ? items : [event.data, ...items];
}
