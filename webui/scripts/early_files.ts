/** Has index.html name what stands around each page: it is fetched beside the entry, not when that has been read. */
import type { HtmlTagDescriptor, Plugin } from "vite";

/** Tags for the head, of the names of all files. */
export function earlyTags(files: readonly string[]): HtmlTagDescriptor[] {
  return files
    .filter((file) => /(^|\/)frame-[\w-]+\.js$/.test(file))
    // After the styles and the entry: without them nothing is drawn.
    .map((file) => ({ tag: "link", attrs: { rel: "modulepreload", fetchpriority: "low", href: `/${file}` }, injectTo: "head" }));
}

export function earlyFiles(): Plugin {
  return {
    name: "early-files",
    transformIndexHtml: {
      order: "post",
      handler: (_, { bundle }) => (bundle ? earlyTags(Object.keys(bundle)) : []),
    },
  };
}
