/** Light, dark or as the system says; the choice is kept in this browser. */
export const themes = ["system", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

const key = "aurabox.theme";

export function parseTheme(text: string | null): Theme {
  return themes.find((theme) => theme === text) ?? "system";
}

export function savedTheme(): Theme {
  try {
    return parseTheme(localStorage.getItem(key));
  } catch {
    return "system";
  }
}

export function applyTheme(theme: Theme): void {
  // An attribute, for tokens.css: browsers without light-dark() follow rules, not an element's own style.
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem(key, theme);
  } catch {
    // A browser that keeps nothing still shows the theme until the page is left.
  }
}
