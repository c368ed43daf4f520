/** Calls that have lost their permit: watched until the last one has ended. */

import { html, useEffect, useRef, useState } from "../../vendor/preact.js";
import { useWatch } from "../parts.js";
import { say } from "../words.js";

/** @param {{effect: import("../act.js").Effect, since: number}} props `since`: when the change was made, by the server's clock in microseconds */
export function Ending({ effect, since }) {
  const { overview } = useWatch();
  const [took, setTook] = useState(/** @type {number | null} */ (null));
  const begun = useRef(false);
  const all = effect.now.lost;
  const left = Math.min(all, overview?.winding_down ?? 0);
  const passed = ((overview?.at ?? since) - since) / 1_000_000;
  useEffect(() => {
    if (left) begun.current = true;
    else if (took === null && (begun.current || passed > 3)) setTook(passed);
  });
  if (took !== null) return html`<p class="note" role="status">${say("all ended", { all, seconds: Math.round(took) })}</p>`;
  return html`<div class="note bad" role="status"><p>${say("ends watched", { n: left || all, all })}</p>
    <progress max=${all} value=${all - (left || all)} aria-label=${say("winding", { n: left })}></progress></div>`;
}
