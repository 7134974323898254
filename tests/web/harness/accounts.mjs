// SPDX-License-Identifier: Apache-2.0
// Administrators of the tests, and how one logs in.
import assert from "node:assert/strict";
import { openWindow, settled } from "./browser.mjs";
import { api } from "./wire.mjs";

export const password = "a password of my own";

/** A 401 is what a browser's console says of the question who one is, while nobody is. */
export const notLoggedIn = /401.*\/api\/v1\/session$/;

export async function fillLogIn(page, name, secret) {
  const form = page.locator("form", { has: page.locator("[name=username]") });
  await form.locator("[name=username]").fill(name);
  await form.locator("[name=password]").fill(secret);
  await form.locator("button.primary").click();
}

/** Log in where the log-in page is shown. */
export async function logIn(w, name = "admin", secret = password) {
  w.watch.secrets.add(secret);
  await fillLogIn(w.page, name, secret);
  await w.page.locator("[name=username]").waitFor({ state: "detached" });
  await settled(w);
}

/** A fresh window at `path`, logged in. */
export async function windowOf(browser, name, path = "/", options = {}) {
  const w = await openWindow(browser, options);
  await w.expecting(notLoggedIn, async () => {
    await w.go(path);
    await w.page.locator("[name=username]").waitFor();
  });
  await logIn(w, name);
  return w;
}

/** An administrator with a role; `password` is theirs. */
export async function makeAdmin(name, role) {
  const admin = await api("POST", "/admins", { name, role, password, must_change_password: false });
  assert.equal(admin.role, role);
  return admin;
}

/** What `admin` has got in every test but that of the first run: a password that is known. */
export async function takeOver() {
  await api("PATCH", "/admins/admin", { password, must_change_password: false });
}

export async function logOut(w) {
  await w.page.getByRole("button", { name: /^Account of/ }).click();
  await w.page.getByRole("menuitem", { name: "Log out" }).click();
  await w.page.locator("[name=password]").waitFor();
}
