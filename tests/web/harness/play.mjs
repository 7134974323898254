// SPDX-License-Identifier: Apache-2.0
// Plays scenarios in order in one browser: node play.mjs TOP ARTEFACTS SCENARIO... (run by stage.py inside its box).
import { openBrowser, windows } from "./browser.mjs";
import { host } from "./host.mjs";
import { picture } from "./look.mjs";

const names = process.argv.slice(4);
const browser = await openBrowser();
const seconds = (since) => ((Date.now() - since) / 1000).toFixed(1);
let failed = 0;

for (const name of names) {
  const began = Date.now();
  try {
    const { steps } = await import(`../scenarios/${name}.mjs`);
    const stage = { browser, host };
    for (const step of steps) {
      const since = Date.now();
      try {
        await step(stage);
      } catch (error) {
        error.step = step.name;
        throw error;
      }
      console.log(`  - ${step.name} ${seconds(since)}`);
    }
    console.log(`ok ${name} ${seconds(began)}`);
  } catch (error) {
    failed++;
    console.log(`FAILED ${name}, step ${error.step}: ${error.stack}`);
    for (const [i, w] of windows.entries()) {
      for (const [n, page] of w.context.pages().entries()) {
        console.log(`  window ${i} shows ${page.url()}; wrong: ${JSON.stringify(w.watch.wrong)}`);
        await picture(page, `failed-${name}-${i}${n > 0 ? `-${n}` : ""}`).catch(() => undefined);
      }
    }
    // What one scenario leaves behind, the next would stumble over.
    if (process.env.AURA_GO_ON !== "1") break;
  } finally {
    for (const w of [...windows]) await w.close();
  }
}
await browser.close();
process.exit(failed === 0 ? 0 : 1);
