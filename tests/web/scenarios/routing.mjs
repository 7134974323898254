// SPDX-License-Identifier: Apache-2.0
// Routing: an administrator makes a trunk, a policy and a pattern, sees the trunk's link live, asks where a call would
// go, meets bad input, another administrator and what is in use; an auditor looks and is offered nothing.
import assert from "node:assert/strict";
import { makeAdmin, takeOver, windowOf } from "../harness/accounts.mjs";
import { nothingWrong, settled } from "../harness/browser.mjs";
import { walkByKeyboard } from "../harness/keyboard.mjs";
import { glance, look, misfitsOf } from "../harness/look.mjs";
import { places } from "../harness/places.mjs";
import { api } from "../harness/wire.mjs";

let w;

const own = places.filter((place) => place.path.startsWith("/routing"));
const dialog = () => w.page.getByRole("dialog").first();
const row = (name) => w.page.locator(`tr[data-row="${name}"]`);
const tool = () => w.page.getByRole("region", { name: "Where would a call go?" });

async function administrator_enters({ browser }) {
  await takeOver();
  await makeAdmin("audrey", "auditor");
  w = await windowOf(browser, "admin", "/routing");
}

async function ask(caller, callee) {
  await tool().getByLabel("Caller", { exact: true }).fill(caller);
  await tool().getByLabel("Dials").fill(callee);
  await tool().getByRole("button", { name: "Show the way" }).click();
  await tool().getByRole("img").waitFor();
}

/** The words of the picture's last stop. */
async function outcome(text) {
  await w.page.waitForFunction((wanted) => document.querySelector("section[aria-labelledby=route-test] svg")?.textContent.includes(wanted), text, { timeout: 10000 });
}

async function save(name) {
  await dialog().getByRole("button", { name, exact: true }).click();
}

async function nobody_knows_the_number_yet() {
  await row("sm").waitFor();
  await ask("3001", "+493012345");
  await outcome("Number not known (404)");
  await nothingWrong(w);
}

async function a_trunk_is_made_and_its_link_comes_up() {
  await w.page.getByRole("button", { name: "Add a SIP entity" }).first().click();
  await dialog().getByLabel("Name", { exact: true }).fill("carrier");
  await dialog().getByLabel("Address", { exact: true }).fill("127.0.0.1");
  await dialog().getByLabel("Transport", { exact: true }).selectOption("udp");
  await dialog().getByLabel("Port", { exact: true }).fill("5090");
  await glance(w, "routing-new-entity");
  await save("Add a SIP entity");
  await row("carrier").locator(".badge", { hasText: "Up" }).waitFor({ timeout: 20000 });
  await row("cm").locator(".badge", { hasText: "Down" }).waitFor({ timeout: 20000 });
  assert.ok((await row("cm").innerText()).length > "cm Down".length, "why it is down is said");
  const entity = await api("GET", "/uc/sip-entities/carrier");
  assert.deepEqual([entity.port, entity.transport, entity.status.link], [5090, "udp", "up"]);
  await row("carrier").getByRole("link").first().click();
  await dialog().getByText("Last answer").waitFor();
  await glance(w, "routing-entity");
  await dialog().getByRole("button", { name: "Close" }).click();
  await nothingWrong(w);
}

async function a_policy_and_a_pattern_lead_there() {
  await w.go("/routing/routing-policies");
  await w.page.getByRole("button", { name: "Add a routing policy" }).first().click();
  await dialog().getByLabel("Name", { exact: true }).fill("to the carrier");
  await dialog().getByLabel("Destination", { exact: true }).selectOption("carrier");
  await save("Add a routing policy");
  await row("to the carrier").waitFor();

  await w.go("/routing/dial-patterns");
  await w.page.getByRole("button", { name: "Add a dial pattern" }).first().click();
  await dialog().getByLabel("Pattern", { exact: true }).fill("+49");
  await dialog().getByLabel("Fewest digits", { exact: true }).fill("8");
  await dialog().getByLabel("Most digits", { exact: true }).fill("20");
  await dialog().getByLabel("Add to Routing policies").selectOption("to the carrier");
  await save("Add a dial pattern");
  await row("+49").waitFor();
  const [pattern] = (await api("GET", "/uc/dial-patterns")).items;
  assert.deepEqual([pattern.pattern, pattern.min, pattern.max, pattern.policies], ["+49", 8, 20, ["to the carrier"]]);
  await nothingWrong(w);
}

async function the_test_tool_draws_the_way() {
  await ask("3001", "+493012345");
  await tool().locator('[data-candidate="carrier"]').waitFor({ timeout: 10000 });
  const drawn = await tool().getByRole("img").textContent();
  for (const word of ["3001", "+49", "to the carrier", "carrier"]) assert.ok(drawn.includes(word), `${word} is drawn: ${drawn}`);
  await tool().getByText(/All \d+ decisions/).click();
  assert.ok((await tool().locator("[data-step]").count()) >= 3, "each decision is told");
  await look(w, "routing-test");
  assert.deepEqual(await misfitsOf(w.page), []);
  await nothingWrong(w);
}

async function what_is_wrong_is_said_at_its_field() {
  await row("+49").getByRole("link").first().click();
  await w.expecting(/422/, async () => {
    await dialog().getByLabel("Pattern", { exact: true }).fill("forty-nine");
    await save("Save");
    await dialog().locator('[name=pattern][aria-invalid="true"]').waitFor();
  });
  assert.ok(await dialog().getByLabel("Pattern", { exact: true }).evaluate((e) => e === document.activeElement), "the field has the focus");
  await dialog().getByLabel("Pattern", { exact: true }).fill("+49");
}

async function a_change_is_in_force_and_drawn_anew() {
  await dialog().getByLabel("Refuse such calls").check();
  await save("Save");
  await dialog().locator("[data-in-force]").waitFor();
  await dialog().getByRole("button", { name: "Close" }).click();
  await row("+49").locator(".badge", { hasText: "Refused" }).waitFor();
  await outcome("Refused (403)");
  await nothingWrong(w);
}

async function two_administrators_meet() {
  const [pattern] = (await api("GET", "/uc/dial-patterns")).items;
  await row("+49").getByRole("link").first().click();
  await dialog().getByLabel("Most digits", { exact: true }).fill("15");
  await api("PATCH", `/uc/dial-patterns/${pattern.id}`, { notes: "changed elsewhere", max: 18 });
  await w.expecting(/412/, async () => {
    await save("Save");
    await w.page.getByRole("heading", { name: /changed by somebody else/ }).waitFor();
  });
  await glance(w, "routing-conflict");
  await w.page.locator('fieldset[data-field="max"] input[value="mine"]').check();
  await w.page.getByRole("dialog").last().getByRole("button", { name: "Save", exact: true }).click();
  await w.page.waitForFunction(() => document.querySelectorAll("dialog").length === 1);
  await w.page.locator("[data-in-force]").waitFor();
  const now = await api("GET", `/uc/dial-patterns/${pattern.id}`);
  assert.deepEqual([now.max, now.notes], [15, "changed elsewhere"]);
  await dialog().getByRole("button", { name: "Close" }).click();
  await nothingWrong(w);
}

async function what_is_in_use_stays_and_the_rest_goes() {
  await w.go("/routing/routing-policies");
  await row("to the carrier").getByRole("link").first().click();
  await w.expecting(/409/, async () => {
    await dialog().getByRole("button", { name: "Delete" }).click();
    await w.page.getByRole("dialog", { name: /^Delete/ }).getByText(/used by/).waitFor();
  });
  await w.page.getByRole("dialog", { name: /^Delete/ }).getByRole("button", { name: "Cancel" }).click();
  await dialog().getByRole("button", { name: "Close" }).click();
  await w.go("/routing/dial-patterns");
  await row("+49").getByRole("link").first().click();
  await dialog().getByRole("button", { name: "Delete" }).click();
  await w.page.getByRole("dialog", { name: /^Delete/ }).getByRole("button", { name: "Delete", exact: true }).click();
  await row("+49").waitFor({ state: "detached" });
  assert.equal((await api("GET", "/uc/dial-patterns")).items.length, 0);
  await settled(w);
  await nothingWrong(w);
}

async function lists_within_rows_are_put_together_by_hand() {
  await w.go("/routing/adaptations?edit=new");
  await dialog().getByLabel("Name", { exact: true }).fill("e164");
  await dialog().getByRole("button", { name: "Add a conversion" }).click();
  await dialog().getByLabel("Begins with", { exact: true }).fill("00");
  await dialog().getByLabel("Put in front", { exact: true }).fill("+");
  await dialog().getByLabel("Digits cut off", { exact: true }).fill("2");
  await dialog().getByText("→ +1234").waitFor();
  await glance(w, "routing-adaptation");
  await save("Add an adaptation");
  await row("e164").waitFor();
  const [made] = (await api("GET", "/uc/adaptations")).items;
  assert.deepEqual([made.digit_conversions[0].match, made.digit_conversions[0].delete, made.digit_conversions[0].insert], ["00", 2, "+"]);

  await w.go("/routing/locations?edit=new");
  await dialog().getByLabel("Name", { exact: true }).fill("Berlin");
  await dialog().getByLabel("Addresses").fill("10.1.0.0/16\n135.12x.121.*");
  await save("Add a location");
  await row("Berlin").waitFor();
  assert.deepEqual((await api("GET", "/uc/locations")).items[0].patterns, ["10.1.0.0/16", "135.12x.121.*"]);

  await w.go("/routing/time-ranges?edit=new");
  await dialog().getByLabel("Name", { exact: true }).fill("office");
  await dialog().getByLabel("Sat", { exact: true }).check();
  await save("Add a time range");
  await row("office").getByText("Mon–Sat").waitFor();

  await w.go("/routing/settings");
  await w.page.getByLabel("Where to with what nobody knows").selectOption("carrier");
  await w.page.getByRole("button", { name: "Save" }).click();
  await w.page.getByText("Saved.").waitFor();
  assert.equal((await api("GET", "/uc/settings")).outbound_proxy, "carrier");
  await nothingWrong(w);
}

async function each_page_looks_right_and_is_reached_by_keyboard() {
  const faults = [];
  for (const place of own) {
    try {
      await w.go(place.path);
      await look(w, place.name);
      await walkByKeyboard(w.page, place.name);
      await nothingWrong(w);
    } catch (error) {
      faults.push(`${place.name}: ${error.message}`);
    }
  }
  assert.deepEqual(faults, []);
}

async function an_auditor_looks_and_is_offered_nothing({ browser }) {
  const a = await windowOf(browser, "audrey", "/routing");
  for (const place of own) {
    await a.go(place.path);
    const offered = await a.page.getByRole("main").locator("button:visible").allInnerTexts();
    assert.deepEqual(offered.filter((text) => /^(Add|Delete|Save)/.test(text.trim())), [], place.name);
  }
  await a.go("/routing/adaptations?edit=e164");
  await a.page.getByText("Your role may look, not change.").waitFor();
  assert.equal(await a.page.getByRole("dialog").locator("input, select, textarea").count(), 0);
  await glance(a, "routing-auditor");
  await nothingWrong(a);
  await a.close();
}

export const steps = [
  administrator_enters, nobody_knows_the_number_yet, a_trunk_is_made_and_its_link_comes_up, a_policy_and_a_pattern_lead_there,
  the_test_tool_draws_the_way, what_is_wrong_is_said_at_its_field, a_change_is_in_force_and_drawn_anew, two_administrators_meet,
  what_is_in_use_stays_and_the_rest_goes, lists_within_rows_are_put_together_by_hand, each_page_looks_right_and_is_reached_by_keyboard,
  an_auditor_looks_and_is_offered_nothing,
];
