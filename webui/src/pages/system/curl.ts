/** An operation as a line for a shell. The token stays in a variable: no secret in a history or on a screen. */
import { example, type Document, type Operation } from "./openapi";

/** One word of a POSIX shell, whatever it holds. */
export function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

export function curlExample(document: Document, operation: Operation, origin: string): string {
  const lines = ["curl --cacert ca.pem"];
  if (operation.method !== "GET") lines.push(`-X ${operation.method}`);
  if (operation.access !== "public") lines.push('-H "Authorization: Bearer $AURABOX_TOKEN"');
  if (operation.method === "PATCH") lines.push('-H "If-Match: $ETAG"');
  if (operation.body) {
    lines.push(`-H ${quote(`Content-Type: ${operation.body.type}`)}`);
    lines.push(`-d ${quote(JSON.stringify(example(document, operation.body.schema)))}`);
  }
  const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => name.toUpperCase());
  lines.push(quote(origin + path));
  return lines.join(" \\\n  ");
}

/** What a fresh token is tried with. */
export function tokenExample(origin: string): string {
  return ['curl --cacert ca.pem', '-H "Authorization: Bearer $AURABOX_TOKEN"', quote(`${origin}/api/v1/session`)].join(" \\\n  ");
}
