// SPDX-License-Identifier: Apache-2.0
// The first page's bytes and requests, and how far a page moves under its reader (facts of the budget table).
import assert from "node:assert/strict";
import { takeOver, windowOf } from "../harness/accounts.mjs";
import { nothingWrong, openWindow, origin, settled } from "../harness/browser.mjs";

const REQUESTS = 10;
const BYTES = 100_000;
const STYLES = 10_240;
const ROWS = 1000;
const SHIFT = 0.05;
const row = "table tbody tr";
/** There is no session manager here to ask for phones and calls. */
const noPhones = /503.*\/uc\/(registrations|calls)/;

/** A page in a profile that has nothing in its cache; every request counts, the stream and the window's sign too. */
async function cost(browser, path, ready, storageState) {
  const fresh = await openWindow(browser, { storageState });
  const cdp = await fresh.context.newCDPSession(fresh.page);
  await cdp.send("Network.enable");
  const kinds = new Map();
  const wire = { bytes: 0, styles: 0, asked: [] };
  cdp.on("Network.requestWillBeSent", (event) => wire.asked.push(event.request.url.replace(origin, "")));
  cdp.on("Network.responseReceived", (event) => kinds.set(event.requestId, event.type));
  cdp.on("Network.loadingFinished", (event) => {
    wire.bytes += event.encodedDataLength;
    if (kinds.get(event.requestId) === "Stylesheet") wire.styles += event.encodedDataLength;
  });
  await fresh.page.goto(origin + path);
  await fresh.page.waitForSelector(ready);
  await settled(fresh);
  await fresh.page.waitForTimeout(500);
  fresh.watch.wrong = fresh.watch.wrong.filter((line) => !noPhones.test(line));
  await nothingWrong(fresh);
  await fresh.close();
  return wire;
}

function within(what, wire) {
  console.log(`    ${what}: ${wire.asked.length} requests, ${wire.bytes} bytes, styles ${wire.styles}`);
  assert.ok(wire.asked.length <= REQUESTS, `${what} takes ${wire.asked.length} requests: ${wire.asked.join(", ")}`);
  assert.ok(wire.bytes <= BYTES, `${what} takes ${wire.bytes} bytes`);
  assert.ok(wire.styles <= STYLES, `${what} takes ${wire.styles} bytes of styles`);
}

async function the_log_in_page({ browser }) {
  within("the log-in page", await cost(browser, "/", "[name=username]"));
}

let w;

async function home_after_log_in({ browser }) {
  await takeOver();
  w = await windowOf(browser, "admin");
  const state = await w.context.storageState();
  let wire = await cost(browser, "/", "main h1", state);
  // Who is slow is asked for alone, after the rest: on a busy machine that is another request.
  for (let i = 0; i < 2 && wire.asked.length > REQUESTS; i++) wire = await cost(browser, "/", "main h1", state);
  within("Home", wire);
  assert.equal(wire.asked.filter((each) => each.startsWith("/api/v1/batch?")).length, 1, "what Home shows is one request");
}

async function another_list_does_not_jump() {
  await w.expecting(noPhones, scrolledAndSearched);
  await nothingWrong(w);
}

async function scrolledAndSearched() {
  const { page } = w;
  await page.goto(`${origin}/people`);
  await settled(w);
  for (let n = 0; (n = await page.locator(row).count()) < ROWS; ) {
    await page.locator("main .foot button").click();
    await page.waitForFunction(([what, had]) => document.querySelectorAll(what).length > had, [row, n]);
  }
  await page.evaluate(() => {
    window.shift = 0;
    const add = (list) => list.getEntries().forEach((entry) => entry.hadRecentInput || (window.shift += entry.value));
    new PerformanceObserver(add).observe({ type: "layout-shift" });
  });
  await page.keyboard.press("/");
  // The browser forgives what moves within half a second of a key: set at once, answered later.
  await page.route("**/api/v1/**", async (route) => {
    await new Promise((done) => setTimeout(done, 900));
    await route.continue();
  });
  await page.keyboard.type("curie 3");
  await page.waitForFunction(([what, most]) => document.querySelectorAll(what).length < most, [row, ROWS]);
  await page.waitForTimeout(300);
  await page.unrouteAll({ behavior: "ignoreErrors" });
  const shift = await page.evaluate(() => window.shift);
  console.log(`    ${await page.locator(row).count()} rows found among ${ROWS}: layout shift ${shift.toFixed(3)}`);
  assert.ok(shift <= SHIFT, `the page jumped: ${shift}`);
}

export const steps = [the_log_in_page, home_after_log_in, another_list_does_not_jump];
