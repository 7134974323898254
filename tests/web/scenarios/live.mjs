// SPDX-License-Identifier: Apache-2.0
// One stream a browser, nothing polled, and a daemon that ends under an open page.
import assert from "node:assert/strict";
import { windowOf } from "../harness/accounts.mjs";
import { nothingWrong, origin, settled } from "../harness/browser.mjs";
import { look } from "../harness/look.mjs";
import { api, metric } from "../harness/wire.mjs";

const lost = "Connection lost";
const gone = /ERR_(CONNECTION_REFUSED|CONNECTION_RESET|EMPTY_RESPONSE|INCOMPLETE_CHUNKED_ENCODING|NETWORK_CHANGED|ABORTED|SOCKET_NOT_CONNECTED)|50[23].*\/api\/v1|preload assets/;
let w;

async function administrator_enters({ browser }) {
  w = await windowOf(browser, "admin", "/machines");
}

/** However many tabs there are, as the daemon counts them. A busy machine may need a moment to settle on one. */
async function oneStream() {
  for (let i = 0; i < 100 && (await metric("aurabox_http_streams")) !== 1; i++) await w.page.waitForTimeout(100);
  await w.page.waitForTimeout(500);
  assert.equal(await metric("aurabox_http_streams"), 1, "one event stream for all tabs");
}

async function two_tabs_share_one_stream() {
  const { page } = w;
  const second = await w.tab();
  await second.goto(`${origin}/machines`);
  await settled(w, second);
  await oneStream();
  await api("PATCH", "/vms/presence", { memory_mib: 160 });
  for (const tab of [page, second]) await tab.getByText(/160\sMiB/).first().waitFor({ timeout: 30000 });
  // Whichever tab held the stream: when it is closed, the other one takes over and misses nothing.
  const third = await w.tab();
  await third.goto(`${origin}/machines`);
  await settled(w, third);
  await page.close();
  w.page = second;
  await api("PATCH", "/vms/presence", { memory_mib: 144 });
  for (const tab of [second, third]) await tab.getByText(/144\sMiB/).first().waitFor({ timeout: 30000 });
  await oneStream();
  await third.close();
  await api("PATCH", "/vms/presence", { memory_mib: 128 });
  await second.getByText(/144\sMiB/).first().waitFor({ state: "detached", timeout: 30000 });
  await nothingWrong(w);
}

async function an_idle_page_asks_for_nothing() {
  const tabs = [w.page];
  for (const path of ["/", "/people", "/calls", "/system/tasks", "/system/audit"]) {
    const tab = await w.tab();
    await tab.goto(origin + path);
    await settled(w, tab);
    tabs.push(tab);
  }
  await w.page.waitForTimeout(2000);
  const from = w.watch.requests.length;
  await w.page.waitForTimeout(10000);
  const asked = w.watch.requests.slice(from).map((r) => `${r.method} ${new URL(r.url).pathname}`);
  const repeated = asked.filter((each, i) => asked.indexOf(each) !== i);
  assert.deepEqual([...new Set(repeated)], [], "asked again and again while nothing happens");
  console.log(`    ${tabs.length} idle tabs, 10 s: ${asked.length} requests ${asked.join(", ")}`);
  for (const tab of tabs.slice(1)) await tab.close();
}

async function a_restart_and_a_kill_are_shown_and_healed({ host }) {
  const { page } = w;
  await page.evaluate(() => (window.sameDocument = true));
  for (const how of ["stop-daemon", "kill-daemon"]) {
    await w.expecting(gone, async () => {
      await host(how);
      await page.getByText(lost).first().waitFor();
      assert.ok(await page.getByRole("link", { name: "presence" }).first().isVisible(), "what is known stays on the page");
      if (how === "stop-daemon") await look(w, "connection-lost");
      await host("start-daemon");
      await page.getByText(lost).first().waitFor({ state: "hidden", timeout: 30000 });
      await settled(w);
    });
    assert.equal(await page.evaluate(() => window.sameDocument), true, "healed without a reload");
    await nothingWrong(w);
  }
}

async function what_happened_meanwhile_is_shown() {
  const { page } = w;
  await api("PATCH", "/vms/presence", { memory_mib: 176 });
  await page.getByText(/176\sMiB/).first().waitFor({ timeout: 30000 });
  await api("PATCH", "/vms/presence", { memory_mib: 128 });
  await page.getByText(/176\sMiB/).first().waitFor({ state: "detached", timeout: 30000 });
  await nothingWrong(w);
}

/** The answer that fails is told with what to do, and "Try again" does it. */
async function a_page_asked_for_while_the_daemon_is_away({ host }) {
  const { page } = w;
  await w.expecting(gone, async () => {
    await host("stop-daemon");
    await page.getByText(lost).first().waitFor();
    await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "People" }).click();
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.getByRole("main").getByText(/does not answer|could not be fetched/).first().waitFor();
    await look(w, "page-without-daemon");
    await host("start-daemon");
    await page.getByText(lost).first().waitFor({ state: "hidden", timeout: 30000 });
    const again = page.getByRole("button", { name: /Try again|Load anew/ });
    await page.waitForTimeout(1500);
    if ((await again.count()) > 0) await again.first().click();
    await page.getByRole("searchbox").first().waitFor();
    await settled(w);
  });
  await nothingWrong(w);
}

export const steps = [
  administrator_enters, two_tabs_share_one_stream, an_idle_page_asks_for_nothing, a_restart_and_a_kill_are_shown_and_healed,
  what_happened_meanwhile_is_shown, a_page_asked_for_while_the_daemon_is_away,
];
