import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";
import { licences } from "./scripts/licences.js";

/** What the log-in page needs, in one chunk; and what nearly every page draws with, in another: few requests, cached for long. */
const base = /\/(node_modules\/(?!uplot|jssip|events|sdp-transform)|src\/api\/|src\/locales\/en\/frame|src\/lib\/(i18n|pseudo|remote|session|expiry|theme|locale|path|router|clock|toast)\b|src\/components\/(Field|form|ProblemNote|Icon)\b)/;
const kit = /\/src\/(components\/[A-Z]\w+\.svelte|lib\/(collection|bind_query|resource|owner|live|stream|shared_stream|sse|events|tasks?|task_words|isolate)\b)/;
/** What the pages of one folder share beside their components. */
const shared = /\/src\/pages\/(\w+)\/\w+(\.svelte)?\.ts$/;
/** A telephone's library, for whoever signs in with one. */
const sip = /\/(node_modules\/(jssip|events|sdp-transform)\/|softphone\/(sip\.ts|silent\.cjs))/;
const alone = /\/(Chart|Conflict\w*|Task\w*|Secret)\.svelte/;

// Static files for auraboxd: no inline script or style (its Content-Security-Policy forbids them).
export default defineConfig({
  plugins: [svelte(), licences()],
  // No SIP message goes to the browser's console.
  resolve: { alias: { debug: fileURLToPath(new URL("src/pages/calls/softphone/silent.cjs", import.meta.url)) } },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: "sip", test: sip, priority: 3 },
            { name: "base", test: base, priority: 2 },
            { name: "kit", test: (id: string) => kit.test(id) && !alone.test(id), priority: 1 },
            { name: (id: string) => shared.exec(id)?.[1] ?? null, test: shared },
          ],
        },
      },
    },
  },
  test: { include: ["src/**/*.test.ts"], environment: "node", setupFiles: ["src/test_setup.ts"], testTimeout: 30_000 },
});
