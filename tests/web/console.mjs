// SPDX-License-Identifier: Apache-2.0
// What an administrator does in the console, from the first log-in on. Run by test_console.py inside its box.
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { artefacts, home, look, nothingWrong, openBrowser, openPage, tabTo } from "./page.mjs";
import { api, get } from "./wire.mjs";

const hostile = `<img src=x onerror="window.hacked=1"> & 'Ålice' \u202eevil`;
// As long as a name may be: every width has to bear it.
const long = "presence-on-the-third-floor-of-the-house-beside-the-river-00001";
const password = "a password of my own";
const initialFile = "/var/lib/aurabox/initial-admin-password";
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Ask test_console.py for what cannot be done from here. */
async function host(wish) {
  console.log(`@${JSON.stringify(wish)}`);
  assert.equal((await answers.next()).value, "done");
}

const row = (name) => `tr[data-vm="${name}"]`;
const button = (name, label) => `${row(name)} button:has-text("${label}")`;

async function shows(page, name, word, timeout = 60000) {
  await page.locator(`${row(name)} .badge`, { hasText: new RegExp(`${word}$`) }).waitFor({ timeout });
}

async function enter(page, name, secret) {
  await page.fill("[name=username]", name);
  await page.fill("[name=password]", secret);
  await page.click("button.primary");
}

async function headers() {
  const index = await get("/");
  const same = { "x-content-type-options": "nosniff", "cross-origin-resource-policy": "same-origin" };
  const has = (answer, wanted) => {
    for (const [name, value] of Object.entries({ ...same, ...wanted })) assert.equal(answer.headers[name], value, name);
    assert.match(answer.headers["strict-transport-security"], /max-age=\d{7,}/);
    for (const name of Object.keys(answer.headers)) assert.doesNotMatch(name, /^access-control-allow/);
  };
  assert.equal(index.status, 200);
  has(index, { "cache-control": "no-cache", "cross-origin-opener-policy": "same-origin", "content-type": "text/html; charset=utf-8" });
  const policy = index.headers["content-security-policy"];
  assert.match(policy, /default-src 'self'/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.doesNotMatch(policy, /unsafe|\*/);
  const again = await get("/", { "If-None-Match": index.headers.etag });
  assert.deepEqual([again.status, again.bytes.length], [304, 0]);
  assert.equal((await get("/machines/sm")).text, index.text, "any other page is the index");

  const script = /src="(\/assets\/[^"]+\.js)"/.exec(index.text)[1];
  const plain = await get(script);
  has(plain, { "cache-control": "public, max-age=31536000, immutable" });
  assert.match(plain.headers["content-type"], /^text\/javascript/);
  const br = await get(script, { "Accept-Encoding": "gzip, br" });
  has(br, { "content-encoding": "br", vary: "Accept-Encoding" });
  assert.ok(br.bytes.length < plain.bytes.length / 2.5, "brotli makes it smaller");
  assert.equal((await get(script, { "Accept-Encoding": "gzip" })).headers["content-encoding"], "gzip");
  assert.equal((await get("/assets/none.js")).status, 404);

  const refused = await get("/api/v1/vms");
  assert.equal(refused.status, 401);
  has(refused, { "content-type": "application/problem+json" });
  assert.ok(refused.headers["www-authenticate"]);
  const document = await get("/api/v1/openapi.json");
  has(document, {});
  assert.match(document.headers["cache-control"], /no-store|no-cache/);
  writeFileSync(`${artefacts}/openapi.json`, document.text);
}

async function firstLogIn(w) {
  const { page, watch, context } = w;
  watch.expected = /401.*\/api\/v1\/session$/;
  const cdp = await context.newCDPSession(page);
  await cdp.send("Network.enable");
  let bytes = 0;
  cdp.on("Network.loadingFinished", (event) => (bytes += event.encodedDataLength));
  await page.goto(home);
  await page.waitForSelector("[name=password]");
  await page.waitForLoadState("networkidle");
  console.log(`first page: ${watch.requests.length} requests, ${bytes} bytes`);
  assert.ok(watch.requests.length <= 10 && bytes <= 100000);
  await look(w, "log-in");

  await enter(page, "admin", "not the password");
  await page.getByRole("alert").waitFor();
  await look(w, "log-in-refused");
  assert.equal(await page.inputValue("[name=username]"), "admin", "what was typed stays");
  await enter(page, "admin", readFileSync(initialFile, "utf8").trim());
  await page.waitForSelector("[name=new]");
  await page.reload();
  await page.waitForSelector("[name=new]");
  await look(w, "change-password");
  const change = async (old, fresh, again) => {
    await page.fill("[name=old]", old);
    await page.fill("[name=new]", fresh);
    await page.fill("[name=again]", again);
    await page.click("button.primary");
  };
  const initial = readFileSync(initialFile, "utf8").trim();
  await change(initial, password, `${password}?`);
  await page.getByRole("alert").getByText("differ").waitFor();
  await change(initial, "too short", "too short");
  assert.ok(await page.$("[name=new]:invalid"), "a short password is refused");
  watch.expected = /(401|403).*\/api\/v1\/session(\/password)?$/;
  await change("not the old one", password, password);
  await page.getByRole("alert").waitFor();
  await change(initial, password, password);
  await page.getByRole("heading", { name: "Machines" }).waitFor();
  assert.ok(!existsSync(initialFile), "the one-time password is gone");
  await page.getByText("No machines yet").waitFor();
  await look(w, "no-machines");
  await nothingWrong(w);
  watch.expected = /$^/;
}

async function liveChanges(w) {
  const { page } = w;
  await page.evaluate(() => (window.sameDocument = true));
  await api("POST", "/vms", { template: "sm" });
  await page.waitForSelector(row("sm"));
  await shows(page, "sm", "Ready");
  await page.getByText("1 machine: 1 ready").waitFor();
  await api("POST", "/vms", { template: "presence", name: long });
  await shows(page, long, "(Deploying|Starting|Not ready)");
  await look(w, "machines-starting");
  await shows(page, long, "Ready");
  await api("POST", `/vms/${long}/actions/stop`);
  await shows(page, long, "Stopped");
  await page.getByText("2 machines: 1 ready, 1 stopped").waitFor();
  await api("PATCH", "/vms/sm", { memory_mib: 160 });
  await page.locator(row("sm")).getByText("after a restart: 160 MiB").waitFor();
  await look(w, "machines");
  assert.equal(await page.evaluate(() => window.sameDocument), true, "the page was never loaded anew");
}

async function buttons(w) {
  const { page } = w;
  await page.click(button(long, "Start"));
  await shows(page, long, "Ready");
  assert.equal((await api("GET", `/vms/${long}`)).desired_state, "running");
  await page.click(button(long, "Shut down"));
  await page.getByRole("dialog").getByText(`Shut down ${long}?`).waitFor();
  await look(w, "shut-down");
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.equal((await api("GET", `/vms/${long}`)).desired_state, "running");
  await page.click(button(long, "Shut down"));
  await page.getByRole("dialog").getByRole("button", { name: "Shut down" }).click();
  await shows(page, long, "Stopped");
  assert.equal((await api("GET", `/vms/${long}`)).desired_state, "stopped");
}

async function failedStart(w) {
  const { page } = w;
  await host({ do: "spoil" });
  await page.click(button(long, "Start"));
  await page.getByRole("alert").waitFor();
  console.log(`a spoiled image: ${await page.getByRole("alert").innerText()}`);
  await look(w, "start-failed");
  await page.getByRole("button", { name: "Dismiss" }).click();
  assert.equal(await page.getByRole("alert").count(), 0);
  await host({ do: "spoil" });
  await api("POST", `/vms/${long}/actions/stop`).catch(() => undefined);
  await nothingWrong(w);
}

/** 0 black to 255 white: what lies behind everything. */
async function brightness(page) {
  const colour = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const parts = colour.match(/[\d.]+/g).map(Number);
  return (parts[0] + parts[1] + parts[2]) / 3;
}

async function keyboard(w) {
  const { page } = w;
  await page.reload();
  await page.waitForSelector(row("sm"));
  await tabTo(page, "a.skip", 1);
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "content");
  await page.reload();
  await page.waitForSelector(row("sm"));
  await tabTo(page, "header select");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  assert.ok((await brightness(page)) < 60, "dark was chosen");
  await page.screenshot({ path: `${artefacts}/theme-dark.png` });
  await page.reload();
  await page.waitForSelector(row("sm"));
  assert.ok((await brightness(page)) < 60, "and is remembered");
  await page.emulateMedia({ colorScheme: "dark" });
  await page.selectOption("header select", "light");
  assert.ok((await brightness(page)) > 200, "light was chosen on a dark system");
  await page.selectOption("header select", "system");
  assert.ok((await brightness(page)) < 60, "the system's again");
  await page.emulateMedia({ colorScheme: "light" });
  assert.ok((await brightness(page)) > 200, "and it follows");
  await tabTo(page, `${row("sm")} button`);
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  assert.ok(await page.evaluate(() => document.activeElement.closest("dialog") !== null), "the focus is in the dialog");
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.ok(await page.evaluate((s) => document.activeElement.matches(s), `${row("sm")} button`), "the focus is back");
}

async function restartHeals(w) {
  const { page, watch } = w;
  await nothingWrong(w);
  watch.expected = /\/api\/v1\/(events\/stream|vms)/;
  await page.evaluate(() => (window.sameDocument = true));
  for (const how of ["stop-daemon", "kill-daemon"]) {
    await host({ do: how });
    await page.getByText("Connection lost").waitFor();
    assert.ok(await page.$(row("sm")), "what is known stays on the page");
    if (how === "stop-daemon") await look(w, "connection-lost");
    await host({ do: "start-daemon" });
    await page.getByText("Live", { exact: true }).waitFor({ timeout: 30000 });
    await shows(page, "sm", "Ready");
  }
  await api("POST", "/vms/sm/actions/stop");
  await shows(page, "sm", "Stopped");
  await api("POST", "/vms/sm/actions/start");
  await shows(page, "sm", "Ready");
  assert.equal(await page.evaluate(() => window.sameDocument), true, "healed without a reload");
  await nothingWrong(w);
  watch.expected = /$^/;
}

async function sessionEnds(w) {
  const { page, watch } = w;
  watch.expected = /401.*\/api\/v1\/(events\/stream|vms|session)/;
  // Ended elsewhere: the page learns it from its stream.
  await page.evaluate(async () => {
    const { csrf_token } = await (await fetch("/api/v1/session")).json();
    await fetch("/api/v1/session", { method: "DELETE", headers: { "X-CSRF-Token": csrf_token } });
  });
  await page.getByText("Your session has ended").waitFor();
  await look(w, "session-ended");
  await enter(page, "admin", password);
  await shows(page, "sm", "Ready");
  assert.equal(await page.evaluate(() => document.activeElement.tagName), "H1", "the focus is on the new page's head");
  assert.equal(await page.getByText("Your session has ended").count(), 0);
  await page.click("text=Log out");
  await page.waitForSelector("[name=password]");
  await page.goto(home);
  await page.waitForSelector("[name=password]");
  await nothingWrong(w);
}

async function othersSeeLess(w) {
  const { page } = w;
  const secret = "a password for others";
  await api("POST", "/admins", { name: hostile, role: "auditor", password: secret, must_change_password: false });
  await api("POST", "/admins", { name: "tess", role: "telephony", password: secret, must_change_password: false });
  await enter(page, hostile, secret);
  await shows(page, "sm", "Ready");
  assert.equal(await page.locator("table button").count(), 0, "an auditor is offered nothing to do");
  assert.equal(await page.locator("header bdi").textContent(), hostile);
  assert.equal(await page.locator("img[src=x]").count(), 0);
  assert.equal(await page.evaluate(() => window.hacked), undefined);
  await look(w, "auditor");
  const refused = await page.evaluate(async () => {
    const { csrf_token } = await (await fetch("/api/v1/session")).json();
    const path = "/api/v1/vms/sm/actions/stop";
    return (await fetch(path, { method: "POST", headers: { "X-CSRF-Token": csrf_token } })).status;
  });
  assert.equal(refused, 403, "nor may one without the buttons");
  w.watch.expected = /403.*actions\/stop|401.*session/;
  await page.click("text=Log out");
  await enter(page, "tess", secret);
  await page.getByText("may not see the machines").waitFor();
  await look(w, "telephony");
}

const browser = await openBrowser();
const w = await openPage(browser);
try {
  await headers();
  console.log("ok headers");
  for (const part of [firstLogIn, liveChanges, buttons, failedStart, keyboard, restartHeals, sessionEnds, othersSeeLess]) {
    const began = Date.now();
    await part(w);
    console.log(`ok ${part.name} ${((Date.now() - began) / 1000).toFixed(1)}`);
  }
} catch (error) {
  await w.page.screenshot({ path: `${artefacts}/failed.png`, fullPage: true });
  console.log(`errors seen: ${JSON.stringify(w.watch.wrong)}`);
  throw error;
} finally {
  await browser.close();
}
process.exit(0);
