// SPDX-License-Identifier: Apache-2.0
// How a page looks: axe, sizes and pictures, in both themes, narrow and wide; and the pseudo-locale.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { artefacts, top } from "./browser.mjs";

const require = createRequire(`${top}/webui/package.json`);
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const sizes = [["narrow", 360, 780], ["wide", 1366, 768]];

export async function picture(page, name, whole = true) {
  await page.screenshot({ path: `${artefacts}/${name}.png`, fullPage: whole });
}

async function axeFinds(page) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe);
  const { violations, passes } = await page.evaluate(() => window.axe.run({ resultTypes: ["violations"] }));
  assert.ok(passes.length > 10, "axe looked at the page");
  return violations.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.target.join(" ")} ${n.failureSummary}`).join("; ")}`);
}

/** What does not fit: sideways scrolling of the page, targets under 24 px, text cut off without a way to read it. */
function misfits() {
  const found = [];
  const seen = (e) => e.checkVisibility({ visibilityProperty: true }) && e.getBoundingClientRect().width > 2;
  const over = document.documentElement.scrollWidth - window.innerWidth;
  const name = (e) => `<${e.tagName.toLowerCase()} class="${e.getAttribute("class") ?? ""}"> ${e.textContent.trim().slice(0, 60)}`;
  if (over > 0) found.push(`the page is ${over} px too wide`);
  for (const e of document.querySelectorAll("button, select, textarea, summary, input:not([type=hidden])")) {
    const box = e.getBoundingClientRect();
    if (!seen(e) || e.matches(".visually-hidden, [type=checkbox], [type=radio]")) continue;
    if (box.height < 24 || box.width < 24) found.push(`target of ${box.width} x ${box.height} px: ${name(e)}`);
  }
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim() !== "");
    if (!own || !seen(e) || e.matches(".visually-hidden, .visually-hidden *, option")) continue;
    const style = getComputedStyle(e);
    const hides = /hidden|clip/.test(style.overflowX);
    const readable = style.textOverflow === "ellipsis" && e.closest("[title]") !== null;
    if (hides && e.scrollWidth > e.clientWidth + 1 && !readable) found.push(`cut off: ${name(e)}`);
    if (/hidden|clip/.test(style.overflowY) && e.scrollHeight > e.clientHeight + 3 && !readable) found.push(`cut off below: ${name(e)}`);
  }
  // An entry of the main navigation shows its whole word, inside its own bounds and those of the bar.
  for (const link of document.querySelectorAll(".body > nav a")) {
    const [word, entry, bar] = [link.querySelector("span") ?? link, link, link.closest("nav")].map((e) => e.getBoundingClientRect());
    for (const [around, what] of [[entry, "its entry"], [bar, "the bar"], [{ left: 0, right: window.innerWidth, top: -Infinity, bottom: Infinity }, "the window"]]) {
      const outside = Math.max(around.left - word.left, word.right - around.right, around.top - word.top, word.bottom - around.bottom);
      if (seen(link) && outside > 0.5) found.push(`out of ${what} by ${outside.toFixed(1)} px: ${name(link)}`);
    }
  }
  return found;
}

/** A chart is drawn when it comes into view: a picture of the whole page has all of them. */
async function drawCharts(page) {
  for (const chart of await page.locator(".chart .canvas").all()) {
    await chart.scrollIntoViewIfNeeded();
    await chart.locator("canvas").first().waitFor({ state: "attached" });
  }
  await page.evaluate(() => scrollTo(0, 0));
}

/** Every combination, a picture of each, and one on a 4K screen; all faults of a page are told at once. */
export async function look(w, name, page = w.page) {
  const faults = [];
  await drawCharts(page);
  for (const [size, width, height] of sizes) {
    await page.setViewportSize({ width, height });
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
      await picture(page, `${name}-${size}-${colorScheme}`);
      for (const fault of await axeFinds(page)) faults.push(`${size}, ${colorScheme}: ${fault}`);
    }
    for (const fault of await page.evaluate(misfits)) faults.push(`${size}: ${fault}`);
  }
  await page.setViewportSize({ width: 3840, height: 2160 });
  await picture(page, `${name}-4k`, false);
  for (const fault of await page.evaluate(misfits)) faults.push(`4k: ${fault}`);
  await page.setViewportSize({ width: 1366, height: 768 });
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "no-preference" });
  assert.deepEqual(faults, [], `the look of ${name}`);
}

/** Text of a page in the pseudo-locale that is neither a message (in brackets), nor a figure, nor what the API said. */
export async function untranslated(page, answers) {
  const texts = await page.evaluate(() => {
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const e = walker.currentNode.parentElement;
      if (e.matches("script, style, code *, pre *, code, pre, time, kbd, [translate=no], [translate=no] *")) continue;
      found.push(walker.currentNode.data);
    }
    for (const attribute of ["aria-label", "title", "placeholder", "alt"]) {
      for (const e of document.querySelectorAll(`[${attribute}]`)) {
        if (!e.matches("time, code, [translate=no], [translate=no] *")) found.push(e.getAttribute(attribute));
      }
    }
    return found;
  });
  const said = answers.join("\n").toLowerCase();
  const left = new Set();
  for (const text of texts) {
    // Messages nest when one is filled into another: take away the innermost until none is left.
    let rest = text;
    for (let before = ""; before !== rest;) {
      before = rest;
      rest = rest.replace(/\[[^[\]]*\]/g, " ");
    }
    for (const word of rest.match(/[A-Za-z]{3,}/g) ?? []) {
      if (!/^[KMGT]iB$/.test(word) && !said.includes(word.toLowerCase())) left.add(`${word} in "${text.trim().slice(0, 80)}"`);
    }
  }
  return [...left];
}

/** One picture and one run of axe, for what does not stay long enough to be looked at from all sides. */
export async function glance(w, name, page = w.page) {
  await picture(page, name);
  assert.deepEqual(await axeFinds(page), [], `axe on ${name}`);
}

export async function misfitsOf(page) {
  return page.evaluate(misfits);
}
