// SPDX-License-Identifier: Apache-2.0
// 5,000 people: instant search, walking, sorting, one edited, one added, some deleted.
import assert from "node:assert/strict";
import { windowOf } from "../harness/accounts.mjs";
import { noSecretKept, nothingWrong, settled } from "../harness/browser.mjs";
import { look } from "../harness/look.mjs";
import { api } from "../harness/wire.mjs";

let w;
const rows = () => w.page.locator("tr[data-person]");
const handles = () => rows().evaluateAll((all) => all.map((e) => e.dataset.person));

async function all_of_them_are_there({ browser }) {
  w = await windowOf(browser, "admin", "/people");
  const { total } = await api("GET", "/uc/users?limit=1&count=true");
  assert.ok(total >= 5000);
  await w.page.getByText(new RegExp(`${total.toLocaleString("en-GB")} people`)).first().waitFor();
  await look(w, "people-5000");
}

async function walking_and_sorting() {
  const first = await handles();
  await w.page.getByRole("button", { name: "Show more" }).click();
  await w.page.waitForFunction((n) => document.querySelectorAll("tr[data-person]").length > n, first.length);
  const more = await handles();
  assert.deepEqual(more.slice(0, first.length), first, "what was there stays where it was");
  assert.equal(new Set(more).size, more.length, "each once");
  await w.page.getByRole("columnheader", { name: /Name/ }).getByRole("button").click();
  await w.page.waitForURL(/sort=name/);
  await settled(w);
  assert.equal(await w.page.locator('th[aria-sort="ascending"]').count(), 1);
  await w.page.getByRole("columnheader", { name: /Name/ }).getByRole("button").click();
  await w.page.waitForURL(/sort=-name/);
  await w.page.locator('th[aria-sort="descending"]').waitFor();
  await settled(w);
  await w.page.goBack();
  await w.page.locator('th[aria-sort="ascending"]').waitFor();
  await nothingWrong(w);
}

/** How long the page is busy with each key, and how long until the list fits what was typed. */
async function typing_in_the_search() {
  await w.go("/people");
  const box = w.page.getByRole("searchbox").first();
  await w.page.keyboard.press("/");
  assert.ok(await box.evaluate((e) => e === document.activeElement), "/ puts the cursor into the search");
  await w.page.evaluate(() => {
    window.keys = [];
    window.longTasks.length = 0;
    document.addEventListener("keydown", () => {
      const began = performance.now();
      requestAnimationFrame(() => setTimeout(() => window.keys.push(performance.now() - began), 0));
    }, { capture: true });
  });
  for (const letter of "gödel 4") await w.page.keyboard.type(letter, { delay: 60 });
  const typed = Date.now();
  await w.page.waitForFunction(() => {
    const names = [...document.querySelectorAll("tr[data-person] th, tr[data-person] td")].map((e) => e.textContent);
    const shown = document.querySelectorAll("tr[data-person]").length;
    return shown > 0 && names.filter((t) => /gödel 4/i.test(t)).length >= shown;
  });
  const found = Date.now() - typed;
  const { keys, long } = await w.page.evaluate(() => ({ keys: window.keys, long: window.longTasks }));
  const sorted = [...keys].sort((a, b) => a - b);
  const ms = (n) => n.toFixed(0);
  console.log(`    a key: median ${ms(sorted[Math.floor(sorted.length / 2)])} ms, worst ${ms(sorted.at(-1))} ms; ` +
    `list right ${found} ms after the last key; long tasks: ${long.map((t) => ms(t.ms)).join(" ") || "none"}`);
  assert.equal(await box.inputValue(), "gödel 4", "no letter was lost to an answer that came late");
  assert.match(w.page.url(), /q=g%C3%B6del\+4|q=g%C3%B6del%204/);
  await box.fill("nobody has this name");
  await w.page.getByText("Nothing matches").waitFor();
  await look(w, "people-none-match");
  await w.page.getByRole("button", { name: "Clear the search" }).click();
  await rows().first().waitFor();
  await nothingWrong(w);
}

async function one_is_edited_and_taken_back() {
  await w.go("/people/40007");
  const name = (await w.page.locator("h1").innerText()).trim();
  await w.page.locator("[name=name]").fill("Renamed Person");
  await look(w, "person-changed");
  // Leaving asks first: nothing typed is lost by a wrong click.
  await w.page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Calls" }).click();
  await w.page.getByRole("dialog").getByText("Leave without saving?").waitFor();
  await look(w, "leave-without-saving");
  await w.page.getByRole("dialog").getByRole("button", { name: "Stay" }).click();
  assert.equal(await w.page.locator("[name=name]").inputValue(), "Renamed Person");
  await w.page.getByRole("button", { name: "Save", exact: true }).click();
  await w.page.getByRole("heading", { level: 1, name: "Renamed Person" }).waitFor();
  await w.page.getByText(/In force/).first().waitFor({ timeout: 40000 });
  console.log(`    ${(await w.page.getByText(/In force/).first().innerText()).replace(/\s+/g, " ")}`);
  await look(w, "person-saved");
  await w.page.getByRole("button", { name: "Undo" }).click();
  await w.page.getByRole("heading", { level: 1, name }).waitFor();
  assert.equal((await api("GET", "/uc/users/40007")).name, name);
  await nothingWrong(w);
}

async function one_is_added_with_a_generated_password() {
  await w.go("/people/new");
  await w.page.getByRole("button", { name: "Create", exact: true }).click();
  assert.ok((await w.page.locator(":invalid").count()) > 0, "what is needed is said");
  await w.page.locator("[name=name]").fill("Somebody New");
  await w.page.locator("[name=handle]").fill("40001");
  await w.page.getByRole("button", { name: "Generate" }).click();
  await w.expecting(/409.*\/uc\/users$/, async () => {
    await w.page.getByRole("button", { name: "Create", exact: true }).click();
    await w.page.getByText(/taken/).first().waitFor();
  });
  await look(w, "person-new-taken");
  assert.equal(await w.page.locator("[name=name]").inputValue(), "Somebody New", "what was typed stays");
  await w.page.locator("[name=handle]").fill("46001");
  await w.page.getByRole("button", { name: "Create", exact: true }).click();
  const secret = w.page.getByRole("dialog").locator("code");
  await secret.waitFor();
  w.watch.secrets.add((await secret.innerText()).trim());
  await look(w, "person-password-once");
  await w.page.keyboard.press("Escape");
  await w.page.getByRole("heading", { level: 1, name: "Somebody New" }).waitFor();
  await settled(w);
  await noSecretKept(w);
  await nothingWrong(w);
}

async function several_are_deleted_at_once() {
  await w.go("/people?q=4499&sort=handle");
  await w.page.getByRole("checkbox", { name: "Select all" }).check();
  const marked = await handles();
  assert.ok(marked.length >= 10);
  await look(w, "people-selected");
  await w.page.getByRole("button", { name: new RegExp(`Delete ${marked.length} people`) }).click();
  await w.page.getByRole("dialog").getByText("What will happen").waitFor();
  await look(w, "people-delete");
  await w.page.getByRole("dialog").getByRole("button", { name: /^Delete/ }).click();
  await w.page.getByRole("dialog").waitFor({ state: "detached", timeout: 30000 });
  await w.page.getByText(`${marked.length} people are deleted`).waitFor();
  assert.equal((await api("GET", "/uc/users?q=4499&limit=500")).items.filter((u) => marked.includes(u.handle)).length, 0);
  await nothingWrong(w);
}

async function another_s_change_is_seen_at_once() {
  await w.go("/people?q=40010");
  await rows().first().waitFor();
  await api("PATCH", "/uc/users/40010", { name: "Changed Elsewhere 40010" });
  await w.page.getByText("Changed Elsewhere 40010").waitFor({ timeout: 30000 });
  await api("DELETE", "/uc/users/40010");
  await w.page.getByText("Changed Elsewhere 40010").waitFor({ state: "detached", timeout: 30000 });
  await nothingWrong(w);
}

export const steps = [
  all_of_them_are_there, walking_and_sorting, typing_in_the_search, one_is_edited_and_taken_back,
  one_is_added_with_a_generated_password, several_are_deleted_at_once, another_s_change_is_seen_at_once,
];
