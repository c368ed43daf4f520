/** What the law calls things: asked for once. */

import { asked } from "./watch.js";
import { spoken } from "../app/words.js";

/** @typedef {{profiles: any[], category: (code: string) => string, place: (code: string) => string}} Names */

/** @type {Promise<Names> | null} */
let loading = null;

/** @returns {Promise<Names>} */
export function names() {
  loading ??= asked("GET", "/api/operator/law").then(known, (error) => {
    loading = null; // the next one may have more luck
    throw error;
  });
  return loading;
}

/** @param {{profiles: any[]}} lawbook @returns {Names} */
function known({ profiles }) {
  const categories = new Map(profiles.flatMap((profile) => profile.categories.map((/** @type {any} */ each) => [each.code, each])));
  const category = (/** @type {string} */ code) => {
    const [base] = code.split("#"); // `CN:B25#internet` is a part of `CN:B25`
    const found = categories.get(code) ?? categories.get(base);
    return found ? (found.local === found.en || !found.local ? found.en : `${found.local} · ${found.en}`) : "";
  };
  const place = (/** @type {string} */ code) => profiles.find((profile) => profile.code === code)?.name[spoken()] ?? code;
  return { profiles, category, place };
}
