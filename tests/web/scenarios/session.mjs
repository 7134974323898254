// SPDX-License-Identifier: Apache-2.0
// The end of a session: announced, put off, and after the next log-in one is where one was.
import assert from "node:assert/strict";
import { logIn, notLoggedIn, password, windowOf, fillLogIn, makeAdmin } from "../harness/accounts.mjs";
import { noSecretKept, nothingWrong, openWindow, settled } from "../harness/browser.mjs";
import { glance, look } from "../harness/look.mjs";
import { api } from "../harness/wire.mjs";

const ended = /401.*\/api\/v1\//;
const place = "/people?q=ada&sort=-handle";

/** Sessions that end after so many idle seconds; a while before that it is announced. */
async function sessionsOf(host, seconds) {
  await host("stop-daemon");
  await host("start-daemon", { settings: [`api.idle_s=${seconds}`] });
}

async function its_end_is_announced_and_put_off({ browser, host }) {
  await sessionsOf(host, 24);
  const w = await windowOf(browser, "admin", place);
  const stay = w.page.getByRole("button", { name: "Stay logged in" });
  await stay.waitFor();
  await glance(w, "session-ending");
  await stay.click();
  await stay.waitFor({ state: "detached" });
  await w.expecting(ended, async () => {
    await stay.waitFor();
    await w.page.getByText("Your session has ended").waitFor({ timeout: 40000 });
  });
  assert.equal(await w.page.getByRole("searchbox").count(), 0, "nothing is shown to whoever comes by");
  await host("stop-daemon");
  await host("start-daemon");
  await look(w, "session-ended");
  await w.expecting(/./, () => logIn(w));
  assert.equal(new URL(w.page.url()).pathname + new URL(w.page.url()).search, place, "back where one was");
  assert.equal(await w.page.getByRole("searchbox").first().inputValue(), "ada");
  assert.equal(await w.page.getByText("Your session has ended").count(), 0);
  await nothingWrong(w);
  await w.close();
}

async function ended_elsewhere_it_is_noticed_by_the_stream({ browser }) {
  const w = await windowOf(browser, "admin", "/machines");
  await w.expecting(ended, async () => {
    await w.page.evaluate(async () => {
      const { csrf_token } = await (await fetch("/api/v1/session")).json();
      await fetch("/api/v1/session", { method: "DELETE", headers: { "X-CSRF-Token": csrf_token } });
    });
    await w.page.getByText("Your session has ended").waitFor();
    await logIn(w);
  });
  assert.equal(new URL(w.page.url()).pathname, "/machines");
  assert.equal(await w.page.evaluate(() => document.activeElement.tagName), "H1", "the focus is on the page's head");
  await nothingWrong(w);
  await w.close();
}

async function typed_text_outlives_the_session({ browser }) {
  const w = await windowOf(browser, "admin", "/people/new");
  await w.page.locator("[name=name]").fill("Typed before the end");
  await w.expecting(ended, async () => {
    await w.page.evaluate(async () => {
      const { csrf_token } = await (await fetch("/api/v1/session")).json();
      await fetch("/api/v1/session", { method: "DELETE", headers: { "X-CSRF-Token": csrf_token } });
    });
    await w.page.getByText("Your session has ended").waitFor();
    await logIn(w);
  });
  assert.equal(new URL(w.page.url()).pathname, "/people/new");
  assert.equal(await w.page.locator("[name=name]").inputValue(), "Typed before the end", "nothing typed is lost");
  await w.close();
}

/** A link to a page inside leads there through the log-in, and a refused log-in keeps the name. */
async function a_deep_link_survives_the_log_in({ browser }) {
  const w = await openWindow(browser);
  await w.expecting(/401.*\/api\/v1\/session$/, async () => {
    await w.go("/system/audit?result=ok");
    await look(w, "log-in");
    await fillLogIn(w.page, "admin", "not the password");
    await w.page.getByRole("alert").first().waitFor();
    assert.equal(await w.page.inputValue("[name=username]"), "admin", "what was typed stays");
    await look(w, "log-in-refused");
    await logIn(w);
  });
  assert.equal(new URL(w.page.url()).pathname + new URL(w.page.url()).search, "/system/audit?result=ok");
  await w.page.goBack();
  await w.page.goForward();
  await settled(w);
  await nothingWrong(w);
  await w.close();
}

async function one_changes_one_s_own_password({ browser }) {
  const fresh = "another password of mine";
  await makeAdmin("changer", "auditor");
  const w = await windowOf(browser, "changer");
  await w.page.getByRole("button", { name: /^Account of/ }).click();
  await w.page.getByRole("menuitem", { name: "Change password" }).click();
  await w.page.locator("[name=old]").fill(password);
  await w.page.locator("[name=new]").fill(fresh);
  await w.page.locator("[name=again]").fill(fresh);
  await look(w, "change-my-password");
  w.watch.secrets.add(fresh);
  await w.page.locator("[name=again]").press("Enter");
  await w.page.locator("[name=again]").waitFor({ state: "detached" });
  await noSecretKept(w);
  await w.close();
  const again = await openWindow(browser);
  await again.expecting(notLoggedIn, async () => {
    await again.go("/");
    await logIn(again, "changer", fresh);
  });
  await nothingWrong(again);
  await again.close();
  await api("DELETE", "/admins/changer");
}

export const steps = [
  its_end_is_announced_and_put_off, ended_elsewhere_it_is_noticed_by_the_stream, typed_text_outlives_the_session,
  a_deep_link_survives_the_log_in, one_changes_one_s_own_password,
];
