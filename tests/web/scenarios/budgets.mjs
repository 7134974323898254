// SPDX-License-Identifier: Apache-2.0
// The first page's bytes and requests, and how far a page moves under its reader (facts of the budget table).
import assert from "node:assert/strict";
import { takeOver, windowOf } from "../harness/accounts.mjs";
import { misfitsOf, picture } from "../harness/look.mjs";
import { nothingWrong, openWindow, origin, settled } from "../harness/browser.mjs";

const REQUESTS = 10;
/** One is left for what an appliance with guests answers late. */
const HOME_REQUESTS = 9;
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

function within(what, wire, requests = REQUESTS) {
  console.log(`    ${what}: ${wire.asked.length} requests, ${wire.bytes} bytes, styles ${wire.styles}`);
  assert.ok(wire.asked.length <= requests, `${what} takes ${wire.asked.length} requests: ${wire.asked.join(", ")}`);
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
  // Who is slow is asked for again, after the rest: on a busy machine that is another request.
  for (let i = 0; i < 2 && wire.asked.length > HOME_REQUESTS; i++) wire = await cost(browser, "/", "main h1", state);
  within("Home", wire, HOME_REQUESTS);
  assert.equal(wire.asked.filter((each) => each.startsWith("/api/v1/batch?")).length, 1, "what Home shows is one request");
}

/** What Home says first comes piece by piece, and nothing of it pushes the rest away. */
async function home_stands_still({ browser }) {
  const storageState = await w.context.storageState();
  for (const [width, height] of [[360, 740], [1366, 768]]) {
    const fresh = await openWindow(browser, { storageState, viewport: { width, height } });
    await fresh.page.addInitScript(observeShift);
    await fresh.page.goto(origin);
    await fresh.page.waitForSelector(".figures .value");
    await settled(fresh);
    await fresh.page.waitForTimeout(500);
    const { shift, moved } = await fresh.page.evaluate(() => window.shifted);
    assert.ok(await fresh.page.locator(".figures").isVisible(), "the figures are seen in the end");
    await fresh.close();
    console.log(`    Home, ${width} px: layout shift ${shift.toFixed(3)}`);
    assert.ok(shift <= SHIFT, `Home moved at ${width} px: ${shift}: ${moved.join(", ")}`);
  }
}

/** Each entry at the foot of a telephone's window shows its whole word, in longer words, too. */
async function the_bar_at_the_foot_is_whole({ browser }) {
  const storageState = await w.context.storageState();
  for (const locale of ["en-GB", "pseudo"]) {
    const fresh = await openWindow(browser, { storageState, viewport: { width: 360, height: 740 } });
    await fresh.page.goto(`${origin}/?locale=${locale}`);
    await settled(fresh);
    assert.equal(await fresh.page.locator("nav a").count(), 6, "an administrator has all entries");
    assert.deepEqual(await misfitsOf(fresh.page), [], `at 360 px, ${locale}`);
    await picture(fresh.page, `foot-${locale}`, false);
    await fresh.close();
  }
}

/** In the page, before its own scripts. */
function observeShift() {
  window.shifted = { shift: 0, moved: [] };
  const add = (entry) => {
    if (entry.hadRecentInput) return;
    window.shifted.shift += entry.value;
    window.shifted.moved.push(...entry.sources.map((source) => source.node?.className ?? source.node?.nodeName));
  };
  new PerformanceObserver((list) => list.getEntries().forEach(add)).observe({ type: "layout-shift", buffered: true });
}

/** Who was here before gets the page's list asked for while its code still comes, and once: not after the frame stands. */
async function a_list_is_asked_for_first() {
  const list = "/api/v1/uc/users?limit=50&count=true&sort=handle";
  const { asked } = await cost(w.context.browser(), "/people", row, await w.context.storageState());
  const [session, users, stream] = ["/api/v1/session", list, "/api/v1/events/stream"].map((each) => asked.indexOf(each));
  assert.ok(session >= 0 && session < users && users < stream, `in which order: ${asked.join(", ")}`);
  const code = asked.findLastIndex((each) => each.endsWith(".js"));
  console.log(`    the list is request ${users + 1}, the last of the code ${code + 1}, the stream ${stream + 1}`);
  const again = asked.slice(stream).filter((each) => decodeURIComponent(each).includes(list));
  assert.equal(again.length, 1, `looked at again once when the stream is there: ${asked.join(", ")}`);
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

export const steps = [the_log_in_page, home_after_log_in, home_stands_still, the_bar_at_the_foot_is_whole, a_list_is_asked_for_first, another_list_does_not_jump];
