/** How a person's fields are worded. */
import type { FieldValue } from "../../lib/conflict";
import { say } from "../../lib/i18n";
import type { InForce } from "./in_force";
import type { PersonForm, Presence } from "./form";

export function presenceWord(presence: Presence): string {
  return say(`people.presence_${presence}`);
}

export function fieldLabels(): Readonly<Record<keyof PersonForm, string>> {
  return {
    name: say("people.name"),
    handle: say("people.handle"),
    location: say("people.location"),
    sip: say("people.sip_has"),
    max_contacts: say("people.max_contacts"),
    sequence: say("people.sequence"),
    station: say("people.station_has"),
    extension: say("people.extension"),
    appearances: say("people.appearances"),
    restrict_last: say("people.restrict_last"),
    presence: say("people.presence"),
  };
}

/** A field's value where two are compared. */
export function fieldInWords(field: string, value: FieldValue): string {
  if (typeof value === "boolean") return say(value ? "frame.yes" : "frame.no");
  if (field === "presence" && (value === "on" || value === "off" || value === "none")) return presenceWord(value);
  if (field === "sequence" && value === "") return say("people.sequence_default");
  if (field === "location" && value === "") return say("people.location_none");
  return String(value ?? "");
}

const names = (nodes: readonly string[]): string => nodes.join(", ");

export function inForceWords({ there, waiting, after_ms }: InForce): string {
  if (there.length === 0 && waiting.length === 0) return say("people.in_force_none");
  if (there.length === 0) return say("people.in_force_nowhere", { waiting: names(waiting) });
  if (waiting.length > 0) return say("people.in_force_waiting", { nodes: names(there), waiting: names(waiting) });
  return say("people.in_force", { nodes: names(there), seconds: after_ms / 1000 });
}
