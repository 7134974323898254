/** The entries of the navigation, in order, and who sees them. */
import type { IconName } from "../components/Icon.svelte";
import { may } from "../lib/session.svelte";
import { pages, type NavKey, type PageEntry } from "../pages";

interface Entry {
  key: NavKey;
  href: string;
  icon: IconName;
  /** With "g" before it. */
  letter: string;
}

const all: readonly Entry[] = [
  { key: "home", href: "/", icon: "home", letter: "h" },
  { key: "people", href: "/people", icon: "people", letter: "p" },
  { key: "calls", href: "/calls", icon: "calls", letter: "c" },
  { key: "routing", href: "/routing", icon: "routing", letter: "r" },
  { key: "machines", href: "/machines", icon: "machines", letter: "m" },
  { key: "system", href: "/system", icon: "system", letter: "s" },
];

/** May the one who is logged in see this page? */
export function maySee(page: PageEntry): boolean {
  if (page.permission === undefined) return true;
  return [page.permission].flat().some(may);
}

/** Those one may see. An entry leads to the first page of it that one may see. */
export function entries(): Entry[] {
  return all.flatMap((entry) => {
    const own = pages.filter((page) => page.nav === entry.key && !page.path.includes(":") && page.path.startsWith(entry.href));
    const first = own.find(maySee);
    return first ? [{ ...entry, href: first.path }] : [];
  });
}
