// SPDX-License-Identifier: Apache-2.0
// The strings of hostile-strings.txt as names of people, administrators and tokens, in searches and addresses: shown
// as the text that they are, in every list, head, field and menu.
import assert from "node:assert/strict";
import { logOut, logIn, notLoggedIn, password, windowOf } from "../harness/accounts.mjs";
import { nothingWrong, openWindow, origin, settled } from "../harness/browser.mjs";
import { misfitsOf, picture } from "../harness/look.mjs";
import { hostileStrings } from "../harness/strings.mjs";
import { api } from "../harness/wire.mjs";

const strings = hostileStrings();
let w;
let kept;

/** Make one of each; what the API refuses as a name cannot be shown, but that must be a few of them. */
async function makeOf(what, make) {
  const taken = [];
  for (const [i, text] of strings.entries()) {
    try {
      await make(text, i);
      taken.push(text);
    } catch (error) {
      assert.match(error.message, / 422 | 409 /, `${what} ${JSON.stringify(text)}: ${error.message}`);
    }
  }
  console.log(`    ${taken.length} of ${strings.length} strings as names of ${what}`);
  assert.ok(taken.length >= strings.length * 0.8, `${what}: most names are allowed`);
  return taken;
}

async function they_are_names({ browser }) {
  const at = new Date(Date.now() + 86400000).toISOString();
  kept = {
    people: await makeOf("people", (name, i) => api("POST", "/uc/users", { handle: String(7000 + i), name, password: `secret-${i}-of-a-phone` })),
    admins: await makeOf("administrators", (name) => api("POST", "/admins", { name, role: "auditor", password, must_change_password: false })),
    tokens: await makeOf("tokens", (name) => api("POST", "/tokens", { name, scopes: ["vms:read"], expires_at: at })),
  };
  await api("PATCH", "/appliance", { name: strings[1] });
  w = await windowOf(browser, "admin");
}

/** Every string is the whole text of some element, and nothing of it became an element. */
async function shown(names, what) {
  const texts = new Set(await w.page.evaluate(() => [...document.querySelectorAll("main *")].map((e) => e.textContent.trim())));
  const missing = names.filter((name) => !texts.has(name.trim()));
  assert.deepEqual(missing, [], `not shown as text ${what}`);
  await inert(what);
}

async function inert(what, page = w.page) {
  const made = await page.evaluate(() =>
    [...document.querySelectorAll("img[src=x], iframe, base, meta[http-equiv=refresh], [onerror], [onload], [onclick], [ontoggle], [onfocus], main script, main style, form[action]")]
      .map((e) => e.outerHTML.slice(0, 200)));
  assert.deepEqual(made, [], `elements made of a name, ${what}`);
  assert.equal(await page.evaluate(() => window.hacked), undefined, what);
}

async function fits(what) {
  for (const [width, height] of [[360, 780], [1366, 768]]) {
    await w.page.setViewportSize({ width, height });
    const faults = (await misfitsOf(w.page)).filter((fault) => fault.startsWith("the page is"));
    assert.deepEqual(faults, [], `${what} at ${width} px`);
    await picture(w.page, `hostile-${what}-${width}`);
  }
}

/** The list, at least its first `count` rows, however many pages that takes. */
async function list(path, count = Infinity) {
  await w.go(path);
  const more = w.page.getByRole("button", { name: "Show more" });
  while ((await more.count()) > 0 && (await w.page.locator("main tbody tr").count()) < count) {
    await more.click();
    await settled(w);
  }
}

async function in_every_list() {
  await list("/people?sort=-created_at", kept.people.length);
  await shown(kept.people, "among people");
  await fits("people");
  await list("/system");
  await shown(kept.admins, "among administrators");
  await fits("administrators");
  await list("/system/tokens");
  await shown(kept.tokens, "among tokens");
  await fits("tokens");
  await w.go("/system/audit");
  await inert("in the audit log");
  await fits("audit");
  await w.go("/");
  await inert("on Home, where the appliance has such a name");
  await nothingWrong(w);
}

async function as_head_and_in_fields() {
  for (const text of kept.people.filter((_, i) => i % 4 === 0 || kept.people[i].includes("hacked"))) {
    await w.go(`/people/${7000 + strings.indexOf(text)}`);
    assert.equal((await w.page.locator("h1").textContent()).trim(), text.trim(), "the head");
    const values = await w.page.$$eval("input", (all) => all.map((e) => e.value));
    // A field of one line cannot hold line breaks: a browser takes them out.
    assert.ok(values.includes(text.replace(/[\r\n]/g, "")), `no field holds ${JSON.stringify(text)}: ${JSON.stringify(values)}`);
    assert.ok((await w.page.title()).includes("Aurabox"));
    await inert(`as the head of a person: ${text}`);
  }
  await fits("person");
  await nothingWrong(w);
}

/** Two windows share the work: most of the time goes by in waiting for a page to be quiet. */
async function in_searches_and_addresses({ browser }) {
  const other = await windowOf(browser, "admin");
  const searched = strings.filter((each) => each.length < 200);
  await Promise.all([w, other].map(async (each, i) => {
    for (const text of searched.filter((_, n) => n % 2 === i)) {
      await each.go(`/people?q=${encodeURIComponent(text)}`);
      await inert(`in the address: ${text}`, each.page);
      // Spaces at the ends do not count.
      assert.equal((await each.page.getByRole("searchbox").first().inputValue()).trim(), text.replace(/[\r\n]/g, "").trim());
    }
    await nothingWrong(each);
  }));
  await other.close();
  // A slash in a name, written %2F, is refused before it is a page: 400 and a problem document.
  await w.expecting(/(400|404|422).*\/(api\/v1|people|calls|machines|system\/tasks|no)\//, async () => {
    for (const text of strings.filter((each) => each.length < 60 && each.includes("hacked"))) {
      for (const path of ["/people/", "/calls/", "/machines/", "/system/tasks/", "/no/"]) {
        await w.page.goto(`${origin}${path}${encodeURIComponent(text)}`);
        await w.page.locator(text.includes("/") ? "pre" : "h1").first().waitFor();
        await inert(`as ${path}…`);
      }
    }
    await w.page.waitForTimeout(500);
  });
  await nothingWrong(w);
}

async function typed_by_hand() {
  const text = strings[1];
  await w.go("/people/new");
  await w.page.locator("[name=name]").fill(text);
  await w.page.locator("[name=handle]").fill("7999");
  await w.page.locator("[name=password]").fill("secret-7999-of-a-phone");
  w.watch.secrets.add("secret-7999-of-a-phone");
  await inert("typed as a name");
  await w.page.getByRole("button", { name: "Create", exact: true }).click();
  await w.page.locator("[name=password]").waitFor({ state: "detached" });
  await settled(w);
  await inert("once it was created");
  assert.equal((await api("GET", "/uc/users/7999")).name, text);
  await nothingWrong(w);
}

/** The name of the one who is logged in is drawn by the frame on each page. */
async function as_the_one_who_is_logged_in({ browser }) {
  await logOut(w);
  await w.close();
  for (const name of [strings[1], strings[4], "W".repeat(256)].filter((each) => kept.admins.includes(each))) {
    w = await openWindow(browser);
    await w.expecting(notLoggedIn, async () => {
      await w.go("/");
      await logIn(w, name, password);
    });
    await w.page.getByRole("button", { name: /^Account of/ }).click();
    assert.ok(await w.page.getByRole("banner").getByText(name, { exact: true }).count() > 0, "the name is text");
    await inert("as the account");
    await w.page.keyboard.press("Escape");
    await fits("account");
    await nothingWrong(w);
    await w.close();
  }
}

async function clean_up() {
  await api("PATCH", "/appliance", { name: "aurabox" });
  for (const row of (await api("GET", "/admins?limit=500")).items) if (row.role === "auditor") await api("DELETE", `/admins/${row.id}`);
  for (const row of (await api("GET", "/tokens?limit=500")).items) await api("DELETE", `/tokens/${row.id}`);
}

export const steps = [
  they_are_names, in_every_list, as_head_and_in_fields, in_searches_and_addresses, typed_by_hand, as_the_one_who_is_logged_in,
  clean_up,
];
