/** What this browser is called in the list of places where one is signed in: `Firefox, Linux`. */

/** In this order: Edge and Opera say that they are Chrome too, and Chrome that it is Safari. */
const BROWSERS = /** @type {const} */ ([
  ["Edg", "Edge"], ["OPR", "Opera"], ["Firefox", "Firefox"], ["FxiOS", "Firefox"], ["CriOS", "Chrome"],
  ["Chrome", "Chrome"], ["Safari", "Safari"],
]);
const SYSTEMS = /** @type {const} */ ([
  ["iPhone", "iPhone"], ["iPad", "iPad"], ["Android", "Android"], ["Windows", "Windows"], ["CrOS", "ChromeOS"],
  ["Mac", "macOS"], ["Linux", "Linux"],
]);

export function thisDevice() {
  const named = [BROWSERS, SYSTEMS].map((all) => all.find(([sign]) => navigator.userAgent.includes(sign))?.[1]);
  return named.filter(Boolean).join(", ");
}
