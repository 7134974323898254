// SPDX-License-Identifier: Apache-2.0
// hostile-strings.txt as strings.
import { readFileSync } from "node:fs";
import { top } from "./browser.mjs";

const escaped = /\\u\{([0-9a-f]+)\}/g;

/** Without those that hold NUL: JSON cannot carry it into a name, which a test of the API proves. */
export function hostileStrings() {
  const lines = readFileSync(`${top}/tests/web/hostile-strings.txt`, "utf8").split("\n");
  return lines
    .filter((line) => line !== "" && !line.startsWith("# "))
    .map((line) => line.replace(escaped, (_, hex) => String.fromCodePoint(parseInt(hex, 16))))
    .filter((line) => !line.includes("\0"));
}
