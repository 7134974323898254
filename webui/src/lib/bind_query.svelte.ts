/** A list's search, sort and filters in the address bar: shareable, and browser back works. */
import type { Collection, Query } from "./collection.svelte";
import { route, setQuery } from "./router.svelte";

/** Call while a component is made. `filters` are the names that the list takes from the URL. */
export function bindQuery<T>(collection: Collection<T>, filters: readonly string[] = []): void {
  const start = collection.query;
  collection.bound = true;

  function fromUrl(query: URLSearchParams): Query {
    const chosen = Object.fromEntries(filters.flatMap((name) => (query.get(name) ? [[name, query.get(name) ?? ""]] : [])));
    return {
      q: query.get("q") ?? "",
      sort: query.get("sort") ?? start.sort,
      filters: { ...start.filters, ...chosen },
    };
  }

  $effect(() => {
    const next = fromUrl(route.query);
    if (JSON.stringify(next) !== JSON.stringify(collection.query)) collection.ask(next);
  });
}

/**
 * Change search, sort or one filter, in the URL: a list that is bound follows. Browser back takes one choice back;
 * the letters of one search are one choice.
 */
export function askUrl(changes: Record<string, string | undefined>): void {
  const typing = Object.keys(changes).every((name) => name === "q") && route.query.has("q");
  setQuery(changes, { replace: typing });
}
