// SPDX-License-Identifier: Apache-2.0
// Two administrators change the same person: the second is told before saving, sees the difference field by field when
// saving anyway, loses nothing typed, and what is saved is what was chosen. The same with a machine's settings.
import assert from "node:assert/strict";
import { windowOf } from "../harness/accounts.mjs";
import { nothingWrong, settled } from "../harness/browser.mjs";
import { look } from "../harness/look.mjs";
import { api } from "../harness/wire.mjs";

const stale = /412.*\/api\/v1\/(uc\/users|vms)\//;
let one;
let two;

const dialog = (w) => w.page.getByRole("dialog");
const field = (w, name) => dialog(w).locator(`[data-field="${name}"]`);

async function both_open_the_same_person({ browser }) {
  one = await windowOf(browser, "admin", "/people/40123");
  two = await windowOf(browser, "berta", "/people/40123");
}

async function the_first_saves_the_second_is_told() {
  await two.page.locator("[name=name]").fill("Name by Berta");
  await two.page.getByRole("link", { name: "Station" }).click();
  await two.page.locator("[name=appearances]").fill("7");
  await one.page.locator("[name=name]").fill("Name by Admin");
  await one.page.getByRole("button", { name: "Save", exact: true }).click();
  await one.page.getByRole("heading", { level: 1, name: "Name by Admin" }).waitFor();
  await two.page.getByText(/saved while you were typing|Somebody else has changed/).waitFor();
  await two.page.getByRole("link", { name: "Identity" }).click();
  assert.equal(await two.page.locator("[name=name]").inputValue(), "Name by Berta", "what was typed stays");
  await look(two, "conflict-told");
}

async function the_difference_is_shown_and_chosen_from() {
  await two.expecting(stale, async () => {
    const compare = two.page.getByRole("button", { name: "Compare" });
    await compare.click();
    await field(two, "name").waitFor();
  });
  await field(two, "name").getByText("Name by Admin").waitFor();
  await field(two, "name").getByText("Name by Berta").waitFor();
  const save = dialog(two).locator("footer button.primary");
  assert.ok(await save.isDisabled(), "nothing is decided yet for the field that both changed");
  await look(two, "conflict");
  await two.page.keyboard.press("Escape");
  await dialog(two).waitFor({ state: "detached" });
  assert.equal(await two.page.locator("[name=name]").inputValue(), "Name by Berta", "closing it loses nothing");
  await two.page.getByRole("button", { name: "Compare" }).click();
  await field(two, "name").getByRole("radio", { name: /Name by Berta/ }).check();
  await save.click();
  await dialog(two).waitFor({ state: "detached" });
  await two.page.getByRole("heading", { level: 1, name: "Name by Berta" }).waitFor();
  const saved = await api("GET", "/uc/users/40123");
  assert.deepEqual([saved.name, saved.station.appearances], ["Name by Berta", 7], "merged as chosen");
  await one.page.getByRole("heading", { level: 1, name: "Name by Berta" }).waitFor({ timeout: 30000 });
  await nothingWrong(one);
  await nothingWrong(two);
}

/** The other one is quicker than any event: the answer to the save itself says 412. */
async function a_save_that_comes_too_late() {
  await two.page.route("**/api/v1/events/stream*", (route) => route.abort());
  await two.expecting(/.*/, async () => {
    await two.page.reload();
    await settled(two);
    await two.page.getByRole("link", { name: "Identity" }).click();
    await two.page.locator("[name=name]").fill("Late Name");
    await api("PATCH", "/uc/users/40123", { name: "Early Name" });
    await two.page.getByRole("button", { name: "Save", exact: true }).click();
    await field(two, "name").getByText("Early Name").waitFor();
  });
  await field(two, "name").getByText("Late Name").waitFor();
  assert.equal((await api("GET", "/uc/users/40123")).name, "Early Name", "nothing was overwritten");
  await field(two, "name").getByRole("radio", { name: /Early Name/ }).check();
  await dialog(two).locator("footer button.primary").click();
  await dialog(two).waitFor({ state: "detached" });
  assert.equal((await api("GET", "/uc/users/40123")).name, "Early Name");
  await two.close();
}

async function a_person_that_is_deleted_meanwhile() {
  await one.go("/people/40124");
  await one.page.locator("[name=name]").fill("Typed in vain");
  await one.expecting(/404.*\/uc\/users\//, async () => {
    await api("DELETE", "/uc/users/40124");
    await one.page.getByText("This person has been deleted by somebody else.").waitFor();
    assert.equal(await one.page.locator("[name=name]").inputValue(), "Typed in vain");
    await look(one, "person-gone");
  });
  await nothingWrong(one);
  await one.close();
}

async function a_machine_s_settings({ browser }) {
  const w = await windowOf(browser, "admin", "/machines/sm?tab=settings");
  const before = await api("GET", "/vms/sm");
  await w.page.route("**/api/v1/events/stream*", (route) => route.abort());
  await w.expecting(/.*/, async () => {
    await w.page.reload();
    await settled(w);
    await w.page.locator("[name=memory_mib]").fill(String(before.memory_mib + 32));
    await api("PATCH", "/vms/sm", { memory_mib: before.memory_mib + 16 });
    await w.page.getByRole("button", { name: "Save", exact: true }).click();
    await field(w, "memory_mib").getByText(String(before.memory_mib + 16)).first().waitFor();
    await look(w, "conflict-machine");
  });
  await dialog(w).getByRole("button", { name: /theirs/i }).first().click();
  await dialog(w).locator("footer button.primary").click();
  await dialog(w).waitFor({ state: "detached" });
  assert.equal((await api("GET", "/vms/sm")).pending.memory_mib, before.memory_mib + 16);
  await api("PATCH", "/vms/sm", { memory_mib: before.memory_mib });
  await w.close();
}

export const steps = [
  both_open_the_same_person, the_first_saves_the_second_is_told, the_difference_is_shown_and_chosen_from,
  a_save_that_comes_too_late, a_person_that_is_deleted_meanwhile, a_machine_s_settings,
];
