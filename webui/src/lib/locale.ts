/** `?locale=` picks the locale of dates and numbers for this session; "pseudo" draws every word as the pseudo-locale. */
import { useLocale } from "./i18n";

const key = "aurabox.locale";

export function startLocale(): void {
  const asked = new URLSearchParams(location.search).get("locale");
  try {
    if (asked !== null) sessionStorage.setItem(key, asked);
    useLocale(sessionStorage.getItem(key) ?? undefined);
  } catch {
    // No such locale, or a browser that keeps nothing: its own locale.
    useLocale(undefined);
  }
}
