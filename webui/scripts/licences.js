// Vite plugin: licences.json of the packages whose code is really in the bundle, for the console's About page.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const FILE = "licences.json";

/** ".../node_modules/@scope/name/lib/x.js" lies in ".../node_modules/@scope/name". */
export function packageFolder(id) {
  const path = id.replace(/^\0/, "").split("?")[0];
  const found = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path);
  return found?.[1];
}

function licenceText(folder) {
  const file = readdirSync(folder).find((name) => /^(licen[cs]e|copying)(\.|$)/i.test(name));
  return file ? readFileSync(join(folder, file), "utf8").trim() : "";
}

function homepage({ homepage, repository }) {
  const address = homepage ?? (typeof repository === "string" ? repository : repository?.url) ?? "";
  const plain = address.replace(/^git\+/, "").replace(/^github:/, "https://github.com/").replace(/\.git$/, "");
  return /^https:\/\//.test(plain) ? plain : "";
}

export function describe(folder) {
  const about = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return {
    name: about.name,
    version: about.version,
    licence: typeof about.license === "string" ? about.license : (about.license?.type ?? ""),
    homepage: homepage(about),
    text: licenceText(folder),
  };
}

/** A package without a licence must not be shipped: the build stops. */
export function collect(ids) {
  const folders = new Set([...ids].map(packageFolder).filter((folder) => folder && existsSync(join(folder, "package.json"))));
  const found = [...folders].map(describe).sort((a, b) => a.name.localeCompare(b.name));
  const bare = found.filter((entry) => !entry.licence);
  if (bare.length > 0) throw new Error(`packages without a licence: ${bare.map((entry) => entry.name).join(", ")}`);
  return found;
}

export function licences() {
  let root = "";
  return {
    name: "licences",
    configResolved(config) {
      root = config.root;
    },
    generateBundle(_, bundle) {
      const ids = Object.values(bundle).flatMap((chunk) => (chunk.type === "chunk" ? Object.keys(chunk.modules) : []));
      this.emitFile({ type: "asset", fileName: FILE, source: JSON.stringify(collect(ids)) });
    },
    // Nothing is bundled while one develops: the direct dependencies stand for all.
    configureServer(server) {
      server.middlewares.use(`/${FILE}`, (_, answer) => {
        const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
        const ids = Object.keys(dependencies).map((name) => join(root, "node_modules", name, "package.json"));
        answer.setHeader("Content-Type", "application/json");
        answer.end(JSON.stringify(collect(ids)));
      });
    },
  };
}
