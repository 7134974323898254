/** Figures and spans of time as English has them, without Intl: on a slow machine its first formats take longer
 * than all the rest of a page. English is what most browsers of this console speak; for all others there is Intl. */

const own = (locale: string | undefined): string => locale ?? (typeof navigator === "undefined" ? "" : navigator.language);

/** Whether that locale's times are the ones below; undefined is the browser's. */
export function isAmerican(locale: string | undefined): boolean {
  return /^en(-US)?$/.test(own(locale));
}

/** Whether its figures are. */
export function groupsByComma(locale: string | undefined): boolean {
  return /^en(-(US|GB))?$/.test(own(locale));
}

/** 5000 as "5,000". */
export function englishInteger(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** 0.934 as "93%", in whole percents. */
export function englishPercent(share: number): string {
  // What is half a percent in decimals is so here, too.
  return `${englishInteger(Math.round(Number((share * 100).toPrecision(12))))}%`;
}

/** 5 minutes as "5m". */
export function englishUnit(n: number, unit: "second" | "minute" | "hour" | "day"): string {
  return englishInteger(n) + unit.slice(0, 1);
}

const words = { second: "sec.", minute: "min.", hour: "hr." } as const;

/** -3 minutes as "3 min. ago". */
export function englishAgo(n: number, unit: "second" | "minute" | "hour" | "day"): string {
  if (unit === "second" && n === 0) return "now";
  if (unit === "day" && Math.abs(n) === 1) return n < 0 ? "yesterday" : "tomorrow";
  const span = `${englishInteger(Math.abs(n))} ${unit === "day" ? "days" : words[unit]}`;
  return n < 0 ? `${span} ago` : `in ${span}`;
}
