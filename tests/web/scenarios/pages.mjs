// SPDX-License-Identifier: Apache-2.0
// Every page, in both themes, from 360 px to 4K: nothing that axe finds, nothing cut off, nothing too small; in the
// pseudo-locale nothing untranslated; by keyboard everything reached.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { windowOf } from "../harness/accounts.mjs";
import { nothingWrong, settled, top } from "../harness/browser.mjs";
import { walkByKeyboard } from "../harness/keyboard.mjs";
import { look, misfitsOf, picture, untranslated } from "../harness/look.mjs";
import { places, realPlaces } from "../harness/places.mjs";

/** Two browsers' worth: each takes the next place that nobody has looked at. */
let windows;
let all;

/** Run `check` on each place; every fault of every page is told, not the first alone. */
async function eachPlace(check) {
  const faults = [];
  const left = [...all];
  await Promise.all(windows.map(async (w) => {
    for (let place = left.shift(); place !== undefined; place = left.shift()) {
      try {
        await w.go(place.path);
        await check(place, w);
        await nothingWrong(w);
      } catch (error) {
        faults.push(`${place.name} (${place.path}): ${error.message}`);
        w.watch.wrong = [];
      }
    }
  }));
  assert.equal(faults.length, 0, `\n${faults.join("\n")}`);
}

function places_are_complete() {
  const table = readFileSync(`${top}/webui/src/pages/index.ts`, "utf8");
  const known = places.map((place) => place.path.replace(/\?.*/, ""));
  const paths = [...table.matchAll(/path: "([^"]+)"/g)].map((match) => match[1]);
  assert.ok(paths.length > 10, "the table of pages could be read");
  for (const path of paths) {
    const pattern = new RegExp(`^${path.replace(/:\w+/g, "[^/]+")}$`);
    assert.ok(known.some((each) => pattern.test(each)), `${path} is a page that no test looks at`);
  }
}

async function administrator_enters({ browser }) {
  windows = [await windowOf(browser, "admin"), await windowOf(browser, "admin")];
  all = await realPlaces();
}

async function each_page_looks_right_with_a_title_and_one_head() {
  const titles = new Map();
  await eachPlace(async (place, w) => {
    await look(w, place.name);
    assert.equal(await w.page.locator("h1").count(), 1, "one h1");
    const title = await w.page.title();
    assert.match(title, /\S - Aurabox$/);
    if (!place.path.includes("tab=")) {
      assert.ok(!titles.has(title), `${title} is also the title of ${titles.get(title)}`);
      titles.set(title, place.name);
    }
  });
}

async function each_page_is_reached_by_keyboard_alone() {
  await eachPlace(async (place, w) => walkByKeyboard(w.page, place.name));
}

async function each_page_in_the_pseudo_locale() {
  for (const w of windows) {
    await w.page.goto(`${new URL(w.page.url()).origin}/?locale=pseudo`);
    await settled(w);
  }
  await eachPlace(async (place, w) => {
    const head = (await w.page.locator("h1").innerText()).trim();
    // Names of people and machines are what they are.
    const name = w.watch.answers.some((answer) => answer.includes(JSON.stringify(head)));
    assert.ok(name || /[\u00e5\u0180\u00e7\u00f0\u00e9\u0192\u011d\[]|\d/.test(head), `the head is in the pseudo-locale: ${head}`);
    // The document of the API and the licences are texts of their own, not words of the console.
    if (!["api", "about"].includes(place.name)) {
      assert.deepEqual(await untranslated(w.page, w.watch.answers), [], "not translated");
    }
    for (const [width, height] of [[360, 780], [1366, 768]]) {
      await w.page.setViewportSize({ width, height });
      assert.deepEqual(await misfitsOf(w.page), [], `at ${width} px`);
      await picture(w.page, `pseudo-${place.name}-${width}`);
    }
  });
}

export const steps = [
  places_are_complete, administrator_enters, each_page_looks_right_with_a_title_and_one_head,
  each_page_is_reached_by_keyboard_alone, each_page_in_the_pseudo_locale,
];
