/** Whose work is in the console: a file that the build makes from the packages it really bundled. */

export interface Licence {
  name: string;
  version: string;
  licence: string;
  homepage: string;
  text: string;
}

function isLicence(value: unknown): value is Licence {
  if (typeof value !== "object" || value === null) return false;
  const entry = value as Record<string, unknown>;
  return ["name", "version", "licence", "homepage", "text"].every((key) => typeof entry[key] === "string");
}

/** undefined: it is not the file that it should be. */
export function readLicences(value: unknown): Licence[] | undefined {
  return Array.isArray(value) && value.every(isLicence) ? value : undefined;
}
