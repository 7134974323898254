/**
 * What runs before the rest of the entry: whoever was logged in here is asked for, and what their page is made of, while
 * the browser is still busy with the console itself. The page's list follows the session's answer, so that nothing is
 * asked which one may not see.
 */
import type { Session } from "./api/client";
import { askEarly } from "./api/early";
import { matchPath } from "./lib/path";
import { wasKnown } from "./lib/known";
import { pages } from "./pages";

async function askForPage(answer: Promise<Response>): Promise<void> {
  const page = pages.find((each) => matchPath(each.path, location.pathname));
  const shell = import("./shell/Shell.svelte");
  const code = page?.load();
  // What fails is asked again, and said, by whoever needs it.
  for (const each of [shell, code]) each?.catch(() => undefined);
  const response = (await answer).clone();
  if (!page?.first || location.search !== "" || !response.ok) return;
  const { permissions, must_change_password } = (await response.json()) as Session;
  const may = page.permission === undefined || [page.permission].flat().some((each) => permissions.includes(each));
  if (may && !must_change_password) void askEarly(page.first);
}

if (wasKnown()) askForPage(askEarly("/api/v1/session")).catch(() => undefined);
