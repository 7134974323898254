// SPDX-License-Identifier: Apache-2.0
// The browser's half of bench_console.py: prints one line a figure, "name ours - - unit (limit N)".
import assert from "node:assert/strict";
import { openBrowser, origin } from "../web/harness/browser.mjs";

const RUNS = 5;
const LIST = "/people";
const ROW = "table tbody tr";
const name = "bench";
const password = process.env.AURA_BENCH_PASSWORD;

function figure(what, value, unit, limit) {
  const text = Number.isInteger(value) ? String(value) : value.toFixed(value < 1 ? 3 : 1);
  console.log(`${what} ${text} - - ${unit}${limit === undefined ? "" : ` (limit ${limit})`}`);
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** Before the page's own scripts: note what the browser says of paints, long tasks, shifts and keys. */
function observe(row) {
  const seen = { fcp: 0, filled: 0, long: 0, longest: 0, shift: 0, keys: [], slowest: 0 };
  window.seen = seen;
  const on = (type, take, more = {}) => new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true, ...more });
  on("paint", (entry) => entry.name === "first-contentful-paint" && (seen.fcp = entry.startTime));
  on("longtask", (entry) => {
    seen.long += entry.duration - 50;
    seen.longest = Math.max(seen.longest, entry.duration);
  });
  on("layout-shift", (entry) => !entry.hadRecentInput && (seen.shift += entry.value));
  on("event", (entry) => {
    if (entry.interactionId) seen.slowest = Math.max(seen.slowest, entry.duration);
  }, { durationThreshold: 16 });
  new MutationObserver((_, self) => {
    if (!document.querySelector(row)) return;
    self.disconnect();
    requestAnimationFrame(() => setTimeout(() => (seen.filled = performance.now())));
  }).observe(document, { childList: true, subtree: true });
  // A key's latency: from when it was pressed until the frame that shows it has been drawn.
  addEventListener("keydown", (event) => {
    const pressed = event.timeStamp;
    requestAnimationFrame(() => setTimeout(() => seen.keys.push(performance.now() - pressed)));
  }, { capture: true });
}

async function fresh(browser, state) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1366, height: 768 }, storageState: state });
  await context.addInitScript(observe, ROW);
  const page = await context.newPage();
  page.setDefaultTimeout(60000);
  const cdp = await context.newCDPSession(page);
  await cdp.send("Network.enable");
  const wire = { bytes: 0, requests: 0, styles: 0 };
  const styles = new Set();
  cdp.on("Network.responseReceived", (event) => event.type === "Stylesheet" && styles.add(event.requestId));
  cdp.on("Network.loadingFinished", (event) => {
    wire.bytes += event.encodedDataLength;
    if (styles.has(event.requestId)) wire.styles += event.encodedDataLength;
  });
  page.on("request", () => wire.requests++);
  return { context, page, cdp, wire };
}

async function logIn(browser) {
  const { context, page } = await fresh(browser);
  await page.goto(origin);
  await page.fill("[autocomplete=username]", name);
  await page.fill("[autocomplete=current-password]", password);
  await page.keyboard.press("Enter");
  await page.waitForSelector("nav");
  const state = await context.storageState();
  await context.close();
  return state;
}

/** The bytes and requests of the first page: of one who is not logged in, and of one who is. */
async function firstPage(browser, state) {
  for (const [what, kept, ready] of [["log_in", undefined, "[autocomplete=username]"], ["home", state, "main h1"]]) {
    const { context, page, wire } = await fresh(browser, kept);
    await page.goto(origin);
    await page.waitForSelector(ready);
    await page.waitForTimeout(1500);
    figure(`console_${what}_bytes`, wire.bytes / 1000, "kB", 100);
    figure(`console_${what}_css_bytes`, wire.styles / 1000, "kB", 10);
    figure(`console_${what}_requests`, wire.requests, "requests", 10);
    await context.close();
  }
}

/** Load a page with the processor slowed down `rate` times, `RUNS` times with an empty cache. */
async function loads(browser, state, rate, limits) {
  const runs = [];
  for (let i = 0; i < RUNS; i++) {
    const { context, page, cdp } = await fresh(browser, state);
    await cdp.send("Emulation.setCPUThrottlingRate", { rate });
    await page.goto(origin + LIST);
    await page.waitForFunction(() => window.seen.filled > 0);
    await page.waitForTimeout(1000);
    runs.push(await page.evaluate(() => window.seen));
    await context.close();
  }
  const suffix = `cpu_x${rate}`;
  figure(`console_first_paint_${suffix}`, median(runs.map((run) => run.fcp)), "ms", limits.fcp);
  figure(`console_table_filled_${suffix}`, median(runs.map((run) => run.filled)), "ms", limits.filled);
  figure(`console_long_task_time_${suffix}`, median(runs.map((run) => run.long)), "ms", limits.long);
  figure(`console_layout_shift_${suffix}`, Math.max(...runs.map((run) => run.shift)), "score", 0.05);
}

async function typing(browser, state) {
  const { context, page } = await fresh(browser, state);
  await page.goto(origin + LIST);
  await page.waitForSelector(ROW);
  await page.waitForTimeout(1500);
  await page.evaluate(() => Object.assign(window.seen, { keys: [], long: 0, longest: 0, slowest: 0, shift: 0 }));
  await page.keyboard.press("/");
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), "INPUT", "the search has the focus");
  for (const text of ["ångström 12", "14999", "grace hopper"]) {
    await page.keyboard.type(text, { delay: 90 });
    await page.waitForTimeout(700);
    await page.keyboard.press("Control+A");
    await page.keyboard.press("Delete");
  }
  await page.waitForTimeout(700);
  const seen = await page.evaluate(() => window.seen);
  assert.ok(seen.keys.length > 20, "keys were measured");
  figure("console_key_median", median(seen.keys), "ms", 50);
  figure("console_key_slowest", Math.max(...seen.keys), "ms");
  figure("console_interaction_slowest", seen.slowest, "ms", 200);
  figure("console_longest_task_while_typing", seen.longest, "ms", 200);
  await context.close();
}

/** Rows are added by "more" until 1,000 stand there: what then a key and the page's moves cost. */
async function manyRows(browser, state) {
  const { context, page } = await fresh(browser, state);
  await page.goto(origin + LIST);
  await page.waitForSelector(ROW);
  for (let i = 0; i < 40; i++) {
    const count = await page.locator(ROW).count();
    const more = page.locator("main .foot button");
    if (count >= 1000 || (await more.count()) === 0) break;
    await more.click();
    await page.waitForFunction(([row, n]) => document.querySelectorAll(row).length > n, [ROW, count]);
  }
  const rows = await page.locator(ROW).count();
  await page.waitForTimeout(500);
  await page.evaluate(() => Object.assign(window.seen, { keys: [], slowest: 0, shift: 0 }));
  await page.keyboard.press("/");
  await page.keyboard.type("curie 3", { delay: 90 });
  await page.waitForTimeout(1000);
  const seen = await page.evaluate(() => window.seen);
  figure("console_rows_shown", rows, "rows");
  figure("console_interaction_at_those_rows", Math.max(seen.slowest, median(seen.keys)), "ms", 200);
  figure("console_layout_shift_at_those_rows", seen.shift, "score", 0.05);
  await context.close();
}

const browser = await openBrowser();
try {
  const state = await logIn(browser);
  await firstPage(browser, state);
  await loads(browser, state, 1, {});
  await loads(browser, state, 4, { fcp: 900, filled: 1500, long: 400 });
  await typing(browser, state);
  await manyRows(browser, state);
} finally {
  await browser.close();
}
process.exit(0);
