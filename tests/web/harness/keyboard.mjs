// SPDX-License-Identifier: Apache-2.0
// A page with nothing but the keyboard.
import assert from "node:assert/strict";

/** Runs in the page: what the Tab key should come to, in a list that stays the same while one walks. */
function reachable() {
  const wanted = "a[href], button:not(:disabled), input:not(:disabled, [type=hidden]), select:not(:disabled), textarea:not(:disabled), summary, [tabindex='0']";
  const all = [...document.querySelectorAll(wanted)].filter((e) => {
    if (!e.checkVisibility({ visibilityProperty: true }) || e.tabIndex < 0 || e.closest("[inert]")) return false;
    // Of a group of radio buttons one is a stop: the chosen, or any if none is.
    if (e.type !== "radio") return true;
    const chosen = document.querySelector(`input[type=radio][name="${CSS.escape(e.name)}"]:checked`);
    return chosen === null ? e === document.querySelector(`input[type=radio][name="${CSS.escape(e.name)}"]`) : e === chosen;
  });
  window.stops = new Map(all.map((e) => [e, false]));
  return all.length;
}

/** Runs in the page after each Tab: what is wrong with where the focus is; null when it left the page. */
function arrived() {
  const e = document.activeElement;
  if (e === null || e === document.body) return null;
  if (window.stops.has(e)) window.stops.set(e, true);
  const box = e.getBoundingClientRect();
  const style = getComputedStyle(e);
  const name = `${e.tagName.toLowerCase()} "${(e.getAttribute("aria-label") ?? e.textContent).trim().slice(0, 40)}"`;
  const ring = (s) => (s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 0) || s.boxShadow !== "none";
  const around = [style, getComputedStyle(e, "::after"), ...(e.parentElement ? [getComputedStyle(e.parentElement)] : []),
    ...(e.labels ? [...e.labels].map((l) => getComputedStyle(l)) : [])];
  if (!around.some(ring)) return `${name}: the focus is not seen`;
  if (box.bottom < 0 || box.top > innerHeight || box.right < 0 || box.left > innerWidth) return `${name}: the focus is out of sight`;
  const at = document.elementFromPoint(Math.min(Math.max(box.x + box.width / 2, 1), innerWidth - 1), Math.min(Math.max(box.y + Math.min(box.height, innerHeight) / 2, 1), innerHeight - 1));
  const covered = at && !e.contains(at) && !at.contains(e) && ![...(e.labels ?? [])].some((l) => l.contains(at)) && getComputedStyle(at.closest("header, nav, footer") ?? at).position !== "static"
    && /fixed|sticky/.test(getComputedStyle(at.closest("header, nav, footer") ?? at).position);
  return covered ? `${name}: covered by ${at.tagName.toLowerCase()}` : "";
}

/** Tab through the whole page once: everything is reached, seen and left again. */
export async function walkByKeyboard(page, name, most = 400) {
  await page.evaluate(() => {
    document.activeElement?.blur();
    scrollTo(0, 0);
  });
  const count = await page.evaluate(reachable);
  assert.ok(count > 3, `${name} has something to reach`);
  const wrong = [];
  let left = false;
  // Before the first Tab the focus is at the document's start; the browser's own frame ends the round.
  await page.evaluate(() => getSelection()?.removeAllRanges());
  for (let i = 0; i < most && !left; i++) {
    await page.keyboard.press("Tab");
    const said = await page.evaluate(arrived);
    if (said === null) left = i > 0;
    else if (said !== "") wrong.push(said);
    const round = await page.evaluate(() => [...window.stops.values()].every(Boolean));
    if (round) left = true;
  }
  const missed = await page.evaluate(() =>
    [...window.stops].filter(([e, seen]) => !seen && e.isConnected).map(([e]) => e.outerHTML.slice(0, 120)));
  assert.deepEqual([...new Set(wrong)], [], "by keyboard");
  assert.deepEqual(missed, [], "not reached by keyboard");
}

/** Press Tab until the focus is on what `selector` names. */
export async function tabTo(page, selector, most = 60) {
  for (let i = 0; i < most; i++) {
    await page.keyboard.press("Tab");
    if (await page.evaluate((s) => document.activeElement?.matches(s) ?? false, selector)) return;
  }
  assert.fail(`${selector} cannot be reached by keyboard`);
}
