/** The pseudo-locale: words that are accented, 40 % longer and in brackets, so that a look shows what is not translated or is cut off. */

const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const accented = "åƀçðéƒĝĥîĵķļɱñöþǫŕšţûṽŵẋýžÅƁÇÐÉƑĜĤÎĴĶĻṀÑÖÞǪŔŠŢÛṼŴẊÝŽ";
const accents = new Map(Array.from(plain).map((letter, i) => [letter, Array.from(accented)[i] ?? letter]));

/** `{names}` stay as they are. */
export function pseudo(text: string): string {
  const parts = text.split(/(\{\w+\})/);
  const letters = parts.filter((_, i) => i % 2 === 0).join("").length;
  const drawn = parts.map((part, i) => (i % 2 === 1 ? part : Array.from(part, (c) => accents.get(c) ?? c).join("")));
  return `[${drawn.join("")}${" ẋẋẋ".repeat(Math.ceil((letters * 0.4) / 4))}]`;
}
