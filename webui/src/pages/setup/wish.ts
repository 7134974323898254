/** The first run's wish: what the steps gather, what is kept, and the order of the steps. Pure. */

export type StepName = "name" | "components" | "people" | "plan" | "call";
export const steps: readonly StepName[] = ["name", "components", "people", "plan", "call"];

/** The step that the address names; anything else is the one where there is still something to do. */
export function stepOf(asked: string | null, state: SetupState | undefined): StepName {
  const named = steps.find((step) => step === asked);
  return named ?? firstOpen(state);
}

export interface SetupState {
  state: "fresh" | "in_progress" | "done";
  steps: readonly { name: string; state: string }[];
}

/** Where one left off: the first part of the appliance that is not there yet. */
export function firstOpen(state: SetupState | undefined): StepName {
  const open = state?.steps.find((step) => step.state !== "done")?.name;
  if (open === "components" || open === "people" || open === "call") return open;
  return open === undefined && state !== undefined && state.steps.length > 0 ? "call" : "name";
}

export function after(step: StepName): StepName | undefined {
  return steps[steps.indexOf(step) + 1];
}

export function before(step: StepName): StepName | undefined {
  return steps[steps.indexOf(step) - 1];
}

export interface Needs {
  name: string;
  requires: readonly string[];
}

/** What is chosen and all that it needs, in the catalogue's order. */
export function withNeeds(chosen: readonly string[], catalogue: readonly Needs[]): string[] {
  const wanted = new Set<string>();
  const add = (name: string): void => {
    if (wanted.has(name)) return;
    wanted.add(name);
    catalogue.find((each) => each.name === name)?.requires.forEach(add);
  };
  chosen.forEach(add);
  return catalogue.map((each) => each.name).filter((name) => wanted.has(name));
}

/** What is chosen without `name` and all that needs it. */
export function without(name: string, chosen: readonly string[], catalogue: readonly Needs[]): string[] {
  return chosen.filter((each) => !withNeeds([each], catalogue).includes(name));
}

export interface Person {
  handle: string;
  name: string;
  password: string;
}

export type PersonFault = "handleMissing" | "handleOdd" | "handleTwice" | "nameMissing";

/** What is wrong with each line; an empty line is no person and has no fault. */
export function faults(people: readonly Person[]): (PersonFault | undefined)[] {
  return people.map((person, i) => {
    const handle = person.handle.trim();
    if (handle === "" && person.name.trim() === "") return undefined;
    if (handle === "") return "handleMissing";
    if (!/^[A-Za-z0-9._+-]{1,64}$/.test(handle)) return "handleOdd";
    if (people.findIndex((other) => other.handle.trim() === handle) !== i) return "handleTwice";
    return person.name.trim() === "" ? "nameMissing" : undefined;
  });
}

/** Only those with a handle; spaces around are nobody's. */
export function named(people: readonly Person[]): Person[] {
  return people
    .map((person) => ({ ...person, handle: person.handle.trim(), name: person.name.trim() }))
    .filter((person) => person.handle !== "");
}

export interface Wish {
  name: string;
  timeZone: string;
  components: readonly string[];
  people: readonly Person[];
}

export interface WishBody {
  name?: string;
  time_zone?: string;
  components?: string[];
  people?: Person[];
}

/** What is sent. A name that is as it was is sent too: then it was chosen, and stays when the host's changes. */
export function body(wish: Wish): WishBody {
  const sent: WishBody = {};
  if (wish.name.trim() !== "") sent.name = wish.name.trim();
  if (wish.timeZone !== "") sent.time_zone = wish.timeZone;
  if (wish.components.length > 0) sent.components = [...wish.components];
  const people = named(wish.people);
  if (people.length > 0) sent.people = people;
  return sent;
}

/** Seconds by which the appliance's clock is ahead of the browser's; the answer travelled for `tripMs`. */
export function clockDifference(applianceNow: string, browserNow: number, tripMs = 0): number {
  return Math.round((Date.parse(applianceNow) + tripMs / 2 - browserNow) / 100) / 10;
}

/** Less than this no telephone and no certificate minds. */
export const CLOCK_TOLERANCE_S = 5;

/** Time zones by the part before the slash, as a list to choose from shows them. */
export function zoneGroups(zones: readonly string[]): { area: string; zones: string[] }[] {
  const groups = new Map<string, string[]>();
  for (const zone of zones) {
    const area = zone.includes("/") ? zone.slice(0, zone.indexOf("/")) : "";
    groups.set(area, [...(groups.get(area) ?? []), zone]);
  }
  return [...groups].map(([area, found]) => ({ area, zones: found })).sort((a, b) => a.area.localeCompare(b.area));
}

/** The people whose line in the plan says that they exist: their passwords are not ours to show. */
export function keptHandles(plan: readonly { action: string; target: string }[]): string[] {
  const prefix = "uc/users/";
  return plan.flatMap((each) => (each.action === "keep" && each.target.startsWith(prefix) ? [each.target.slice(prefix.length)] : []));
}

/** What to type on the appliance; only what differs from the command's own defaults is said. */
export function demoLine(caller: string, callee: string, server: string, domain: string): string {
  const parts = ["packaging/demo-call", "--ask", caller, callee];
  if (server !== "" && server !== "10.77.0.11") parts.push("--server", server);
  if (domain !== "" && domain !== "aurabox.internal") parts.push("--domain", domain);
  return parts.map((part) => (/^[A-Za-z0-9._+/:-]+$/.test(part) ? part : `'${part.replaceAll("'", "'\\''")}'`)).join(" ");
}
