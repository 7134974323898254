// SPDX-License-Identifier: Apache-2.0
// A fresh appliance: the one-time password, a password of one's own, the first run from the plan to applied components
// and people, left and resumed in between, and at its end a real call that is seen in the page.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { fillLogIn, notLoggedIn, password } from "../harness/accounts.mjs";
import { noSecretKept, nothingWrong, openWindow, origin, settled } from "../harness/browser.mjs";
import { phones } from "../harness/host.mjs";
import { look } from "../harness/look.mjs";
import { api } from "../harness/wire.mjs";

const initialFile = "/var/lib/aurabox/initial-admin-password";
const initial = () => readFileSync(initialFile, "utf8").trim();
let w;

async function the_first_page_is_small({ browser }) {
  w = await openWindow(browser);
  const cdp = await w.context.newCDPSession(w.page);
  await cdp.send("Network.enable");
  let bytes = 0;
  cdp.on("Network.loadingFinished", (event) => (bytes += event.encodedDataLength));
  await w.expecting(notLoggedIn, async () => {
    await w.go("/");
    await w.page.locator("[name=password]").waitFor();
  });
  console.log(`    first page: ${w.watch.requests.length} requests, ${bytes} bytes`);
  assert.ok(w.watch.requests.length <= 10, "10 requests at most");
  assert.ok(bytes <= 100000, "100 kB on the wire at most");
  await look(w, "first-log-in");
}

/** Nobody answers for people and calls until there is an smgr; the pages say it, and so does the browser's console. */
const nobodyAnswers = /503.*\/api\/v1\/uc\//;

async function the_one_time_password_must_be_changed() {
  const secret = initial();
  const change = async (old, fresh, again) => {
    await w.page.fill("[name=old]", old);
    await w.page.fill("[name=new]", fresh);
    await w.page.fill("[name=again]", again);
    await w.page.locator("main form button").click();
  };
  await w.expecting(/(401|403).*\/api\/v1\/session(\/password)?$/, async () => {
    await fillLogIn(w.page, "admin", "not the password");
    await w.page.getByRole("alert").first().waitFor();
    await fillLogIn(w.page, "admin", secret);
    await w.page.locator("[name=new]").waitFor();
    await w.page.reload();
    await w.page.locator("[name=new]").waitFor();
    await look(w, "first-password");
    await change(secret, password, `${password}?`);
    await w.page.getByText("The two new passwords differ.").waitFor();
    await change(secret, "too short", "too short");
    assert.ok(await w.page.$("[name=new]:invalid"), "a short password is refused");
    await change("not the old one", password, password);
    await w.page.getByRole("alert").first().waitFor();
    await change(secret, password, password);
    w.watch.expected = new RegExp(`${w.watch.expected.source}|${nobodyAnswers.source}`);
    await w.page.locator("[name=new]").waitFor({ state: "detached" });
  });
  w.watch.expected = nobodyAnswers;
  assert.ok(!existsSync(initialFile), "the one-time password is gone");
  w.watch.secrets.add(secret);
  w.watch.secrets.add(password);
  await settled(w);
  await noSecretKept(w);
}

/** Home of an empty appliance says so and leads to the first run. */
async function home_offers_the_first_run() {
  await w.go("/");
  await w.page.getByText("This appliance is not set up yet").waitFor();
  await look(w, "home-fresh");
  for (const [path, name] of [["/machines", "machines-none"], ["/calls", "calls-none"], ["/people", "people-none"]]) {
    await w.go(path);
    await look(w, name);
  }
  await w.go("/");
  await w.page.getByRole("link", { name: "Set it up" }).click();
  await w.page.getByRole("heading", { level: 1, name: "Set up this appliance" }).waitFor();
  await settled(w);
}

const next = () => w.page.getByRole("button", { name: "Continue", exact: true });
const panel = (step) => w.page.locator(`[data-step-panel="${step}"]`);

async function name_time_machines_and_people_are_chosen() {
  await panel("name").waitFor();
  await w.page.locator("[name=name]").fill("House by the river");
  await look(w, "setup-name");
  await next().click();
  await panel("components").waitFor();
  await settled(w);
  assert.deepEqual(await w.page.locator("[name=component]:checked").evaluateAll((all) => all.map((e) => e.value).sort()), ["cm", "presence", "sm", "smgr"]);
  // What builds on another goes with it, and what is needed comes along.
  await w.page.locator("[name=component][value=sm]").uncheck();
  assert.ok(!(await w.page.locator("[name=component][value=cm]").isChecked()), "cm needs sm");
  await w.page.locator("[name=component][value=cm]").check();
  assert.ok(await w.page.locator("[name=component][value=sm]").isChecked());
  await w.page.locator("[name=component][value=presence]").check();
  await look(w, "setup-components");
  await next().click();
  await panel("people").waitFor();
  await settled(w);
  const count = await w.page.locator("[name=person]").count();
  assert.ok(count >= 2, "two people are proposed");
  for (let i = count; i > 2; i--) await w.page.getByRole("button", { name: `Leave out person ${i}` }).click();
  for (const [i, [handle, name]] of [["3001", "Ada Lovelace"], ["3002", "Alexander Graham Bell"]].entries()) {
    await w.page.locator("[name=handle]").nth(i).fill(handle);
    await w.page.locator("[name=person]").nth(i).fill(name);
  }
  await look(w, "setup-people");
}

/** Left in the middle and come back to: what was chosen is still there. */
async function it_can_be_left_and_resumed() {
  await w.page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "System" }).click();
  await w.page.getByRole("heading", { level: 1, name: "System" }).or(w.page.locator("h1")).first().waitFor();
  const leave = w.page.getByRole("dialog").getByRole("button", { name: "Leave", exact: true });
  if (await leave.isVisible()) await leave.click();
  await settled(w);
  await w.page.goBack();
  await panel("people").waitFor();
  assert.equal(await w.page.locator("[name=person]").first().inputValue(), "Ada Lovelace");
  await next().click();
  await panel("plan").waitFor();
  await settled(w);
  const lines = await w.page.locator("[data-target]").evaluateAll((all) => all.map((e) => `${e.dataset.action} ${e.dataset.target}`));
  for (const name of ["smgr", "sm", "cm", "presence"]) assert.ok(lines.some((line) => line.startsWith("create") && line.endsWith(name)), `${name} in ${lines}`);
  for (const handle of ["3001", "3002"]) assert.ok(lines.some((line) => line.startsWith("create") && line.includes(handle)), lines.join());
  await look(w, "setup-plan");
  assert.deepEqual((await api("GET", "/vms")).items, [], "a plan changes nothing");
}

let secrets;

async function it_is_applied_and_watched() {
  const began = Date.now();
  await w.page.getByRole("button", { name: "Do it", exact: true }).click();
  await w.page.locator('[data-vm="smgr"]').waitFor({ timeout: 30000 });
  await look(w, "setup-applying");
  await w.page.waitForFunction(() => document.querySelectorAll('[data-step-panel="call"], dialog[open]').length > 0 ||
    /All of it is done/.test(document.body.innerText), null, { timeout: 240000 });
  w.watch.expected = /$^/;
  console.log(`    applied after ${((Date.now() - began) / 1000).toFixed(1)} s`);
}

async function the_passwords_are_shown_once() {
  const shown = w.page.getByRole("dialog").locator("[data-secret]");
  await shown.first().waitFor();
  secrets = Object.fromEntries(await shown.evaluateAll((all) => all.map((e) => [e.dataset.secret, e.textContent.trim()])));
  assert.deepEqual(Object.keys(secrets).sort(), ["3001", "3002"]);
  await look(w, "setup-passwords");
  await w.page.getByRole("button", { name: "I have them" }).click();
  await w.page.getByRole("dialog").waitFor({ state: "detached" });
  for (const secret of Object.values(secrets)) w.watch.secrets.add(secret);
  await noSecretKept(w);
}

async function it_ends_on_a_real_call() {
  await panel("call").waitFor();
  await settled(w);
  await look(w, "setup-call-waiting");
  const part = (name, on) => w.page.locator(`[data-part="${name}"][data-on="${on}"]`);
  await part("registered-3001", false).waitFor();
  for (const [handle, tone] of [["3001", 440], ["3002", 880]]) {
    await phones({ do: "register", handle, password: secrets[handle], tone });
    await part(`registered-${handle}`, true).waitFor({ timeout: 30000 });
  }
  await phones({ do: "dial", caller: "3001", callee: "3002" });
  await part("talk", true).waitFor({ timeout: 30000 });
  await look(w, "setup-call-talking");
  await phones({ do: "hang-up", handle: "3001" });
  await w.page.getByText("It works").waitFor({ timeout: 30000 });
  await look(w, "setup-call-done");
  await w.page.getByRole("button", { name: "Go to Home" }).click();
  await w.page.getByText(/Calls work: last call/).waitFor();
  await settled(w);
  await look(w, "home-after-first-run");
  assert.equal((await api("GET", "/setup")).state, "done");
  for (const handle of ["3001", "3002"]) await phones({ do: "unregister", handle });
  await nothingWrong(w);
}

async function a_second_run_keeps_what_exists() {
  await w.go("/setup?step=plan");
  const lines = await w.page.locator("[data-target]").evaluateAll((all) => all.map((e) => e.dataset.action));
  assert.ok(lines.length > 0 && lines.every((each) => each === "keep"), lines.join());
  await look(w, "setup-again");
  await nothingWrong(w);
}

export const steps = [
  the_first_page_is_small, the_one_time_password_must_be_changed, home_offers_the_first_run,
  name_time_machines_and_people_are_chosen, it_can_be_left_and_resumed, it_is_applied_and_watched, the_passwords_are_shown_once,
  it_ends_on_a_real_call, a_second_run_keeps_what_exists,
];
