/** Every word the console shows, by typed key, and figures, dates and sizes as the reader's locale writes them. */
import type calls from "../locales/en/calls";
import type frame from "../locales/en/frame";
import type home from "../locales/en/home";
import type machines from "../locales/en/machines";
import type people from "../locales/en/people";
import type routing from "../locales/en/routing";
import type setup from "../locales/en/setup";
import type system from "../locales/en/system";
import type softphone from "../locales/en/softphone";
import type trace from "../locales/en/trace";
import { englishAgo, englishInteger, englishPercent, englishUnit, groupsByComma, isAmerican } from "./english";
import { isolate } from "./isolate";
import { pseudo } from "./pseudo";

/** One message, or one per plural form of Intl.PluralRules. */
export type Message = string | ({ readonly other: string } & Readonly<Partial<Record<Intl.LDMLPluralRule, string>>>);
export type Catalogue = Readonly<Record<string, Message>>;

interface Catalogues {
  frame: typeof frame;
  home: typeof home;
  people: typeof people;
  calls: typeof calls;
  machines: typeof machines;
  system: typeof system;
  setup: typeof setup;
  routing: typeof routing;
  trace: typeof trace;
  softphone: typeof softphone;
}
export type Namespace = keyof Catalogues;

type KeysOf<N extends Namespace, Plural extends boolean> = {
  [K in keyof Catalogues[N] & string]: Catalogues[N][K] extends string
    ? Plural extends false
      ? `${N}.${K}`
      : never
    : Plural extends true
      ? `${N}.${K}`
      : never;
}[keyof Catalogues[N] & string];

/** Keys of plain messages, and of those that differ by a count. */
export type Key = { [N in Namespace]: KeysOf<N, false> }[Namespace];
export type PluralKey = { [N in Namespace]: KeysOf<N, true> }[Namespace];
export type Values = Readonly<Record<string, string | number>>;

const messages = new Map<string, Message>();
/** `frame` comes with the entry. */
const loaders: Partial<Record<Namespace, () => Promise<{ default: Catalogue }>>> = {
  home: () => import("../locales/en/home"),
  people: () => import("../locales/en/people"),
  calls: () => import("../locales/en/calls"),
  machines: () => import("../locales/en/machines"),
  system: () => import("../locales/en/system"),
  setup: () => import("../locales/en/setup"),
  routing: () => import("../locales/en/routing"),
  trace: () => import("../locales/en/trace"),
  softphone: () => import("../locales/en/softphone"),
};
const loading = new Map<Namespace, Promise<void>>();

let formats: string | undefined;
let isPseudo = false;

/** The locale of dates and numbers (undefined: the browser's), and whether words are drawn as the pseudo-locale. */
export function useLocale(name: string | undefined): void {
  isPseudo = name === "pseudo";
  formats = isPseudo || !name ? undefined : Intl.getCanonicalLocales(name)[0];
  dropFormats();
}

/** For formats that only one place needs. */
export function locale(): string | undefined {
  return formats;
}

export function addWords(namespace: Namespace, catalogue: Catalogue): void {
  for (const [key, message] of Object.entries(catalogue)) messages.set(`${namespace}.${key}`, message);
}

/** Have the words of these at hand; each is fetched once. */
export async function loadWords(namespaces: readonly Namespace[]): Promise<void> {
  await Promise.all(
    namespaces.map((each) => {
      const known = loading.get(each) ?? loaders[each]?.().then((module) => addWords(each, module.default));
      if (!known) return undefined;
      loading.set(each, known);
      // A chunk that could not be fetched is asked for again.
      known.catch(() => loading.delete(each));
      return known;
    }),
  );
}

/** Letters and marks that turn the direction of what stands around them. */
const turning = /[\u0590-\u08ff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufeff]/;

function fill(text: string, values: Values): string {
  return (isPseudo ? pseudo(text) : text).replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    if (typeof value === "number") return number(value);
    return turning.test(value) && !value.startsWith("\u2068") ? isolate(value) : value;
  });
}

function sayPlain(key: Key, values: Values = {}): string {
  const message = messages.get(key) ?? key;
  return fill(typeof message === "string" ? message : message.other, values);
}

function sayCount(key: PluralKey, n: number, values: Values = {}): string {
  const message = messages.get(key) ?? key;
  // The words are English whatever the figures are: so are the plural forms.
  const form = n === 1 ? "one" : "other";
  const text = typeof message === "string" ? message : (message[form] ?? message.other);
  return fill(text, { n, ...values });
}

/** The message, with {name} and the like filled in; `say.n` picks the form that fits the count, given as {n}. */
export const say: typeof sayPlain & { n: typeof sayCount } = Object.assign(sayPlain, { n: sayCount });

/* Making an Intl format costs a hundred times its use: each is made once. */
const made = new Map<string, unknown>();

function dropFormats(): void {
  made.clear();
}

function once<T>(name: string, make: () => T): T {
  const known = made.get(name);
  if (known !== undefined) return known as T;
  const fresh = make();
  made.set(name, fresh);
  return fresh;
}

export function number(n: number, digits = 1): string {
  if (Number.isSafeInteger(n) && groupsByComma(formats)) return englishInteger(n);
  return once(`number ${String(digits)}`, () => new Intl.NumberFormat(formats, { maximumFractionDigits: digits })).format(n);
}

/** 0.934 as "93 %". */
export function percent(share: number, digits = 0): string {
  if (digits === 0 && share >= 0 && Number.isFinite(share) && groupsByComma(formats)) return englishPercent(share);
  const make = () => new Intl.NumberFormat(formats, { style: "percent", maximumFractionDigits: digits });
  return once(`percent ${String(digits)}`, make).format(share);
}

const binary = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** 1610612736 as "1.5 GiB". */
export function bytes(n: number): string {
  let value = n;
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < binary.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${number(value, value < 10 ? 1 : 0)}\u00a0${binary[unit] ?? ""}`;
}

function unit(n: number, name: "second" | "minute" | "hour" | "day"): string {
  if (Number.isSafeInteger(n) && groupsByComma(formats)) return englishUnit(n, name);
  const make = () => new Intl.NumberFormat(formats, { style: "unit", unit: name, unitDisplay: "narrow", maximumFractionDigits: 0 });
  return once(`unit ${name}`, make).format(n);
}

/** 3905 as "1h 5m": the two largest units. */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return unit(s, "second");
  if (s < 3600) return join(unit(Math.floor(s / 60), "minute"), s % 60, "second");
  if (s < 86400) return join(unit(Math.floor(s / 3600), "hour"), Math.floor((s % 3600) / 60), "minute");
  return join(unit(Math.floor(s / 86400), "day"), Math.floor((s % 86400) / 3600), "hour");
}

function join(large: string, rest: number, name: "second" | "minute" | "hour"): string {
  return rest === 0 ? large : `${large} ${unit(rest, name)}`;
}

/** "21 Nov 2026, 14:28:03": exact, in the reader's zone. */
export function when(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  return once("when", () => new Intl.DateTimeFormat(formats, { dateStyle: "medium", timeStyle: "medium" })).format(date);
}

/** "14:28" today, "20 Nov, 14:28" before. */
export function short(iso: string, now = Date.now()): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  const sameDay = date.toDateString() === new Date(now).toDateString();
  const time = { hour: "2-digit", minute: "2-digit" } as const;
  if (sameDay) return once("short time", () => new Intl.DateTimeFormat(formats, time)).format(date);
  return once("short day", () => new Intl.DateTimeFormat(formats, { ...time, day: "numeric", month: "short" })).format(date);
}

const steps = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
] as const;

/** "3 min. ago", "in 2 hr.": how far from now. */
export function ago(iso: string, now = Date.now()): string {
  const seconds = Math.round((new Date(iso).getTime() - now) / 1000);
  if (Number.isNaN(seconds)) return iso;
  const [name, size] = steps.find(([, length]) => Math.abs(seconds) >= length) ?? steps[3];
  if (isAmerican(formats)) return englishAgo(Math.trunc(seconds / size), name);
  const make = () => new Intl.RelativeTimeFormat(formats, { numeric: "auto", style: "short" });
  return once("ago", make).format(Math.trunc(seconds / size), name);
}

/** Names compared as the reader's locale does, with figures by their value. */
export function compare(a: string, b: string): number {
  return once("compare", () => new Intl.Collator(formats, { numeric: true })).compare(a, b);
}
