/** The entries of the navigation, in order, and who sees them. */
import type { IconName } from "../components/Icon.svelte";
import { may, type Permission } from "../lib/session.svelte";
import { pages, type NavKey, type PageEntry } from "../pages";

interface Entry {
  key: NavKey;
  href: string;
  icon: IconName;
}

const all: readonly Entry[] = [
  { key: "home", href: "/", icon: "home" },
  { key: "people", href: "/people", icon: "people" },
  { key: "calls", href: "/calls", icon: "calls" },
  { key: "machines", href: "/machines", icon: "machines" },
  { key: "system", href: "/system", icon: "system" },
];

/** May the one who is logged in see this page? */
export function maySee(page: PageEntry): boolean {
  const wanted = page.permission;
  if (wanted === undefined) return true;
  return typeof wanted === "string" ? may(wanted) : wanted.some((each: Permission) => may(each));
}

/** Those one may see. An entry leads to the first page of it that one may see. */
export function entries(): Entry[] {
  return all.flatMap((entry) => {
    const own = pages.filter((page) => page.nav === entry.key && !page.path.includes(":") && page.path.startsWith(entry.href));
    const first = own.find(maySee);
    return first ? [{ ...entry, href: first.path }] : [];
  });
}
