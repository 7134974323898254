/** A name from outside in the middle of a sentence: whatever direction it claims, the words around it stay in order. */
export function isolate(text: string): string {
  return `\u2068${text}\u2069`;
}
