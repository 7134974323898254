import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";
import { licences } from "./scripts/licences.js";

/** What the log-in page needs: the entry. */
const base = /\/(index\.html|src\/(main\.ts|App\.svelte|pages\/(index\.ts|LogIn)|tokens|api\/|locales\/en\/frame|lib\/(i18n|pseudo|remote|session|expiry|theme|locale|path|router|clock|toast)\b|components\/(Field|form|ProblemNote|Icon|Mark)\b)|node_modules\/(?!uplot|jssip|events|sdp-transform))/;
/** A telephone's library, for whoever signs in with one. */
const sip = /\/(node_modules\/(jssip|events|sdp-transform)\/|softphone\/(sip\.ts|silent\.cjs))/;
/** What stands around each page, what nearly every page draws with, and the first page: one request. */
const frame = /\/(src\/(shell\/(Shell|Banners|LeaveDialog|Navigation|Outlet|TopBar|entries|frame)\b|components\/[A-Z]\w+\.svelte|components\/chart\/shape|pages\/home\/|locales\/en\/(home|calls)|lib\/(collection|csv|bind_query|resource|owner|live|stream|shared_stream|sse|sse_line|events|tasks?|task_words|isolate|keys|vm_events)\b)|uplot\/.*\.css|node_modules\/(?!uplot|jssip|events|sdp-transform))/;
/** Styles of both are one file: scoped, they do nothing before their component is there. */
const isStyle = (id: string): boolean => id.includes("type=style") || id.endsWith(".css");
const alone = /\/(Conflict\w*|Task\w*|Secret)\.svelte/;
/** What the pages of one folder share beside their components. */
const shared = /\/src\/pages\/(\w+)\/(\w+(\.svelte)?\.ts|(Avatar|DeletePeople)\.svelte)$/;

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
            { name: "index", test: (id: string) => base.test(id) || (isStyle(id) && frame.test(id) && !alone.test(id)), priority: 2 },
            { name: "frame", test: (id: string) => frame.test(id) && !alone.test(id), priority: 1 },
            { name: (id: string) => shared.exec(id)?.[1] ?? null, test: shared },
          ],
        },
      },
    },
  },
  test: { include: ["src/**/*.test.ts"], environment: "node", setupFiles: ["src/test_setup.ts"], testTimeout: 30_000 },
});
