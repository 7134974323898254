import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";
import { earlyFiles } from "./scripts/early_files.ts";
import { inlineRuntime } from "./scripts/inline_runtime.ts";
import { leanSip } from "./scripts/lean_grammar.ts";
import { licences } from "./scripts/licences.js";

/** What the log-in page needs: the entry. */
const base = /\/(index\.html|src\/(main\.ts|App\.svelte|pages\/(index\.ts|LogIn)|tokens|first|api\/|locales\/en\/frame|lib\/(i18n|pseudo|remote|session|expiry|theme|known|drawn|locale|path|router|clock|toast)\b|components\/(Field|form|ProblemNote|Icon|Mark)\b)|node_modules\/(?!uplot|jssip|events|sdp-transform))/;
/** A telephone's library, for whoever signs in with one. */
const sip = /\/(node_modules\/(jssip|events|sdp-transform)\/|softphone\/(sip\.ts|silent\.cjs))/;
/** What stands around each page, what nearly every page draws with, and the first page: one request. */
const frame = /\/(src\/(shell\/(Shell|Banners|LeaveDialog|Navigation|Outlet|TopBar|entries|frame)\b|components\/[A-Z]\w+\.svelte|components\/chart\/shape|pages\/(home\/|people\/(api|in_force|password)\.ts)|locales\/en\/(home|calls)|lib\/(collection|conflict|csv|bind_query|resource|owner|live|stream|shared_stream|sse|sse_line|events|tasks?|task_words|isolate|keys|vm_events)\b)|uplot\/.*\.css|node_modules\/(?!uplot|jssip|events|sdp-transform))/;
/** Styles of both are one file: scoped, they do nothing before their component is there. */
const isStyle = (id: string): boolean => id.includes("type=style") || id.endsWith(".css");
const alone = /\/(Task\w*|Secret)\.svelte/;
/** What the pages of one folder share beside their components. */
const shared = /\/src\/pages\/(\w+)\/(\w+(\.svelte)?\.ts|(Avatar|DeletePeople)\.svelte)$/;
/** The longest list that there is, with all it needs but the frame: one request. */
const people = /\/src\/(pages\/people\/(\w+(\.svelte)?\.ts|(People|Avatar|DeletePeople)\.svelte)|locales\/en\/people\.ts)/;
/** The first page of each other entry of the navigation, with its words and what the pages beside it share: one request and one for styles. */
const firsts = /\/src\/(pages\/(calls\/(Calls\.svelte|\w+(\.svelte)?\.ts)|routing\/(Routing\.svelte|\w+(\.svelte)?\.ts)|machines\/(Machines\.svelte|\w+(\.svelte)?\.ts)|system\/((Admins|SystemNav)\.svelte|\w+(\.svelte)?\.ts))|locales\/en\/(routing|machines|system)\.ts)/;
/** Their styles come with the entry's, where they are small. */
const styled = /\/pages\/(calls\/(Calls|ChartCard|Charts|Legs|LiveCalls|Parties|RecordFilters|Records)|machines\/(Machines|UsageCell)|system\/(Admin\w*|PasswordField|RoleCards|SystemNav))\.svelte/;
const folder = /\/src\/(?:pages|locales\/en)\/(\w+)/;

// Static files for auraboxd: no inline script or style (its Content-Security-Policy forbids them).
export default defineConfig({
  plugins: [svelte(), leanSip(), inlineRuntime(), earlyFiles(), licences()],
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
            { name: "index", test: (id: string) => base.test(id) || (isStyle(id) && (people.test(id) || styled.test(id) || (frame.test(id) && !alone.test(id)))), priority: 2 },
            { name: "frame", test: (id: string) => frame.test(id) && !alone.test(id), priority: 1 },
            { name: "people", test: people, priority: 1 },
            { name: (id: string) => (isStyle(id) ? null : (folder.exec(id)?.[1] ?? null)), test: firsts },
            { name: (id: string) => shared.exec(id)?.[1] ?? null, test: shared },
          ],
        },
      },
    },
  },
  test: { include: ["src/**/*.test.ts"], environment: "node", setupFiles: ["src/test_setup.ts"], testTimeout: 30_000 },
});
