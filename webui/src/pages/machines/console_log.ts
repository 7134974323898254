/** The console log of a machine as it is shown: its lines numbered, cleaned and filtered. Pure. */

export interface Line {
  number: number;
  text: string;
}

const ESCAPE = "\u001b";
const SEQUENCE = new RegExp(`${ESCAPE}(?:\\[[0-9;?]*[ -/]*[@-~]|[@-Z\\\\-_])`, "g");
const CONTROL = /[^\P{Cc}\t]/gu;

/** A guest's console speaks to a terminal: its colours and cursor moves are no text. */
export function clean(text: string): string {
  return text.replace(SEQUENCE, "").replace(CONTROL, "").trimEnd();
}

/** Lines that hold every word of the filter, in any order and case. */
export function filterLines(lines: readonly string[], filter: string): Line[] {
  const words = filter.toLowerCase().split(/\s+/).filter((word) => word !== "");
  const found: Line[] = [];
  lines.forEach((raw, i) => {
    const text = clean(raw);
    const folded = text.toLowerCase();
    if (words.every((word) => folded.includes(word))) found.push({ number: i + 1, text });
  });
  return found;
}

/** What a person copies: the lines that are shown, as they are shown. */
export function asText(lines: readonly Line[]): string {
  return lines.map((line) => line.text).join("\n");
}
