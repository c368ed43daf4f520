/** Permits as documents: those that end or do not count come first. */

import { html, useState } from "../../vendor/preact.js";
import { Blank, useLoaded } from "../../app/parts.js";
import { at } from "../address.js";
import { NotLoaded, Waiting, epoch, mayAct, useWatch } from "../parts.js";
import { asked } from "../watch.js";
import { say } from "../words.js";
import { AddPermit } from "./add-permit.js";
import { Permit } from "./permit.js";
import { SOON, Span, Standing } from "./validity.js";


const WORST = ["suspended", "expired", "not_yet_valid", "in_force", "revoked"];

/** @param {{what: string | null}} props */
export function View({ what }) {
  useWatch();
  return what === null ? html`<${Permits} />` : html`<${Permit} key=${what} id=${what} />`;
}

function Permits() {
  const [found, again] = useLoaded(() => asked("GET", "/api/operator/permits"), [epoch()]);
  const [isAdding, setAdding] = useState(false);
  if (found === undefined) return html`<${Waiting} />`;
  if (found === null) return html`<${NotLoaded} again=${again} />`;
  const permits = [...found.permits].sort(byUrgency);
  return html`<section aria-labelledby="permits-title">
    <div class="head"><h1 id="permits-title">${say("permits")}</h1>
      ${mayAct() ? html`<button type="button" class="main" onClick=${() => setAdding(true)}>${say("add permit")}</button>` : null}</div>
    ${found.file.fault ? html`<p class="note bad"><b>${say("alarm permit_file_refused")}</b> <code>${found.file.path}</code> <code>${found.file.fault}</code></p>` : null}
    ${permits.length
      ? html`<div class="docs">${permits.map((filed) => html`<${Card} key=${filed.permit.id} filed=${filed} />`)}</div>`
      : html`<${Blank} icon="info" title=${say("no permits")} text=${say("no permits next")} />`}
    ${isAdding ? html`<${AddPermit} known=${found.permits} close=${() => setAdding(false)} />` : null}
  </section>`;
}

/** @param {any} one @param {any} other */
function byUrgency(one, other) {
  const rank = (/** @type {any} */ filed) => (filed.standing === "in_force" && (filed.days_left ?? SOON + 1) <= SOON ? 2.5 : WORST.indexOf(filed.standing));
  return rank(one) - rank(other) || (one.days_left ?? Infinity) - (other.days_left ?? Infinity) || (one.permit.id < other.permit.id ? -1 : 1);
}

/** @param {{filed: any}} props */
function Card({ filed }) {
  const { permit } = filed;
  return html`<a class="doc" href=${at("permits", permit.id)}>
    <div class="top"><h2><bdi>${permit.id}</bdi></h2><${Standing} filed=${filed} /></div>
    <p><bdi>${[permit.holder, permit.issuer].filter(Boolean).join(" · ") || permit.jurisdiction}</bdi> · <code>${permit.categories.join(" ")}</code></p>
    <${Span} filed=${filed} />
  </a>`;
}
