// SPDX-License-Identifier: Apache-2.0
// The browser, and what holds for every window at all times: no error, no breach of the policy, no foreign address,
// no secret where it does not belong.
import assert from "node:assert/strict";
import { createRequire } from "node:module";

export const [, , top, artefacts] = process.argv;
const require = createRequire(`${top}/webui/package.json`);
const { chromium } = require("playwright-core");

export const origin = process.env.AURA_ORIGIN ?? "https://127.0.0.1:8443";
const flags = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
  // A microphone that beeps, and nobody to ask whether it may be used.
  "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
];
/** Of each page, the requests that have no answer yet; the stream of events never ends. */
const underWay = new WeakMap();
/** Windows that are open now; a failure takes a picture of each. */
export const windows = [];

export async function openBrowser() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, args: flags });
}

/** Runs in each page before anything of it: breaches of the policy, long tasks, and what is put into storage. */
function watchPage() {
  window.breaches = [];
  window.longTasks = [];
  document.addEventListener("securitypolicyviolation", (event) => {
    window.breaches.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
  });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) window.longTasks.push({ at: entry.startTime, ms: entry.duration });
  }).observe({ type: "longtask" });
}

class Window {
  constructor(context) {
    this.context = context;
    this.watch = { wrong: [], requests: [], answers: [], secrets: new Set(), expected: /$^/, places: new Set(), problems: [] };
  }

  /** Another tab of the same profile. */
  async tab() {
    const page = await this.context.newPage();
    const { watch } = this;
    const open = new Set();
    underWay.set(page, open);
    page.setDefaultTimeout(30000);
    page.on("pageerror", (error) => this.wrong(`uncaught: ${error.message}`));
    page.on("console", (message) => {
      if (message.type() !== "error" && message.type() !== "warning") return;
      this.wrong(`${message.type()}: ${message.text()} ${message.location().url}`);
    });
    page.on("request", (request) => {
      if (request.resourceType() !== "eventsource" && !request.url().includes("/events/stream")) open.add(request);
      watch.requests.push({ method: request.method(), url: request.url(), at: Date.now(), kind: request.resourceType() });
    });
    for (const end of ["requestfinished", "requestfailed"]) page.on(end, (request) => open.delete(request));
    page.on("framenavigated", (frame) => watch.places.add(frame.url()));
    page.on("response", (response) => {
      if (!/json/.test(response.headers()["content-type"] ?? "")) return;
      response.text().then((text) => {
        watch.answers.push(text);
        if (response.status() >= 500) watch.problems.push(`${new Date().toISOString()} ${text}`);
      }, () => undefined);
    });
    return page;
  }

  wrong(line) {
    if (!this.watch.expected.test(line)) this.watch.wrong.push(line);
  }

  /** While `work` runs, lines of the browser's console that match are right. */
  async expecting(pattern, work) {
    const before = this.watch.expected;
    this.watch.expected = pattern;
    try {
      return await work();
    } finally {
      // Lines of the console come a moment after what they tell of.
      await this.page.waitForTimeout(100);
      this.watch.expected = before;
    }
  }

  async go(path) {
    await this.page.goto(origin + path);
    await settled(this);
  }

  async close() {
    windows.splice(windows.indexOf(this), 1);
    await this.context.close();
  }
}

/** A window of a fresh profile: nobody is logged in. */
export async function openWindow(browser, options = {}) {
  const context = await browser.newContext({
    ignoreHTTPSErrors: true, viewport: { width: 1366, height: 768 }, locale: "en-GB", timezoneId: "UTC", ...options,
  });
  await context.addInitScript(watchPage);
  const w = new Window(context);
  w.page = await w.tab();
  windows.push(w);
  return w;
}

/** The page has its head, nothing says that it is still loading, and no request but the stream is under way. */
export async function settled(w, page = w.page) {
  await page.locator("h1").first().waitFor();
  await page.waitForFunction(() => !document.querySelector("[aria-busy=true]"), null, { polling: 50 });
  const until = Date.now() + 30000;
  let quiet = Date.now();
  let seen = w.watch.requests.length;
  while (Date.now() - quiet < 250 && Date.now() < until) {
    await page.waitForTimeout(50);
    if (w.watch.requests.length !== seen || underWay.get(page).size > 0 || (await page.locator("[aria-busy=true]").count()) > 0) quiet = Date.now();
    seen = w.watch.requests.length;
  }
}

/** Everything a page could have kept: address, both storages, cookies it can read, its text and values. */
function kept() {
  const dump = (storage) => JSON.stringify(Object.entries(storage));
  const values = [...document.querySelectorAll("input, textarea")].map((e) => e.value).join("\n");
  return {
    address: location.href, local: dump(localStorage), session: dump(sessionStorage), cookie: document.cookie,
    history: JSON.stringify(history.state), document: document.documentElement.outerHTML, values,
  };
}

/** Fails if one of the secrets the window saw is anywhere but where it was typed and shown. */
export async function noSecretKept(w, page = w.page) {
  const places = await page.evaluate(kept);
  const addresses = w.watch.requests.map((r) => r.url).join("\n") + [...w.watch.places].join("\n");
  for (const secret of w.watch.secrets) {
    for (const [place, text] of Object.entries({ ...places, addresses })) {
      assert.ok(!text.includes(secret) && !text.includes(encodeURIComponent(secret)), `a secret is in ${place}`);
    }
  }
  assert.equal(places.cookie, "", "the page can read no cookie");
}

export async function nothingWrong(w) {
  for (const page of w.context.pages()) {
    assert.deepEqual(await page.evaluate(() => window.breaches), [], "breaches of the Content-Security-Policy");
    assert.equal(await page.evaluate(() => window.hacked), undefined, "a string was run");
  }
  assert.deepEqual(w.watch.wrong, [], `errors on the browser's console; ${w.watch.problems.slice(-5).join("; ")}`);
  for (const { url } of w.watch.requests) {
    assert.ok(url.startsWith(`${origin}/`) || /^(data|blob):/.test(url), `a foreign address was asked: ${url}`);
  }
  await noSecretKept(w);
}
