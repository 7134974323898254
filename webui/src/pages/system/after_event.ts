/** A list after an event about one of its rows; undefined: the appliance must be asked (order, search, pages). */
import type { ApplianceEvent } from "../../lib/live.svelte";

export function afterEvent<T extends { id: string }>(items: T[], event: ApplianceEvent): T[] | undefined {
  if (event.type.endsWith(".deleted")) {
    const left = items.filter((item) => item.id !== event.subject);
    return left.length === items.length ? items : left;
  }
  return undefined;
}
