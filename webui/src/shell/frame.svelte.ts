/** What the shell shows over the page, and what every page's top bar tells. */
import { client, settle, type Alarm } from "../api/client";
import { Resource } from "../lib/resource.svelte";
import { applyTheme, savedTheme, type Theme } from "../lib/theme";

class Frame {
  over = $state<"" | "palette" | "help" | "password">("");

  theme = $state<Theme>(savedTheme());

  choose(theme: Theme): void {
    this.theme = theme;
    applyTheme(theme);
  }

  close(): void {
    this.over = "";
  }
}
export const frame = new Frame();

/** The alarms that nobody has taken note of yet. Made by the top bar. */
export function openAlarms(): Resource<Alarm[]> {
  return new Resource<Alarm[]>({
    load: async () => {
      // As Home asks for them: one answer for both.
      const query = { state: "active", limit: 100, count: true } as const;
      const result = await settle(client.GET("/api/v1/alarms", { params: { query } }));
      return result.ok ? { ok: true, value: result.value.items } : result;
    },
    topics: ["alarms"],
  });
}

/** The name of this box. */
export function applianceName(): Resource<string> {
  return new Resource<string>({
    load: async () => {
      const result = await settle(client.GET("/api/v1/appliance"));
      return result.ok ? { ok: true, value: result.value.name } : result;
    },
    topics: ["appliance"],
  });
}
