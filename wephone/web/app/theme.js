/**
 * Light, dark, or as the system has it.
 *
 * @typedef {"system" | "light" | "dark"} Theme
 */

const KEPT = "wephone theme";
const dark = matchMedia("(prefers-color-scheme: dark)");

/** @returns {Theme} */
export function theme() {
  const kept = localStorage.getItem(KEPT);
  return kept === "light" || kept === "dark" ? kept : "system";
}

/** @param {Theme} chosen */
export function wear(chosen) {
  localStorage.setItem(KEPT, chosen);
  show();
}

/** Put it on, now and whenever the system changes, or another tab. */
export function dress() {
  show();
  dark.addEventListener("change", show);
  addEventListener("storage", show);
}

function show() {
  const chosen = theme();
  document.documentElement.dataset.theme = chosen === "system" ? (dark.matches ? "dark" : "light") : chosen;
}
