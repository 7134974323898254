// SPDX-License-Identifier: Apache-2.0
// SIP messages in the console: a call as a ladder, one message, filters, following, thousands at once, files to keep.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { takeOver, windowOf } from "../harness/accounts.mjs";
import { nothingWrong, origin, settled } from "../harness/browser.mjs";
import { walkByKeyboard } from "../harness/keyboard.mjs";
import { glance, look } from "../harness/look.mjs";
import { api } from "../harness/wire.mjs";

let w;
let gsid;

const options = () => w.page.getByRole("listbox", { name: "Messages" }).getByRole("option");

async function administrator_enters({ browser, host }) {
  await takeOver();
  gsid = await host("call");
  w = await windowOf(browser, "admin", "/calls"); // Home would ask for the people, who are not here.
}

async function a_call_is_drawn_as_the_api_tells_it() {
  const ladder = await api("GET", `/uc/trace/${encodeURIComponent(gsid)}/ladder`);
  await w.go(`/calls/trace?gsid=${encodeURIComponent(gsid)}`);
  const first = options().first();
  assert.equal(Number(await first.getAttribute("aria-setsize")), ladder.messages.length);
  assert.match(await first.textContent(), /^\+0\.000 INVITE.* from 3001 to sm/);
  for (const { name } of ladder.participants) await w.page.locator(".heads text", { hasText: name }).first().waitFor();
  for (const phase of ["Caller's applications (imsorig)", "On to the callee (termdone)"]) await w.page.locator(".phase text", { hasText: phase }).waitFor();
  await look(w, "trace-call");
  await walkByKeyboard(w.page, "trace-call");
  await nothingWrong(w);
}

async function keys_go_through_it_and_show_each_message() {
  await w.go(`/calls/trace?gsid=${encodeURIComponent(gsid)}`);
  const ladder = await api("GET", `/uc/trace/${encodeURIComponent(gsid)}/ladder`);
  const list = w.page.getByRole("listbox", { name: "Messages" });
  await list.focus();
  const shown = w.page.getByRole("region", { name: "Message" }).locator("pre b");
  for (const [key, index] of [["Home", 0], ["ArrowDown", 1], ["ArrowDown", 2], ["ArrowUp", 1], ["End", ladder.messages.length - 1]]) {
    await list.press(key);
    const wanted = await api("GET", `/uc/trace/messages/${ladder.messages[index].id}`);
    await w.page.waitForFunction((text) => document.querySelector("pre b")?.textContent === text, wanted.summary);
    assert.equal(await list.locator('[aria-selected="true"]').getAttribute("aria-posinset"), String(index + 1));
  }
  await list.press("Home");
  await shown.filter({ hasText: /^INVITE / }).waitFor();
  const again = ladder.messages.findIndex((m, i) => i > 0 && m.method === "INVITE" && m.status === null);
  for (let i = 0; i < again; i++) await list.press("ArrowDown");
  await w.page.locator("pre", { hasText: /Proxy-Authorization: Digest/ }).waitFor();
  assert.match(await w.page.locator("pre").innerText(), /response="?\*+/, "what was a secret is masked");
  await glance(w, "trace-message");
  await w.page.getByRole("region", { name: "Message" }).getByRole("button", { name: "Close" }).click();
  assert.equal(await w.page.locator("pre").count(), 0);
  await nothingWrong(w);
}

async function the_same_is_a_table() {
  await w.page.getByRole("button", { name: "As a table" }).click();
  const ladder = await api("GET", `/uc/trace/${encodeURIComponent(gsid)}/ladder`);
  await w.page.getByRole("table", { name: "Messages" }).waitFor();
  // a long table draws its first rows first
  await w.page.waitForFunction((count) => document.querySelectorAll("tbody tr").length === count, ladder.messages.length);
  await look(w, "trace-table");
  await w.page.getByRole("button", { name: "As a ladder" }).click();
  await w.page.getByRole("listbox", { name: "Messages" }).waitFor();
}

async function filters_find_and_stand_in_the_address() {
  await w.go("/calls/trace");
  const all = Number(await options().first().getAttribute("aria-setsize"));
  await w.page.getByLabel("User or number").fill("3002");
  await w.page.getByLabel("User or number").press("Enter");
  await w.page.waitForFunction((before) => Number(document.querySelector("[role=option]")?.getAttribute("aria-setsize")) < before, all);
  assert.match(w.page.url(), /[?&]user=3002/);
  await w.page.getByLabel("Text in the message").fill("no message says this");
  await w.page.getByLabel("Text in the message").press("Enter");
  await w.page.getByText("Nothing matches").waitFor();
  await w.page.goBack();
  await settled(w);
  await w.go("/calls/trace?user=3002&q=BYE");
  for (const text of await options().allTextContents()) assert.match(text, /BYE|200|OK|INVITE|ACK|REGISTER|NOTIFY|180/);
  await nothingWrong(w);
}

async function what_passes_shows_while_one_follows({ host }) {
  await w.go("/calls/trace");
  const before = Number(await options().first().getAttribute("aria-setsize"));
  await w.page.getByRole("button", { name: "Follow" }).click();
  await w.page.getByText("Following").waitFor();
  await host("call");
  await w.page.waitForFunction((n) => Number(document.querySelector("[role=option]")?.getAttribute("aria-setsize")) >= n + 20, before, { timeout: 10000 });
  const frame = w.page.locator(".frame:has([role=listbox])");
  assert.ok(await frame.evaluate((e) => e.scrollTop + e.clientHeight >= e.scrollHeight - 40), "the newest is in sight");
  await w.page.getByRole("button", { name: "Stop" }).click();
  await nothingWrong(w);
}

async function five_thousand_are_drawn_at_once() {
  const ladder = await api("GET", `/uc/trace/${encodeURIComponent(gsid)}/ladder`);
  const some = ladder.messages;
  const messages = Array.from({ length: 5000 }, (_, i) => ({ ...some[i % some.length], id: `sm-${i + 1}`, offset_us: i * 5000, at_us: some[0].at_us + i * 5000 }));
  const body = JSON.stringify({ ...ladder, messages, phases: [] });
  await w.page.route("**/api/v1/uc/trace/*/ladder", (route) => route.fulfill({ contentType: "application/json", body }));
  const times = [];
  for (let i = 0; i < 3; i++) {
    await w.page.goto(`${origin}/calls`);
    await settled(w);
    // From the click that leads there, answer and all, until the first rows are painted.
    times.push(await w.page.evaluate(async (path) => {
      const link = document.createElement("a");
      link.href = path;
      document.querySelector("main").append(link);
      const began = performance.now();
      link.click();
      while (document.querySelector("[role=option]")?.getAttribute("aria-setsize") !== "5000") await new Promise(requestAnimationFrame);
      await new Promise(requestAnimationFrame);
      return performance.now() - began;
    }, `/calls/trace?gsid=${encodeURIComponent(gsid)}`));
  }
  const median = times.sort((a, b) => a - b)[1];
  console.log(`  5,000 messages are drawn in ${Math.round(median)} ms`);
  assert.ok((await options().count()) < 100, "only what is in sight is drawn");
  const list = w.page.getByRole("listbox", { name: "Messages" });
  // The messages that were made up for this are not there to be asked for.
  await w.expecting(/404.*trace\/messages/, async () => {
    await list.press("End");
    await w.page.locator('[role=option][aria-posinset="5000"][aria-selected=true]').waitFor();
    await settled(w);
  });
  await w.page.unroute("**/api/v1/uc/trace/*/ladder");
  await nothingWrong(w);
}

async function a_call_is_kept_as_a_file() {
  await w.go(`/calls/trace?gsid=${encodeURIComponent(gsid)}`);
  for (const [name, begins] of [["Capture file (pcapng)", Buffer.from([0x0a, 0x0d, 0x0d, 0x0a])], ["Text", undefined], ["Page with the ladder (HTML)", Buffer.from("<!")]]) {
    await w.page.getByRole("button", { name: "Export" }).click();
    const [download] = await Promise.all([w.page.waitForEvent("download"), w.page.getByRole("menuitem", { name }).click()]);
    const bytes = readFileSync(await download.path());
    assert.ok(bytes.length > 500, `${name} holds something`);
    if (begins) assert.deepEqual(bytes.subarray(0, begins.length), begins, name);
    else assert.match(bytes.toString(), /INVITE sip:/);
  }
  await nothingWrong(w);
}

export const steps = [
  administrator_enters, a_call_is_drawn_as_the_api_tells_it, keys_go_through_it_and_show_each_message, the_same_is_a_table,
  filters_find_and_stand_in_the_address, what_passes_shows_while_one_follows, five_thousand_are_drawn_at_once, a_call_is_kept_as_a_file,
];
