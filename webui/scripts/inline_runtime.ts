/** The bundler's few helper lines stand in each chunk that uses them: as a chunk of their own they are a request. */
import type { Plugin } from "vite";

const wanted = /import\s*\{\s*(\w+) as (\w+)\s*\}\s*from\s*"\.\/(rolldown-runtime-[\w-]+\.js)";?/;
const given = /export\s*\{([^}]*)\};?\s*$/;

/** `code` without the import of one helper of `runtime`; undefined where it has none, or several. */
export function inlined(code: string, runtime: string): string | undefined {
  const found = wanted.exec(code);
  const names = given.exec(runtime)?.[1];
  if (!found || names === undefined) return undefined;
  const [whole, name = "", as = ""] = found;
  const local = new RegExp(`([\\w$]+) as ${name}(?![\\w$])`).exec(names)?.[1];
  if (local === undefined) return undefined;
  const body = runtime.replace(/^\/\/.*$/gm, "").replace(given, "").trim().replace(/;$/, "");
  return code.replace(whole, () => `const ${as}=(()=>{${body};return ${local}})();`);
}

export function inlineRuntime(): Plugin {
  return {
    name: "inline-runtime",
    // Before Vite notes what a chunk needs to have fetched with it.
    generateBundle(_, bundle) {
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== "chunk") continue;
        const file = chunk.imports.find((each) => /rolldown-runtime-/.test(each));
        const runtime = file === undefined ? undefined : bundle[file];
        const code = runtime?.type === "chunk" ? inlined(chunk.code, runtime.code) : undefined;
        if (code === undefined) continue;
        chunk.code = code;
        chunk.imports = chunk.imports.filter((each) => each !== file);
      }
    },
  };
}
