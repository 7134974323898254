// SPDX-License-Identifier: Apache-2.0
// Two real phones, seen live: on the person's page when they register, on Calls while they ring and talk, as a record
// and its story once they have hung up, and in Home's first sentence.
import assert from "node:assert/strict";
import { windowOf } from "../harness/accounts.mjs";
import { nothingWrong, origin, settled } from "../harness/browser.mjs";
import { phones } from "../harness/host.mjs";
import { look } from "../harness/look.mjs";
import { api } from "../harness/wire.mjs";

const people = [["3101", "Käthe Kollwitz"], ["3102", "Émile Berliner"]];
let w;

async function two_people({ browser }) {
  for (const [handle, name] of people) {
    await api("POST", "/uc/users", { handle, name, password: `phone-${handle}-secret`, station: { extension: handle } });
  }
  w = await windowOf(browser, "admin", "/people/3101?tab=phones");
}

async function a_phone_registers_before_one_s_eyes() {
  await w.page.getByText("No phone is registered").waitFor();
  await look(w, "person-without-phone");
  // The call servers have the new people within seconds; a phone tries again by itself, this one is asked to.
  const began = Date.now();
  for (const [handle] of people) await phones({ do: "register", handle, password: `phone-${handle}-secret`, tone: 440 });
  await w.page.getByRole("main").getByText(/baresip/).first().waitFor({ timeout: 30000 });
  console.log(`    registered and shown after ${Date.now() - began} ms`);
  await look(w, "person-with-phone");
  await nothingWrong(w);
}

async function a_call_is_seen_live() {
  await w.go("/calls");
  await w.page.getByText("Nobody is on the phone").waitFor();
  await w.page.evaluate(() => (window.sameDocument = true));
  const began = Date.now();
  await phones({ do: "dial", caller: "3101", callee: "3102" });
  const row = w.page.getByRole("row").filter({ hasText: "3101" }).filter({ hasText: "3102" });
  await row.locator(".badge", { hasText: "Talking" }).waitFor({ timeout: 30000 });
  console.log(`    a call in talk shown ${Date.now() - began} ms after it was dialled`);
  await look(w, "calls-live");
  const home = await w.tab();
  await home.goto(`${origin}/`);
  await home.getByText(/Calls work: 1 call is in talk|Calls work: last call/).first().waitFor();
  await home.close();
  await phones({ do: "hang-up", handle: "3101" });
  await row.waitFor({ state: "detached", timeout: 30000 });
  await w.page.getByText("Nobody is on the phone").waitFor();
  assert.equal(await w.page.evaluate(() => window.sameDocument), true, "all of it without a reload");
  await nothingWrong(w);
}

async function its_record_tells_the_story() {
  await w.go("/calls?tab=records");
  const row = w.page.getByRole("row").filter({ hasText: "3101" }).filter({ hasText: "3102" }).first();
  await row.waitFor({ timeout: 30000 });
  await row.getByText("Answered").first().waitFor();
  await look(w, "calls-with-record");
  await row.getByRole("link").first().click();
  await w.page.waitForURL(/\/calls\/[^?]+$/);
  await settled(w);
  await w.page.getByText("What happened").waitFor();
  await look(w, "call-story");
  await w.go("/people/3102?tab=calls");
  await w.page.getByRole("main").getByText("3101").first().waitFor();
  await w.go("/");
  await w.page.getByText(/Calls work: last call/).waitFor();
  await look(w, "home-calls-work");
  await nothingWrong(w);
}

async function a_phone_that_leaves_is_gone() {
  await w.go("/people/3101?tab=phones");
  await w.page.getByText(/baresip/).first().waitFor();
  await phones({ do: "unregister", handle: "3101" });
  await w.page.getByText("No phone is registered").waitFor({ timeout: 30000 });
  await phones({ do: "unregister", handle: "3102" });
  await nothingWrong(w);
}

export const steps = [
  two_people, a_phone_registers_before_one_s_eyes, a_call_is_seen_live, its_record_tells_the_story, a_phone_that_leaves_is_gone,
];
