// SPDX-License-Identifier: Apache-2.0
// The administration as a document, after scenarios/routing.mjs: saved, changed by hand, looked at, taken over; a file
// that is none, a row that is wrong, a document larger than a request, what is removed; an auditor saves without secrets.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { windowOf } from "../harness/accounts.mjs";
import { nothingWrong } from "../harness/browser.mjs";
import { glance, look } from "../harness/look.mjs";
import { api } from "../harness/wire.mjs";

let w;
let saved;

const dialog = () => w.page.getByRole("dialog").first();
const sets = (name) => w.page.locator("tr", { has: w.page.getByText(name, { exact: true }) });

async function choose(document, name = "aurabox.json") {
  const buffer = Buffer.from(typeof document === "string" ? document : JSON.stringify(document));
  await w.page.locator("input[type=file]").setInputFiles({ name, mimeType: "application/json", buffer });
}

async function look_at_the_changes() {
  await w.page.getByRole("button", { name: "Look at the changes" }).click();
}

async function take_over() {
  await dialog().getByRole("button", { name: "Take over" }).click();
  await w.page.getByRole("heading", { name: "The document is taken over" }).waitFor({ timeout: 60000 });
  await dialog().waitFor({ state: "detached" });
}

async function download(from) {
  const [file] = await Promise.all([from.page.waitForEvent("download"), from.page.getByRole("button", { name: "Download the document" }).click()]);
  assert.match(file.suggestedFilename(), /^aurabox-\d{4}-\d\d-\d\d\.json$/);
  return JSON.parse(await readFile(await file.path(), "utf8"));
}

async function the_document_is_saved({ browser }) {
  w = await windowOf(browser, "admin", "/system/transfer");
  saved = await download(w);
  assert.equal(saved.schema, 1);
  assert.ok(saved.sip_entities.some(({ name }) => name === "carrier"));
  assert.match(saved.users[0].ha1.md5, /^[0-9a-f]{32}$/);
  await look(w, "transfer");
  await nothingWrong(w);
}

async function what_is_no_document_is_said_at_once() {
  await choose("handle;name\n3001;Ada", "people.csv");
  await w.page.getByText("The file holds no JSON.").waitFor();
  await choose({ schema: 2 });
  await w.page.getByText(/no document of this kind/).waitFor();
  assert.equal(await w.page.getByRole("button", { name: "Look at the changes" }).count(), 0);
}

async function a_row_that_is_wrong_is_named_and_nothing_changes() {
  const users = [{ handle: "3100", name: "Bell", password: "secret-3100-3100" }, { handle: "3101", name: "" }];
  await choose({ schema: 1, users });
  await w.expecting(/422/, async () => {
    await look_at_the_changes();
    await dialog().getByText(/^People, row 2/).waitFor();
  });
  assert.ok(await dialog().getByRole("button", { name: "Take over" }).isDisabled());
  await glance(w, "transfer-fault");
  await dialog().getByRole("button", { name: "Cancel" }).click();
  assert.equal((await api("GET", "/uc/users?limit=10")).items.length, 1);
}

async function changes_are_seen_before_they_are_made() {
  const changed = structuredClone(saved);
  changed.users.push({ handle: "3100", name: "Bell", password: "secret-3100-3100" });
  changed.locations[0].notes = "from a file";
  await choose(changed);
  await look_at_the_changes();
  await dialog().getByText("Locations 1 to be changed").waitFor();
  assert.equal(await dialog().getByRole("listitem").count(), 2, "people and locations");
  await glance(w, "transfer-plan");
  assert.equal((await api("GET", "/uc/users?limit=10")).items.length, 1, "a look changes nothing");
  await take_over();
  assert.match(await sets("People").innerText(), /People\s+1\s+0\s+1\s+0/);
  assert.match(await sets("Locations").innerText(), /Locations\s+0\s+1\s+0\s+0/);
  assert.equal((await api("GET", "/uc/locations")).items[0].notes, "from a file");
  await glance(w, "transfer-done");
  await nothingWrong(w);
}

async function what_the_document_lacks_goes_only_when_it_is_said() {
  await choose(saved);
  await w.page.getByLabel(/Remove what the document lacks/).check();
  await look_at_the_changes();
  await dialog().getByText(/Download the document of today first/).waitFor();
  await dialog().getByText("People 1 to be removed").waitFor();
  await take_over();
  assert.deepEqual((await api("GET", "/uc/users?limit=10")).items.map(({ handle }) => handle), ["3001"]);
  const again = await download(w);
  assert.deepEqual(again, saved, "export, changes, import: the same document");
}

async function what_is_larger_than_a_request_goes_in_parts() {
  const many = Array.from({ length: 1100 }, (_, i) => ({ pattern: `+49${10000 + i}`, min: 8, max: 20, policies: ["to the carrier"], notes: "n".repeat(900) }));
  await choose({ schema: 1, dial_patterns: many });
  await w.page.getByText(/goes as 2 of them/).waitFor();
  assert.equal(await w.page.getByLabel(/Remove what the document lacks/).count(), 0, "nothing is removed in parts");
  await look_at_the_changes();
  await dialog().getByText("0 of 2 requests are done.").waitFor();
  await take_over();
  assert.match(await sets("Dial patterns").innerText(), /1,100\s+0\s+0\s+0/);
  assert.equal((await api("GET", "/uc/dial-patterns?limit=1&count=true")).total, 1100);
  await nothingWrong(w);
}

async function an_auditor_saves_without_secrets({ browser }) {
  const a = await windowOf(browser, "audrey", "/system/transfer");
  assert.equal(await a.page.locator("input[type=file]").count(), 0);
  const document = await download(a);
  assert.equal(document.users.length, 1);
  assert.ok(!JSON.stringify(document).includes("ha1"));
  await nothingWrong(a);
  await a.close();
}

export const steps = [
  the_document_is_saved, what_is_no_document_is_said_at_once, a_row_that_is_wrong_is_named_and_nothing_changes,
  changes_are_seen_before_they_are_made, what_the_document_lacks_goes_only_when_it_is_said, what_is_larger_than_a_request_goes_in_parts,
  an_auditor_saves_without_secrets,
];
