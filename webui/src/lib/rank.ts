/** What fits what was typed: every word of it must be there; a word's beginning counts more than its middle. Pure. */

export function rank<T>(all: readonly T[], text: string, textOf: (item: T) => string): T[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = all.flatMap((item, i) => {
    const points = score(textOf(item).toLowerCase(), words);
    return points === undefined ? [] : [{ item, points, i }];
  });
  return found.sort((a, b) => b.points - a.points || a.i - b.i).map((each) => each.item);
}

function score(text: string, words: readonly string[]): number | undefined {
  let points = 0;
  for (const word of words) {
    const at = text.indexOf(word);
    if (at < 0) return undefined;
    points += at === 0 ? 3 : /[\p{L}\p{N}]/u.test(text[at - 1] ?? "") ? 1 : 2;
  }
  return points;
}
