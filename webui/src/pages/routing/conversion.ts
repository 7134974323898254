/** Digit conversions: "00441…" to "+441…". What sm does with digits, so that a form can show it. Pure. */
import { isObject, type Json } from "./values";

export interface Conversion {
  direction: "ingress" | "egress";
  address: "origination" | "destination" | "both";
  match: string;
  min: number;
  max: number;
  delete: number;
  insert: string;
}

export const fresh: Conversion = { direction: "egress", address: "destination", match: "", min: 1, max: 36, delete: 0, insert: "" };

export function conversionOf(value: Json): Conversion {
  if (!isObject(value)) return { ...fresh };
  return {
    direction: value.direction === "ingress" ? "ingress" : "egress",
    address: value.address === "origination" || value.address === "both" ? value.address : "destination",
    match: String(value.match ?? ""),
    min: Number(value.min),
    max: Number(value.max),
    delete: Number(value.delete),
    insert: String(value.insert ?? ""),
  };
}

/** A number that it fits, made of the pattern: an "x" is drawn as 5, what is short is filled up with 1. */
export function example({ match, min, max }: Pick<Conversion, "match" | "min" | "max">): string {
  const digits = match.replaceAll("x", "5");
  const length = Math.min(Math.max(min, digits.length + 4), Math.max(max, digits.length));
  return digits + "1234567890".repeat(4).slice(0, Math.max(0, length - digits.length));
}

export function convert(digits: string, { delete: n, insert }: Pick<Conversion, "delete" | "insert">): string {
  return insert + digits.slice(n);
}
