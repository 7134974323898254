// SPDX-License-Identifier: Apache-2.0
// The browser, and what every page of the console has to hold: no error, no breach of its policy, no barrier.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

export const [, , top, artefacts] = process.argv;
const require = createRequire(`${top}/webui/package.json`);
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

export const home = "https://127.0.0.1:8443/";
const flags = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
];
const sizes = [["narrow", 360, 780], ["wide", 1366, 768]];

export async function openBrowser() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, args: flags });
}

/** A page of a fresh profile. `expected` matches the console lines that are right at the moment. */
export async function openPage(browser) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1366, height: 768 }, locale: "en-GB" });
  const page = await context.newPage();
  const watch = { wrong: [], requests: [], expected: /$^/ };
  await page.addInitScript(() => {
    window.breaches = [];
    document.addEventListener("securitypolicyviolation", (event) => {
      window.breaches.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
    });
  });
  page.on("request", (request) => watch.requests.push(request.url()));
  page.on("pageerror", (error) => watch.wrong.push(`uncaught: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() !== "error" && message.type() !== "warning") return;
    const line = `${message.type()}: ${message.text()} ${message.location().url}`;
    if (!watch.expected.test(line)) watch.wrong.push(line);
  });
  page.setDefaultTimeout(20000);
  return { context, page, watch };
}

export async function nothingWrong({ page, watch }) {
  assert.deepEqual(await page.evaluate(() => window.breaches), [], "breaches of the Content-Security-Policy");
  assert.deepEqual(watch.wrong, [], "errors on the browser's console");
  for (const url of watch.requests) assert.ok(url.startsWith(home), `a foreign address was asked: ${url}`);
}

/** axe, and no sideways scrolling, light and dark, narrow and wide; a screenshot of each. */
export async function look({ page }, name) {
  for (const [size, width, height] of sizes) {
    for (const colorScheme of ["light", "dark"]) {
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.screenshot({ path: `${artefacts}/${name}-${size}-${colorScheme}.png`, fullPage: true });
      await page.evaluate(axe);
      const { violations, passes } = await page.evaluate(() => window.axe.run());
      const found = violations.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.target.join(" ")} ${n.failureSummary}`).join("; ")}`);
      assert.deepEqual(found, [], `axe on ${name}, ${size}, ${colorScheme}`);
      assert.ok(passes.length > 10, "axe looked at the page");
      const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(over <= 0, `${name} is ${over} px too wide for ${width} px`);
      const small = await page.$$eval("button, select, input:not(.visually-hidden)", (all) =>
        all.filter((e) => e.getBoundingClientRect().height < 24).map((e) => e.outerHTML));
      assert.deepEqual(small, [], `targets too small on ${name}`);
    }
  }
  await page.setViewportSize({ width: 1366, height: 768 });
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "no-preference" });
}

/** Press Tab until the focus is on what `selector` names. */
export async function tabTo(page, selector, most = 30) {
  for (let i = 0; i < most; i++) {
    await page.keyboard.press("Tab");
    if (await page.evaluate((s) => document.activeElement?.matches(s) ?? false, selector)) {
      const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
      assert.notEqual(outline, "none", `the focus on ${selector} is seen`);
      return;
    }
  }
  assert.fail(`${selector} cannot be reached by keyboard`);
}
