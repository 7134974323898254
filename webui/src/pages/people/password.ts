/** Passwords that a person can read from a screen and type on a telephone. */

/** Without l, o, 0, 1 and i, which are mistaken for one another: 31 symbols, 4.95 bits each. */
const SYMBOLS = "abcdefghjkmnpqrstuvwxyz23456789";
const GROUPS = 4;
const GROUP = 4;

export type Fill = (bytes: Uint8Array<ArrayBuffer>) => unknown;

const browserRandom: Fill = (bytes) => crypto.getRandomValues(bytes);

/** "k7wp-3mzt-qa9e-h4xn": 79 bits. Each symbol is equally likely: bytes beyond the last full round are thrown away. */
export function generatePassword(fill: Fill = browserRandom): string {
  const limit = 256 - (256 % SYMBOLS.length);
  const symbols: string[] = [];
  const bytes = new Uint8Array(32);
  while (symbols.length < GROUPS * GROUP) {
    fill(bytes);
    for (const byte of bytes) if (byte < limit) symbols.push(SYMBOLS.charAt(byte % SYMBOLS.length));
  }
  bytes.fill(0);
  return Array.from({ length: GROUPS }, (_, i) => symbols.slice(i * GROUP, (i + 1) * GROUP).join("")).join("-");
}
