// SPDX-License-Identifier: Apache-2.0
// Many people from a CSV file, after scenarios/routing.mjs: faults are seen before anything is made, passwords are made
// up and handed over once, and nobody leaves without them by mistake.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { windowOf } from "../harness/accounts.mjs";
import { noSecretKept, nothingWrong } from "../harness/browser.mjs";
import { glance, look } from "../harness/look.mjs";
import { api } from "../harness/wire.mjs";

let w;

const dialog = () => w.page.getByRole("dialog").first();
const row = (n) => w.page.locator(`tr[data-row="${n}"]`);
const total = async () => (await api("GET", "/uc/users?limit=1&count=true")).total;

async function choose(text, name = "people.csv") {
  await w.page.locator("input[type=file]").setInputFiles({ name, mimeType: "text/csv", buffer: Buffer.from(text) });
}

async function saved(button) {
  const [file] = await Promise.all([w.page.waitForEvent("download"), w.page.getByRole("button", { name: button }).click()]);
  return readFile(await file.path(), "utf8");
}

async function an_administrator_comes_from_the_list({ browser }) {
  w = await windowOf(browser, "admin", "/people");
  await w.page.getByRole("link", { name: "Add many" }).click();
  await w.page.getByRole("heading", { name: "Add many people" }).waitFor();
  assert.equal(await saved("Save a template"), "\ufeffName,Handle,Extension,Phone password,Home location\r\nAda Lovelace,3001,3001,,\r\n");
}

async function what_is_no_list_of_people_is_said() {
  await choose("colour;taste\nred;sweet");
  await w.page.getByText("The first line must name the columns").waitFor();
  await choose('name,handle\n"Ada,3001');
  await w.page.getByText(/could not be read as CSV/).waitFor();
}

async function faults_come_first_and_nothing_can_be_made() {
  await choose("Handle;Name;Extension;Shoe size\n3300;Grace;3300;38\n3001;Ada again;3301;\n33 02;Bell;33x;\n3303;;3300;\n");
  await row(2).getByText("The handle is taken").waitFor();
  await row(3).getByText("The extension is not 1 to 15 digits").waitFor();
  await row(4).getByText("Has no name").waitFor();
  assert.deepEqual(await w.page.locator("tr[data-row]").evaluateAll((all) => all.map((e) => e.dataset.row)), ["1", "2", "3", "4"]);
  await w.page.getByText("4 rows need mending").waitFor();
  await w.page.getByText("Not used: Shoe size").waitFor();
  assert.equal(await w.page.getByRole("button", { name: /^Add \d/ }).count(), 0);
  await look(w, "people-import-faults");
  await nothingWrong(w);
}

async function what_only_the_appliance_knows_is_said_before_it_is_made() {
  const before = await total();
  await choose("name,handle,location\nGrace,3300,\nBell,3301,Atlantis\n");
  await w.expecting(/422/, async () => {
    await w.page.getByRole("button", { name: "Add 2 people" }).click();
    await dialog().getByText(/^Row 2, location/).waitFor();
  });
  await glance(w, "people-import-refused");
  await dialog().getByRole("button", { name: "Cancel" }).click();
  assert.equal(await total(), before);
}

async function people_are_made_and_their_passwords_handed_over() {
  await choose("name,handle,location,password\nGrace,3300,Berlin,a password of hers\nBell,3301,,\n=HYPERLINK(1),bell.2,,\n");
  await w.page.getByRole("button", { name: "Add 3 people" }).click();
  await dialog().getByText("3 to be made").waitFor();
  await dialog().getByRole("button", { name: "Add 3 people" }).click();
  await w.page.getByRole("heading", { name: "3 people are added" }).waitFor();
  const grace = await api("GET", "/uc/users/3300");
  assert.deepEqual([grace.name, grace.location, grace.station.extension], ["Grace", "Berlin", "3300"]);
  assert.equal((await api("GET", "/uc/users/bell.2")).station, null);
  await w.page.getByRole("link", { name: "All people" }).last().click();
  await dialog().waitFor();
  await dialog().getByRole("button").first().click();
  const csv = await saved("Save the passwords");
  const lines = csv.trim().split("\r\n");
  assert.equal(lines.length, 3, csv);
  const secrets = lines.slice(1).map((line) => line.split(",").at(-1));
  for (const secret of secrets) {
    assert.match(secret, /^(\w{4}-){3}\w{4}$/);
    w.watch.secrets.add(secret);
  }
  assert.ok(lines[2].startsWith("'=HYPERLINK"), "no spreadsheet runs a name");
  await w.page.getByRole("link", { name: "All people" }).last().click();
  await w.page.locator('tr[data-person="bell.2"]').waitFor();
  await noSecretKept(w);
  await nothingWrong(w);
}

async function a_thousand_at_once() {
  await w.go("/people/import");
  const lines = Array.from({ length: 1000 }, (_, i) => `Many ${i},${40000 + i},40${String(i).padStart(3, "0")},secret-${i}-secret`);
  await choose(`name,handle,extension,password\n${lines.join("\n")}\n`);
  await w.page.getByRole("button", { name: "Add 1,000 people" }).click();
  await dialog().getByText("1,000 to be made").waitFor({ timeout: 60000 });
  await dialog().getByRole("button", { name: "Add 1,000 people" }).click();
  await w.page.getByRole("heading", { name: "1,000 people are added" }).waitFor({ timeout: 60000 });
  assert.equal(await w.page.getByRole("button", { name: "Save the passwords" }).count(), 0, "all were in the file");
  assert.ok((await total()) >= 1000);
  await nothingWrong(w);
}

export const steps = [
  an_administrator_comes_from_the_list, what_is_no_list_of_people_is_said, faults_come_first_and_nothing_can_be_made,
  what_only_the_appliance_knows_is_said_before_it_is_made, people_are_made_and_their_passwords_handed_over, a_thousand_at_once,
];
