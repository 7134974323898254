/** A page's code and words, fetched before it is gone to. */
import { loadWords } from "../lib/i18n";
import { matchPath } from "../lib/path";
import { pages } from ".";

export function prefetch(path: string): void {
  const page = pages.find((each) => matchPath(each.path, path));
  if (!page) return;
  // What fails is fetched again, and said, when it is gone to.
  void page.load().catch(() => undefined);
  void loadWords(page.words).catch(() => undefined);
}
