/** Permits as documents: those that end or do not count come first. */

import { html, useEffect, useRef, useState } from "../../vendor/preact.js";
import { Blank } from "../../app/parts.js";
import { at } from "../address.js";
import { save } from "../csv.js";
import { usePages } from "../pages.js";
import { NotLoaded, Said, Waiting, epoch, faultIn, mayAct, useWatch } from "../parts.js";
import { asked } from "../watch.js";
import { say } from "../words.js";
import { AddPermit } from "./add-permit.js";
import { Permit } from "./permit.js";
import { Span, Standing } from "./validity.js";

const [PAGE, MOST] = [50, 1000]; // permits at a time: that are shown, and that are kept in a file
const left = { shown: PAGE, at: "" }; // how far the list was open, and at which permit somebody left it

/** @param {{what: string | null}} props */
export function View({ what }) {
  useWatch();
  return what === null ? html`<${Permits} />` : html`<${Permit} key=${what} id=${what} />`;
}

function Permits() {
  const [page, setPage] = useState(/** @type {any} */ (null)); // that came last, for what it says of all of them
  const [fault, setFault] = useState("");
  // What has changed is read anew as far as the list is open.
  const load = async (/** @type {number | null} */ skip, limit = skip === null ? Math.min(left.shown, MOST) : PAGE) => {
    const found = await asked("GET", `/api/operator/permits?urgent=true&skip=${skip ?? 0}&limit=${limit}`);
    setPage(found);
    return { rows: found.permits, next: found.skip };
  };
  const { rows: permits, more, isLoading, again } = usePages(load, [epoch()]);
  const [isAdding, setAdding] = useState(false);
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    if (permits) left.shown = Math.max(permits.length, PAGE);
    const card = permits && left.at ? list.current?.querySelector(`[href="${CSS.escape(at("permits", left.at))}"]`) : null;
    if (!card) return;
    left.at = "";
    card.scrollIntoView({ block: "center" });
    /** @type {HTMLElement} */ (card).focus({ preventScroll: true });
  }, [permits]);
  if (permits === null) return html`<${NotLoaded} again=${again} />`;
  if (permits === undefined || !page) return html`<${Waiting} />`;
  const keep = async () => {
    const all = [];
    for (let skip = /** @type {number | null} */ (0); skip !== null;) {
      const { rows, next } = await load(skip, MOST);
      all.push(...rows);
      skip = next;
    }
    save("permits.csv", table(all));
  };
  return html`<section aria-labelledby="permits-title">
    <div class="head"><h1 id="permits-title">${say("permits")}</h1>
      <div class="acts"><button type="button" class="quiet" disabled=${!permits.length} onClick=${() => keep().then(() => setFault(""), (error) => setFault(faultIn(error)))}>${say("csv")}</button>
      ${mayAct() ? html`<button type="button" class="main" onClick=${() => setAdding(true)}>${say("add permit")}</button>` : null}</div></div>
    <${Said} text=${fault} />
    ${page.file.fault ? html`<p class="note bad"><b>${say("alarm permit_file_refused")}</b> <code>${page.file.path}</code> <code>${page.file.fault}</code></p>` : null}
    ${permits.length
      ? html`<div class="docs" ref=${list}>${permits.map((filed) => html`<${Card} key=${filed.permit.id} filed=${filed} />`)}</div>`
      : html`<${Blank} icon="info" title=${say("no permits")} text=${say("no permits next")} />`}
    ${more ? html`<div class="acts"><span class="hint" role="status">${say("permits of", { n: permits.length, of: page.of })}</span>
      <button type="button" class="quiet" disabled=${isLoading} onClick=${more}>${say("further rows")}</button></div>` : null}
    ${isAdding ? html`<${AddPermit} close=${() => setAdding(false)} />` : null}
  </section>`;
}

/** @param {any[]} all */
const table = (all) => [
  ["id", "jurisdiction", "categories", "regions", "standing", "days_left", "holder", "issuer", "number", "valid_from", "valid_until", "verified", "version", "warnings"],
  ...all.map(({ permit, standing, days_left, warnings }) => [permit.id, permit.jurisdiction, permit.categories.join(" "), permit.regions.join(" "), standing, days_left, permit.holder, permit.issuer,
    permit.number, permit.valid_from, permit.valid_until, permit.verified, permit.version, warnings.join("; ")]),
];

/** @param {{filed: any}} props */
function Card({ filed }) {
  const { permit } = filed;
  return html`<a class="doc" href=${at("permits", permit.id)} onClick=${() => { left.at = permit.id; }}>
    <div class="top"><h2><bdi>${permit.id}</bdi></h2><${Standing} filed=${filed} /></div>
    <p><bdi>${[permit.holder, permit.issuer].filter(Boolean).join(" · ") || permit.jurisdiction}</bdi> · <code>${permit.categories.join(" ")}</code></p>
    <${Span} filed=${filed} />
  </a>`;
}
