// SPDX-License-Identifier: Apache-2.0
// The life of a machine by mouse: shut down, start, restart, log, settings that wait, removal and its undo, removal with
// all data, the catalogue, the drawer of tasks, and a start that fails and says why.
import assert from "node:assert/strict";
import { windowOf } from "../harness/accounts.mjs";
import { nothingWrong, settled } from "../harness/browser.mjs";
import { look } from "../harness/look.mjs";
import { api } from "../harness/wire.mjs";

const vm = "presence";
let w;

const row = () => w.page.locator(`tr[data-vm="${vm}"]`);
const dialog = () => w.page.getByRole("dialog");

async function shows(word, timeout = 60000) {
  await row().locator(".badge", { hasText: new RegExp(`^${word}$`) }).waitFor({ timeout });
}

async function choose(item) {
  await row().getByRole("button", { name: `Actions of ${vm}` }).click();
  await w.page.getByRole("menuitem", { name: item, exact: true }).click();
}

async function administrator_enters({ browser }) {
  w = await windowOf(browser, "admin", "/machines");
  await w.page.evaluate(() => (window.sameDocument = true));
  await shows("Ready");
  await look(w, "machines-all");
}

async function shut_down_is_confirmed_with_its_plan() {
  await choose("Shut down");
  await dialog().getByText(`Shut down ${vm}?`).waitFor();
  await dialog().getByText("What will happen").waitFor();
  await look(w, "shut-down");
  await w.page.keyboard.press("Escape");
  await dialog().waitFor({ state: "detached" });
  assert.equal((await api("GET", `/vms/${vm}`)).desired_state, "running", "a plan and a cancel change nothing");
  await choose("Shut down");
  await dialog().getByRole("button", { name: "Shut down", exact: true }).click();
  await shows("Stopped");
  assert.equal((await api("GET", `/vms/${vm}`)).desired_state, "stopped");
}

async function a_session_manager_s_shutdown_warns() {
  await w.page.locator('tr[data-vm="sm"]').getByRole("button", { name: "Actions of sm" }).click();
  await w.page.getByRole("menuitem", { name: "Shut down", exact: true }).click();
  await dialog().locator(".warning").first().waitFor();
  console.log(`    the warning: ${await dialog().locator(".warning").first().innerText()}`);
  await look(w, "shut-down-sm");
  await dialog().getByRole("button", { name: "Cancel" }).click();
  assert.equal((await api("GET", "/vms/sm")).desired_state, "running");
}

async function start_shows_its_task() {
  await row().getByRole("button", { name: `Start ${vm}` }).click();
  await shows("(Starting|Not ready|Ready)");
  await w.page.getByRole("banner").getByRole("button", { name: /task/i }).click();
  await dialog().getByText(`Start ${vm}`).first().waitFor();
  await look(w, "task-drawer");
  await w.page.keyboard.press("Escape");
  await shows("Ready");
  await w.page.getByRole("banner").getByRole("button", { name: /task/i }).click();
  await dialog().getByText("Done").first().waitFor();
  await dialog().getByRole("link", { name: "All tasks" }).click();
  await w.page.waitForURL(/\/system\/tasks$/);
  await settled(w);
  await w.page.getByRole("main").getByText(`Start ${vm}`).first().waitFor();
  await look(w, "tasks-after-start");
  await w.page.goBack();
  await shows("Ready");
}

async function settings_wait_for_a_restart() {
  await w.page.getByRole("link", { name: vm, exact: true }).click();
  await w.page.waitForURL(new RegExp(`/machines/${vm}`));
  await settled(w);
  await look(w, "machine-overview");
  await w.page.getByRole("link", { name: "Settings" }).click();
  await w.page.locator("[name=memory_mib]").fill("7");
  await w.page.getByText("A whole number from").waitFor();
  await look(w, "machine-settings-wrong");
  await w.page.locator("[name=memory_mib]").fill("160");
  await w.page.getByRole("button", { name: "Save" }).click();
  await w.page.getByText("Waits for a restart").waitFor();
  await look(w, "machine-pending");
  await w.page.getByRole("button", { name: "Restart now" }).click();
  await dialog().getByRole("button", { name: "Restart", exact: true }).click();
  await w.page.getByText("Waits for a restart").waitFor({ state: "detached", timeout: 60000 });
  await w.page.locator(`[data-vm="${vm}"] .badge`, { hasText: "Ready" }).waitFor({ timeout: 60000 });
  assert.equal((await api("GET", `/vms/${vm}`)).memory_mib, 160);
}

async function the_log_is_read_and_searched() {
  await w.page.getByRole("link", { name: "Console log" }).click();
  await w.page.locator(".line").first().waitFor();
  await look(w, "machine-console-log");
  const lines = await w.page.locator(".line").count();
  assert.ok(lines > 3, "what the guest said at boot");
  await w.page.getByRole("searchbox").fill("ready");
  await w.page.waitForFunction((n) => document.querySelectorAll(".line").length < n, lines);
  await w.page.waitForURL(/q=ready/);
  await nothingWrong(w);
}

async function removed_and_brought_back() {
  const before = await api("GET", `/vms/${vm}`);
  await w.page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Machines" }).click();
  await shows("Ready");
  await choose("Remove, keep its data");
  await dialog().getByText("What will happen").waitFor();
  await look(w, "remove");
  await dialog().getByRole("button", { name: "Remove, keep its data" }).click();
  await row().waitFor({ state: "detached", timeout: 30000 });
  await w.page.getByText(`${vm} is removed. Its data is kept.`).waitFor();
  await w.page.getByRole("button", { name: "Undo" }).click();
  await shows("Ready");
  const after = await api("GET", `/vms/${vm}`);
  assert.deepEqual([after.memory_mib, after.addresses], [before.memory_mib, before.addresses], "as it was");
  assert.notEqual(after.id, before.id);
}

async function removed_with_all_data_and_deployed_from_the_catalogue() {
  await choose("Remove with all its data");
  const button = dialog().getByRole("button", { name: "Remove with all its data" });
  await dialog().getByText("What will happen").waitFor();
  assert.ok(await button.isDisabled(), "its name must be typed first");
  await dialog().locator("[name=typed]").fill(vm);
  await look(w, "purge");
  await button.click();
  await row().waitFor({ state: "detached", timeout: 30000 });
  await w.page.getByRole("link", { name: "Add a machine" }).click();
  await settled(w);
  await w.page.locator(`[data-template=${vm}]`).getByRole("button", { name: /^Deploy/ }).click();
  await w.page.waitForURL(/deploy=presence/);
  await dialog().locator("[name=name]").fill("No Such Name");
  await dialog().getByText("Only a to z").waitFor();
  await dialog().locator("[name=name]").fill(vm);
  await dialog().getByRole("button", { name: "Deploy", exact: true }).and(w.page.locator(":enabled")).waitFor();
  await look(w, "deploy");
  await dialog().getByRole("button", { name: "Deploy", exact: true }).click();
  await dialog().getByText("Running now").or(dialog().getByText("Lately")).first().waitFor();
  await w.page.keyboard.press("Escape");
  await w.go("/machines");
  await shows("Ready", 90000);
  await nothingWrong(w);
}

async function a_failed_start_says_why({ host }) {
  await api("POST", `/vms/${vm}/actions/stop`);
  await shows("Stopped");
  await host("spoil", { image: "presence.sqfs" });
  await row().getByRole("button", { name: `Start ${vm}` }).click();
  const told = w.page.getByRole("status").getByText(/failed/i).or(w.page.getByRole("alert")).first();
  await told.waitFor();
  console.log(`    a spoiled image: ${(await told.innerText()).replace(/\s+/g, " ")}`);
  await look(w, "start-failed");
  await host("spoil", { image: "presence.sqfs" });
  await api("POST", `/vms/${vm}/actions/start`);
  await shows("Ready", 90000);
  await nothingWrong(w);
}

export const steps = [
  administrator_enters, shut_down_is_confirmed_with_its_plan, a_session_manager_s_shutdown_warns, start_shows_its_task,
  settings_wait_for_a_restart, the_log_is_read_and_searched, removed_and_brought_back,
  removed_with_all_data_and_deployed_from_the_catalogue, a_failed_start_says_why,
];
