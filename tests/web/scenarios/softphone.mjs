// SPDX-License-Identifier: Apache-2.0
// The softphone: two tabs sign in and call each other, with sound and with the ladder beside it; what goes wrong is told.
import assert from "node:assert/strict";
import { takeOver, windowOf } from "../harness/accounts.mjs";
import { nothingWrong, origin, settled } from "../harness/browser.mjs";
import { walkByKeyboard } from "../harness/keyboard.mjs";
import { glance, look } from "../harness/look.mjs";

const passwordOf = (user) => `secret-${user}-${user}`;
let w;
let ada;
let bob;

/** Runs in each page before anything of it: the connections that the page makes, to be asked what they carry. */
function watchSound() {
  window.connections = [];
  window.RTCPeerConnection = class extends window.RTCPeerConnection {
    constructor(...args) {
      super(...args);
      window.connections.push(this);
    }
  };
}

/** How much sound came in by the newest call: packets, and energy that is none in silence. */
async function heard(page) {
  return page.evaluate(async () => {
    const stats = await window.connections.at(-1).getStats();
    const inbound = [...stats.values()].find((each) => each.type === "inbound-rtp" && each.kind === "audio");
    return { packets: inbound?.packetsReceived ?? 0, energy: inbound?.totalAudioEnergy ?? 0 };
  });
}

async function hearsSomething(page) {
  const before = await heard(page);
  for (let i = 0; i < 50; i++) {
    const now = await heard(page);
    if (now.packets > before.packets + 20 && now.energy > before.energy) return;
    await page.waitForTimeout(100);
  }
  assert.fail(`nothing is heard: ${JSON.stringify([before, await heard(page)])}`);
}

const button = (page, name) => page.getByRole("button", { name, exact: true });
const is = (page, state) => page.locator(`[data-call=${state}]`).waitFor();
const badge = (page, word) => page.locator("header").getByText(word, { exact: true }).waitFor();

/** The page says so, marks of direction aside. */
async function told(page, what) {
  const source = typeof what === "string" ? what.replace(/[.*+?()]/g, "\\$&") : what.source;
  await page.waitForFunction((pattern) => new RegExp(pattern).test(document.querySelector("main").innerText.replace(/[\u2066-\u2069]/g, "")), source);
}

async function signIn(page, user, secret = passwordOf(user)) {
  w.watch.secrets.add(secret);
  await page.getByLabel("Extension").fill(user);
  await page.getByLabel("Telephone password").fill(secret);
  await button(page, "Sign in").click();
}

async function dial(page, number) {
  await page.getByLabel("Number to call").fill(number);
  await button(page, "Call").click();
}

/** The labels that the ladder shows now. */
const labels = (page) => page.locator("[role=option]").evaluateAll((all) => all.map((each) => each.dataset.label));

async function an_administrator_finds_it({ browser }) {
  await takeOver();
  w = await windowOf(browser, "admin", "/calls");
  // Where the users are kept is no part of this test; what it would say of the domain is.
  await w.context.route("**/api/v1/uc/settings", (route) => route.fulfill({ contentType: "application/json", body: JSON.stringify({ domain: "aurabox.internal" }) }));
  await w.context.addInitScript(watchSound);
  ada = w.page;
  bob = await w.tab();
  await ada.getByRole("link", { name: "Softphone" }).click();
  await ada.getByRole("heading", { level: 1, name: "Softphone" }).waitFor();
  await w.go("/calls/softphone?user=3001");
  assert.equal(await ada.getByLabel("Extension").inputValue(), "3001");
  await look(w, "softphone-out");
  await walkByKeyboard(ada, "softphone");
  assert.ok(!w.watch.requests.some(({ url }) => /\/assets\/sip-/.test(url)), "the library comes when one signs in");
}

async function a_wrong_password_is_told_plainly({ host }) {
  await signIn(ada, "3001", "not the password");

  await ada.getByRole("alert").filter({ hasText: "The extension or the password is wrong." }).waitFor();
  assert.equal(await ada.getByLabel("Telephone password").inputValue(), "");
  assert.deepEqual(await host("registrations"), []);
  await glance(w, "softphone-wrong");
  await nothingWrong(w);
}

async function two_tabs_register({ host }) {
  await signIn(ada, "3001");
  await badge(ada, "Registered");
  await bob.goto(`${origin}/calls/softphone`);
  await settled(w, bob);
  await signIn(bob, "3002");
  await badge(bob, "Registered");
  assert.deepEqual(await host("registrations"), [["3001", "wss"], ["3002", "wss"]]);
  await nothingWrong(w);
}

async function one_calls_the_other_and_both_hear() {
  // By the keyboard alone.
  await ada.getByLabel("Number to call").focus();
  await ada.keyboard.type("3002");
  await ada.keyboard.press("Enter");
  await is(ada, "ringing");
  await ada.waitForFunction(() => document.activeElement?.textContent === "Hang up");
  await is(bob, "called");
  await bob.getByRole("alert").filter({ hasText: /You are called by.*3001/s }).waitFor();
  await glance(w, "softphone-called", bob);
  await button(bob, "Answer").click();
  await is(ada, "talking");
  await is(bob, "talking");
  await hearsSomething(ada);
  await hearsSomething(bob);
  await nothingWrong(w);
}

async function the_ladder_of_this_very_call_is_beside_it() {
  // The newest is in sight; what came first is a key away.
  for (const page of [ada, bob]) {
    await page.locator("[data-label=ACK]").first().waitFor();
    await page.getByRole("listbox", { name: "Messages" }).press("Home");
    await page.locator("[data-label=INVITE]").first().waitFor();
  }
  const columns = await ada.locator(".heads .name").allTextContents();
  for (const user of ["3001", "3002"]) assert.ok(columns.some((name) => name.startsWith(user)), `${user} has a column: ${columns}`);
  const [of_ada, of_bob] = await Promise.all([ada, bob].map((page) => page.getByRole("link", { name: "Open in the trace" }).getAttribute("href")));
  assert.equal(of_ada, of_bob, "one call, seen from both ends");
  assert.ok(!(await labels(ada)).includes("REGISTER"), "nothing but the call");
  await look(w, "softphone-talking");
  await ada.locator("[role=option]").first().click();
  await ada.locator("pre b").filter({ hasText: /^INVITE sip:3002@/ }).waitFor();
  await nothingWrong(w);
}

async function keys_are_sent() {
  await button(ada, "Hang up").focus();
  await ada.keyboard.type("12#");
  await button(ada, "0").click();
  await ada.getByRole("status").filter({ hasText: "Keys that were sent: 12#0" }).waitFor();
  await nothingWrong(w);
}

async function muted_means_silence() {
  await button(ada, "Mute").click();
  let louder = Infinity;
  for (let i = 0; i < 8 && louder > 1e-3; i++) {
    const before = await heard(bob);
    await ada.waitForTimeout(1000);
    const after = await heard(bob);
    louder = after.energy - before.energy;
  }
  assert.ok(louder <= 1e-3, `heard while muted: ${louder}`);
  await button(ada, "Muted").click();
  await hearsSomething(bob);
}

async function either_end_hangs_up() {
  await button(ada, "Hang up").click();
  await told(ada, /You hung up after 0:\d\d\./);
  await told(bob, /3001.* hung up after 0:\d\d\./);
  await ada.locator("[data-label=BYE]").first().waitFor();
  await dial(ada, "3002");
  await is(bob, "called");
  await button(bob, "Answer").click();
  await is(ada, "talking");
  await button(bob, "Hang up").click();
  await told(ada, /3002 hung up after 0:\d\d\./);
  await nothingWrong(w);
}

async function refusals_are_told_for_what_they_are() {
  await dial(ada, "3002");
  await is(bob, "called");
  await button(bob, "Decline").click();
  await told(ada, "3002 declined the call.");
  await told(bob, /You declined the call from .*3001/);
  await dial(ada, "3002");
  await is(bob, "called");
  await button(ada, "Hang up").click();
  await told(ada, "You hung up before anybody answered.");
  await told(bob, /Missed: .*3001.* gave up/);
  await dial(ada, "3999");
  await told(ada, "Nobody has the number 3999.");
  await told(ada, /404 \w/);
  await dial(ada, "3003");
  await told(ada, "3003 has no telephone that can be reached.");
  await dial(ada, "no number");
  await told(ada, "Digits, letters, + * # . _ and - make a number.");
  await glance(w, "softphone-refused");
  await nothingWrong(w);
}

async function a_connection_that_breaks_heals({ host }) {
  await w.expecting(/WebSocket|50[23]|uc\/trace/, async () => {
    await host("stop_sm");
    await badge(ada, "Connection lost");
    await badge(bob, "Connection lost");
    assert.ok(await button(ada, "Call").isDisabled());
    await glance(w, "softphone-lost");
    await host("start_sm");
    await badge(ada, "Registered");
    await badge(bob, "Registered");
  });
  await dial(bob, "3001");
  await is(ada, "called");
  await button(ada, "Answer").click();
  await hearsSomething(bob);
  await button(bob, "Hang up").click();
  await nothingWrong(w);
}

async function without_a_microphone_it_says_so() {
  await ada.evaluate(() => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("no", "NotAllowedError"));
  });
  await dial(ada, "3002");
  await told(ada, /The browser may not use the microphone/);
  await nothingWrong(w);
}

async function leaving_forgets({ host }) {
  await ada.getByRole("link", { name: "Calls", exact: true }).first().click();
  await ada.getByRole("heading", { level: 1, name: "Calls" }).waitFor();
  for (let i = 0; i < 50 && (await host("registrations")).length > 1; i++) await ada.waitForTimeout(100);
  assert.deepEqual(await host("registrations"), [["3002", "wss"]]);
  await ada.goBack();
  await ada.getByLabel("Telephone password").waitFor();
  assert.equal(await ada.getByLabel("Telephone password").inputValue(), "");
  await bob.close();
  for (let i = 0; i < 50 && (await host("registrations")).length > 0; i++) await ada.waitForTimeout(100);
  assert.deepEqual(await host("registrations"), []);
  await nothingWrong(w);
}

async function a_telephone_is_called_and_both_hear({ host }) {
  await host("start_baresip");
  await w.go("/calls/softphone");
  await signIn(ada, "3001");
  await badge(ada, "Registered");
  await dial(ada, "3003");
  await is(ada, "talking");
  await hearsSomething(ada);
  await button(ada, "5").click();
  await button(ada, "#").click();
  for (let i = 0; i < 30 && (await host("keys")) !== "5#"; i++) await ada.waitForTimeout(100);
  assert.equal(await host("keys"), "5#");
  await button(ada, "Hang up").click();
  await told(ada, /You hung up after 0:/);
  assert.ok(await host("loudness") > 0, "the telephone heard the browser's microphone");
  await nothingWrong(w);
}

export const steps = [
  an_administrator_finds_it, a_wrong_password_is_told_plainly, two_tabs_register, one_calls_the_other_and_both_hear,
  the_ladder_of_this_very_call_is_beside_it, keys_are_sent, muted_means_silence, either_end_hangs_up,
  refusals_are_told_for_what_they_are, a_connection_that_breaks_heals, without_a_microphone_it_says_so, leaving_forgets,
  a_telephone_is_called_and_both_hear,
];
