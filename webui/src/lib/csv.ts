/** Rows as CSV (RFC 4180) that a spreadsheet may open without running what a caller wrote. */

/** A cell that a spreadsheet would take for a formula is marked as text. */
function cell(value: string | number | null): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function toCsv(head: string[], rows: (string | number | null)[][]): string {
  return [head, ...rows].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
}

/** The cells of a text; commas, semicolons or tabs part them, whichever its first line has most of. Undefined: a quote has no end. */
export function parseCsv(text: string): string[][] | undefined {
  const source = text.replace(/^\ufeff/, "");
  const first = /^[^\r\n]*/.exec(source)?.[0] ?? "";
  const separator = [",", ";", "\t"].reduce((a, b) => (first.split(b).length > first.split(a).length ? b : a));
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 0;
  while (at < source.length) {
    let value = "";
    if (source[at] === '"') {
      for (;;) {
        const end = source.indexOf('"', at + 1);
        if (end < 0) return undefined;
        value += source.slice(at + 1, end);
        at = end + 1;
        if (source[at] !== '"') break;
        value += '"';
      }
    }
    const rest = at;
    while (at < source.length && source[at] !== separator && source[at] !== "\n" && source[at] !== "\r") at++;
    value += source.slice(rest, at);
    // What toCsv marked as text.
    row.push(value.replace(/^'(?=[=+\-@\t\r])/, ""));
    if (source[at] === separator) {
      at++;
      if (at < source.length) continue;
      row.push("");
    }
    if (source[at] === "\r") at++;
    if (source[at] === "\n") at++;
    rows.push(row);
    row = [];
  }
  return rows.filter((cells) => cells.some((each) => each !== ""));
}

/** Hand a text to the reader as a file. */
export function saveFile(name: string, text: string, type = "text/csv"): void {
  // The mark in front makes spreadsheets read it as UTF-8.
  const mark = type === "text/csv" ? "\ufeff" : "";
  const url = URL.createObjectURL(new Blob([mark, text], { type: `${type};charset=utf-8` }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}
