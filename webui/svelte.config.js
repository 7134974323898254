import { vitePreprocess } from "@sveltejs/vite-plugin-svelte";

// Each rule and each element that it fits names the component's class: a short one.
export default { preprocess: vitePreprocess(), compilerOptions: { runes: true, cssHash: ({ hash, css }) => `s${hash(css)}` } };
