// SPDX-License-Identifier: Apache-2.0
// Those who may less: an auditor reads everything and is offered nothing to do; telephony and operators see their part.
import assert from "node:assert/strict";
import { windowOf } from "../harness/accounts.mjs";
import { nothingWrong } from "../harness/browser.mjs";
import { look } from "../harness/look.mjs";
import { realPlaces } from "../harness/places.mjs";

/** Buttons and links that change something, by the words of the catalogues; a document that is saved is a file of one's own. */
const doing = /^(Add|Create|Delete|Remove|Deploy|Start|Restart|Shut down|Stop|Force|Save(?! the document)|Acknowledge|Revoke|Cancel the|Rename|Edit|Change|Reset|Set up|Apply|Generate|New)\b/i;

async function an_auditor_reads_all_and_is_offered_nothing({ browser }) {
  const w = await windowOf(browser, "audrey");
  const faults = [];
  for (const place of await realPlaces()) {
    await w.go(place.path);
    const main = w.page.getByRole("main");
    const forbidden = (await main.getByText("Your role may not see this").count()) > 0;
    if (forbidden !== (place.needs !== undefined)) faults.push(`${place.name}: ${forbidden ? "refused" : "not refused"}`);
    const offered = await main.locator("button:visible, a.button:visible").allInnerTexts();
    const wrong = offered.map((text) => text.trim()).filter((text) => doing.test(text));
    if (wrong.length > 0) faults.push(`${place.name} offers ${wrong.join(", ")}`);
    const typed = await main.locator("input:visible:not([type=search]):not([readonly]):not([disabled])").evaluateAll((all) =>
      all.filter((e) => e.closest("form:not([role=search])")?.querySelector("button.primary")).map((e) => e.name));
    const fields = typed.filter((field) => !place.asks?.includes(field));
    if (fields.length > 0) faults.push(`${place.name} lets one type into ${fields.join(", ")}`);
    if (["person", "machine", "administrators"].includes(place.name)) await look(w, `auditor-${place.name}`);
  }
  assert.deepEqual(faults, []);
  await nothingWrong(w);
  const refused = await w.page.evaluate(async () => {
    const { csrf_token } = await (await fetch("/api/v1/session")).json();
    const ask = async (method, path, body) => (await fetch(`/api/v1${path}`, {
      method, headers: { "X-CSRF-Token": csrf_token, "Content-Type": "application/json" }, ...(body ? { body: JSON.stringify(body) } : {}),
    })).status;
    return [await ask("POST", "/vms/sm/actions/stop"), await ask("DELETE", "/uc/users/3201"), await ask("POST", "/setup/apply", {})];
  });
  assert.deepEqual(refused, [403, 403, 403], "nor may one without the buttons");
}

async function seesTheirPart(browser, name, sees, not) {
  const w = await windowOf(browser, name);
  const entries = await w.page.getByRole("navigation", { name: "Main" }).getByRole("link").allInnerTexts();
  const words = entries.map((text) => text.trim());
  for (const entry of sees) assert.ok(words.includes(entry), `${name} sees ${entry}: ${words}`);
  for (const entry of not) assert.ok(!words.includes(entry), `${name} does not see ${entry}: ${words}`);
  await look(w, `home-of-${name}`);
  for (const place of await realPlaces()) await w.go(place.path);
  // A page that one may not see says so, and asks the API for nothing that it would refuse.
  await nothingWrong(w);
  await w.close();
}

/** At once, each in a browser of their own: most of the time goes by in waiting for a page to be quiet. */
async function telephony_and_operators_see_their_part({ browser }) {
  await Promise.all([
    seesTheirPart(browser, "tess", ["Home", "People", "Calls"], ["Machines"]),
    seesTheirPart(browser, "oscar", ["Home", "Machines"], ["People", "Calls"]),
  ]);
}

export const steps = [an_auditor_reads_all_and_is_offered_nothing, telephony_and_operators_see_their_part];
