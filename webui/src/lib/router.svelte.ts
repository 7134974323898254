/** Where one is: path and query of the address bar, and the way to elsewhere. Plain links work: they are taken over here. */
import { matchPath } from "./path";

export interface Pattern {
  path: string;
}

class Route {
  path = $state("/");
  query = $state.raw(new URLSearchParams());
  params = $state.raw<Record<string, string>>({});
  hash = $state("");
}

export const route = new Route();

let patterns: readonly Pattern[] = [];
/** The place in the history that is shown, and how far each was scrolled. */
let shown = 0;
const scrolled = new Map<number, number>();
const guards = new Set<() => boolean>();

class Leaving {
  /** Where one wanted to go while something typed was not saved; the shell asks. */
  to = $state.raw<(() => void) | undefined>(undefined);

  stay(): void {
    this.to = undefined;
  }

  /** What was typed is given up. */
  leave(): void {
    const to = this.to;
    this.to = undefined;
    guards.clear();
    to?.();
  }
}
export const leaving = new Leaving();

function read(): void {
  const url = new URL(location.href);
  route.path = url.pathname.length > 1 ? url.pathname.replace(/\/+$/, "") || "/" : "/";
  route.query = url.searchParams;
  route.hash = url.hash;
  route.params = patterns.map((each) => matchPath(each.path, route.path)).find((found) => found) ?? {};
}

/** Something was typed that is not saved. */
export function dirty(): boolean {
  return [...guards].some((guard) => guard());
}

/** While `isDirty()` says so, leaving asks first. The result takes the guard away. */
export function guard(isDirty: () => boolean): () => void {
  guards.add(isDirty);
  return () => guards.delete(isDirty);
}

function index(): number {
  const state = history.state as { index?: number } | null;
  return state?.index ?? 0;
}

function move(url: URL, replace: boolean): void {
  const next = replace ? shown : shown + 1;
  if (replace) history.replaceState({ index: next }, "", url);
  else history.pushState({ index: next }, "", url);
  shown = next;
  read();
}

/** Do what takes one away from here; asks first if something typed is not saved. */
export function unlessDirty(away: () => void): void {
  if (dirty()) leaving.to = away;
  else away();
}

/** Go to a page of the console. */
export function go(to: string, { replace = false }: { replace?: boolean } = {}): void {
  const url = new URL(to, location.href);
  if (url.href === location.href) return;
  if (dirty() && url.pathname + url.search !== location.pathname + location.search) leaving.to = () => move(url, replace);
  else move(url, replace);
}

/** Change parts of the query; undefined or empty takes one away. */
export function setQuery(
  changes: Record<string, string | undefined>,
  { replace = false }: { replace?: boolean } = {},
): void {
  const url = new URL(location.href);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined || value === "") url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  if (url.href !== location.href) move(url, replace);
}

function clicked(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element | null)?.closest("a");
  if (!link?.href || link.target || link.hasAttribute("download")) return;
  const url = new URL(link.href);
  if (url.origin !== location.origin || url.pathname.startsWith("/api/")) return;
  if (url.pathname === location.pathname && url.search === location.search && url.hash) return;
  event.preventDefault();
  go(url.href);
}

let ignorePop = false;

function popped(): void {
  if (ignorePop) {
    ignorePop = false;
    return;
  }
  const delta = index() - shown;
  if (delta !== 0 && dirty()) {
    ignorePop = true;
    history.go(-delta);
    leaving.to = () => history.go(delta);
    return;
  }
  shown = index();
  arrival.scroll = scrolled.get(shown) ?? 0;
  read();
}

/** How far the page that comes is to be scrolled: to its top, or where one was when one comes back. Read once. */
export const arrival = {
  scroll: 0,
  take(): number {
    const scroll = this.scroll;
    this.scroll = 0;
    return scroll;
  },
};

/** Begin to follow the address bar. */
export function startRouter(table: readonly Pattern[]): void {
  patterns = table;
  if (history.state === null) history.replaceState({ index: 0 }, "", location.href);
  shown = index();
  history.scrollRestoration = "manual";
  window.addEventListener("scroll", () => scrolled.set(shown, scrollY), { passive: true });
  document.addEventListener("click", clicked);
  window.addEventListener("popstate", popped);
  window.addEventListener("beforeunload", (event) => {
    if (dirty()) event.preventDefault();
  });
  read();
}
