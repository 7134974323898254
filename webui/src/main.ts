import { mount } from "svelte";
import App from "./App.svelte";
import { applyTheme, savedTheme } from "./lib/theme";
import "./tokens.css";

const target = document.getElementById("app");
if (!target) throw new Error("the page lacks #app");
applyTheme(savedTheme());
mount(App, { target });
