/** The list of people after an event, so that what others do shows without asking again. Pure. */
import type { ApplianceEvent } from "../../lib/events";
import type { User } from "./user";

export interface Listed {
  q: string;
  sort: string;
  /** There is more than what is shown. */
  hasMore: boolean;
}

function userOf(event: ApplianceEvent): User | undefined {
  const data = event.data as Partial<User> | null;
  return typeof data?.id === "string" && typeof data.name === "string" && typeof data.handle === "string" ? (data as User) : undefined;
}

/** The appliance's own rule: a part of handle, name or extension, whatever the case. */
export function matches(user: User, q: string): boolean {
  const wanted = q.toLowerCase();
  return [user.handle, user.name, user.station?.extension ?? ""].some((text) => text.toLowerCase().includes(wanted));
}

function sortValue(user: User, sort: string): string {
  const by = sort.replace(/^-/, "").split(",")[0] ?? "";
  if (by === "name") return user.name;
  if (by === "extension") return user.station?.extension ?? "";
  if (by === "created_at") return user.created_at;
  if (by === "updated_at") return user.updated_at;
  return user.handle;
}

/** undefined: only a new reading tells where it belongs. */
export function applyUserEvent(items: User[], event: ApplianceEvent, list: Listed): User[] | undefined {
  const at = items.findIndex((each) => each.id === event.subject);
  if (event.type === "user.deleted") return at < 0 ? undefined : items.filter((each) => each.id !== event.subject);
  const user = userOf(event);
  if (!user) return undefined;
  const shown = items[at];
  if (!shown) return matches(user, list.q) ? insert(items, user, list) : items;
  if (!matches(user, list.q)) return items.filter((each) => each.id !== user.id);
  if (sortValue(user, list.sort) !== sortValue(shown, list.sort)) return undefined;
  return items.map((each) => (each.id === user.id ? user : each));
}

/** Handles stand in the order of their characters; other orders are the database's to know. */
function insert(items: User[], user: User, { sort, hasMore }: Listed): User[] | undefined {
  if (sort !== "" && sort !== "handle") return undefined;
  const before = items.findIndex((each) => each.handle > user.handle);
  if (before < 0) return hasMore ? undefined : [...items, user];
  return [...items.slice(0, before), user, ...items.slice(before)];
}
