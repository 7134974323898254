/** A person as a flat form, and the form as the body of POST and PATCH. Pure. */
import type { Values } from "../../lib/conflict";
import type { NewUser, User, UserPatch } from "./user";

export type Presence = "on" | "off" | "none";

export type PersonForm = {
  name: string;
  handle: string;
  /** Where the person belongs; empty: calls are routed by where the phone is. */
  location: string;
  /** Has a SIP identity: may register telephones. */
  sip: boolean;
  max_contacts: number | null;
  sequence: string;
  station: boolean;
  extension: string;
  appearances: number | null;
  restrict_last: boolean;
  presence: Presence;
};

/** Each field of the form by the JSON pointer under which the appliance speaks of it. */
export const pointers: Readonly<Record<string, keyof PersonForm | "password">> = {
  "/name": "name",
  "/handle": "handle",
  "/location": "location",
  "/password": "password",
  "/sip": "sip",
  "/sip/max_contacts": "max_contacts",
  "/sip/sequence": "sequence",
  "/station": "station",
  "/station/extension": "extension",
  "/station/appearances": "appearances",
  "/station/restrict_last_appearance": "restrict_last",
  "/presence": "presence",
  "/presence/enabled": "presence",
};

export type PersonTab = "identity" | "station" | "presence" | "phones" | "calls";

const TAB_OF: Readonly<Record<string, PersonTab>> = {
  station: "station",
  extension: "station",
  appearances: "station",
  restrict_last: "station",
  presence: "presence",
};

/** The tab on which a field stands: an error of it is shown there. */
export function tabOf(field: string): PersonTab {
  return TAB_OF[field] ?? "identity";
}

export function emptyForm(): PersonForm {
  return {
    name: "",
    handle: "",
    location: "",
    sip: true,
    max_contacts: 10,
    sequence: "",
    station: true,
    extension: "",
    appearances: 3,
    restrict_last: false,
    presence: "on",
  };
}

export function formOf(user: User): PersonForm {
  const empty = emptyForm();
  return {
    name: user.name,
    handle: user.handle,
    location: user.location ?? "",
    sip: user.sip !== null,
    max_contacts: user.sip?.max_contacts ?? empty.max_contacts,
    sequence: user.sip?.sequence ?? "",
    station: user.station !== null,
    extension: user.station?.extension ?? "",
    appearances: user.station?.appearances ?? empty.appearances,
    restrict_last: user.station?.restrict_last_appearance ?? false,
    presence: user.presence === null ? "none" : user.presence.enabled ? "on" : "off",
  };
}

/** Fields of a section that is left out say nothing: two forms without a station are alike. */
export function normal(form: PersonForm): PersonForm {
  const empty = emptyForm();
  const out = { ...form };
  if (!form.sip) Object.assign(out, { max_contacts: empty.max_contacts, sequence: "" });
  if (!form.station) Object.assign(out, { extension: "", appearances: empty.appearances, restrict_last: false });
  return out satisfies Values;
}

function sipOf(form: PersonForm): Exclude<UserPatch["sip"], undefined> {
  if (!form.sip) return null;
  return { max_contacts: form.max_contacts ?? 0, sequence: form.sequence === "" ? null : form.sequence };
}

function stationOf(form: PersonForm): Exclude<UserPatch["station"], undefined> {
  if (!form.station) return null;
  return {
    extension: form.extension.trim(),
    appearances: form.appearances ?? 0,
    restrict_last_appearance: form.restrict_last,
  };
}

function presenceOf(form: PersonForm): Exclude<UserPatch["presence"], undefined> {
  return form.presence === "none" ? null : { enabled: form.presence === "on" };
}

export function createBody(form: PersonForm, password: string): NewUser {
  const body: NewUser = {
    handle: form.handle.trim(),
    name: form.name.trim(),
    sip: sipOf(form),
    station: stationOf(form),
    presence: presenceOf(form),
  };
  if (form.location !== "") body.location = form.location;
  if (form.sip) body.password = password;
  return body;
}

/** The merge patch that makes `after` of `before`: a section goes whole or not at all. */
export function patchOf(before: PersonForm, after: PersonForm, password = ""): UserPatch {
  const [b, a] = [normal(before), normal(after)];
  const patch: UserPatch = {};
  if (a.name.trim() !== b.name) patch.name = a.name.trim();
  if (a.handle.trim() !== b.handle) patch.handle = a.handle.trim();
  if (a.location !== b.location) patch.location = a.location === "" ? null : a.location;
  if (password !== "") patch.password = password;
  if (differ(sipOf(b), sipOf(a))) patch.sip = sipOf(a);
  if (differ(stationOf(b), stationOf(a))) patch.station = stationOf(a);
  if (differ(presenceOf(b), presenceOf(a))) patch.presence = presenceOf(a);
  return patch;
}

function differ(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) !== JSON.stringify(b);
}

/** A handle or a SIP identity that there was not needs a password: what is kept of one binds the handle. */
export function needsPassword(before: PersonForm, after: PersonForm): boolean {
  return after.sip && (!before.sip || before.handle !== after.handle.trim());
}

/** The appliance keeps no password, so a change that voided one cannot be taken back. */
export function canUndo(before: PersonForm, after: PersonForm, password: string): boolean {
  return password === "" && before.handle === after.handle && !(before.sip && !after.sip);
}

/** A handle that is a number is also the extension, until somebody says otherwise. */
export function extensionFor(handle: string): string {
  return /^[0-9]{1,15}$/.test(handle.trim()) ? handle.trim() : "";
}

/** The handle after this one, for "create and add another": 3001 gives 3002, ada nothing. */
export function nextHandle(handle: string): string {
  const match = /^(.*?)([0-9]{1,15})$/.exec(handle);
  if (!match) return "";
  const [, head = "", digits = ""] = match;
  return head + String(Number(digits) + 1).padStart(digits.length, "0");
}
