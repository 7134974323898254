import "./first";
import { mount } from "svelte";
import App from "./App.svelte";
import { drawn } from "./lib/drawn";
import { addWords } from "./lib/i18n";
import { startLocale } from "./lib/locale";
import { startRouter } from "./lib/router.svelte";
import { applyTheme, savedTheme } from "./lib/theme";
import frame from "./locales/en/frame";
import { pages } from "./pages";
import "./tokens.css";

const target = document.getElementById("app");
if (!target) throw new Error("the page lacks #app");
addWords("frame", frame);
startLocale();
applyTheme(savedTheme());
startRouter(pages);
// The bar that index.html has is drawn before; what has come meanwhile is handled before, too.
void drawn().then(() => mount(App, { target }));
