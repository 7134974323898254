/** What may be changed of a machine, checked before it is sent; and what a deployment asks for. Pure. */
import type { components } from "../../api/schema";
import type { Vm } from "./condition";

export type Template = components["schemas"]["template"] ;

export interface Sizes {
  cpus: number;
  memory_mib: number;
}

/** What it will have after the next start: that is what a form edits. */
export function wanted(vm: Pick<Vm, "cpus" | "memory_mib" | "pending">): Sizes {
  return { cpus: vm.pending?.cpus ?? vm.cpus, memory_mib: vm.pending?.memory_mib ?? vm.memory_mib };
}

/** Only what differs is sent; undefined when nothing does. */
export function change(before: Sizes, after: Sizes): Partial<Sizes> | undefined {
  const body: Partial<Sizes> = {};
  if (after.cpus !== before.cpus) body.cpus = after.cpus;
  if (after.memory_mib !== before.memory_mib) body.memory_mib = after.memory_mib;
  return Object.keys(body).length > 0 ? body : undefined;
}

export interface Range {
  min: number;
  max: number;
}

export interface Limits {
  cpus: Range;
  memory_mib: Range;
}

const WIDEST: Limits = { cpus: { min: 1, max: 64 }, memory_mib: { min: 96, max: 1048576 } };

/** What the template allows; without one, what the API does. */
export function limitsOf(template: Pick<Template, "limits"> | undefined): Limits {
  const l = template?.limits;
  if (!l) return WIDEST;
  return { cpus: { min: l.cpus_min, max: l.cpus_max }, memory_mib: { min: l.memory_mib_min, max: l.memory_mib_max } };
}

/** Is it a whole number in the range? */
export function fits(value: number, range: Range): boolean {
  return Number.isInteger(value) && value >= range.min && value <= range.max;
}

const NAME = /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** May a machine have this name? The appliance asks the same. */
export function nameFits(name: string): boolean {
  return NAME.test(name);
}

/** The template's own name if it is free, else the first free one after it: "sm", "sm-2", "sm-3". */
export function freeName(template: string, taken: readonly string[]): string {
  if (!taken.includes(template)) return template;
  for (let i = 2; ; i++) {
    const name = `${template}-${String(i)}`;
    if (!taken.includes(name)) return name;
  }
}

/** Templates that this one needs and that are not there yet, in their order. */
export function missing(template: Pick<Template, "requires">, all: readonly Template[]): string[] {
  const there = new Set(all.filter((each) => each.deployed.length > 0).map((each) => each.name));
  return (template.requires ?? []).filter((name) => !there.has(name));
}

/** What its disks may grow to, in bytes. */
export function diskBytes(template: Pick<Template, "disks">): number {
  return (template.disks ?? []).reduce((sum, disk) => sum + disk.size_mib * 1024 * 1024, 0);
}
