/** What an event says of the phones that are registered. Pure. */
import type { ApplianceEvent } from "../../lib/events";
import type { Registration } from "./user";

/** The registration that came, changed or went; undefined: the event does not tell, read anew. */
export function registrationOf(event: ApplianceEvent): { registration: Registration; there: boolean } | undefined {
  if (event.type !== "registration.changed" && event.type !== "registration.deleted") return undefined;
  const data = event.data as Partial<Registration> | null;
  if (typeof data?.handle !== "string" || typeof data.contact !== "string") return undefined;
  return { registration: data as Registration, there: event.type === "registration.changed" };
}

/** The phones of one person after the event, in the order of their contacts. */
export function applyToOne(handle: string, list: Registration[], event: ApplianceEvent): Registration[] | undefined {
  const told = registrationOf(event);
  if (!told) return undefined;
  const { registration, there } = told;
  if (registration.handle !== handle) return list;
  const others = list.filter((each) => each.contact !== registration.contact);
  if (!there) return others;
  return [...others, registration].sort((a, b) => (a.contact < b.contact ? -1 : 1));
}
