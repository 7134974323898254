/** Tests speak English: every catalogue is at hand. */
import { addWords, useLocale } from "./lib/i18n";
import calls from "./locales/en/calls";
import frame from "./locales/en/frame";
import home from "./locales/en/home";
import machines from "./locales/en/machines";
import people from "./locales/en/people";
import setup from "./locales/en/setup";
import system from "./locales/en/system";

const all = { calls, frame, home, machines, people, setup, system };
for (const namespace of Object.keys(all) as (keyof typeof all)[]) addWords(namespace, all[namespace]);
useLocale("en-GB");
