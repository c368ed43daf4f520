/** What would have been decided otherwise? Past decisions are made again, page by page, with progress; an answer is kept to compare. */

import { html, useRef, useState } from "../../vendor/preact.js";
import { Field, useLoaded } from "../../app/parts.js";
import { at } from "../address.js";
import { save } from "../csv.js";
import { NotLoaded, Said, Table, Waiting, epoch, faultIn, useWatch } from "../parts.js";
import { asked } from "../watch.js";
import { SERVICES, figure, inLaw, kind, many, say } from "../words.js";

const DAY = 86_400_000_000; // microseconds
const KINDS = ["suspend", "revoke", "reinstate", "without", "toggle"];

/** @typedef {{title: string, entries: number, isDone: boolean, decisions: number, refused: number, allowed: number, seconds: number, leftOut: number,
 *   otherBasis: number, flips: Map<string, any>}} Outlook */

export function View() {
  useWatch();
  const [permits, again] = useLoaded(async () => (await asked("GET", "/api/operator/permits")).permits, [epoch()]);
  const [what, setWhat] = useState("suspend");
  const [id, setId] = useState("");
  const [service, setService] = useState("pstn_out");
  const [days, setDays] = useState("1");
  const [outlook, setOutlook] = useState(/** @type {Outlook | null} */ (null));
  const [kept, setKept] = useState(/** @type {Outlook[]} */ ([]));
  const [fault, setFault] = useState("");
  const turn = useRef(0);
  if (permits === undefined) return html`<${Waiting} />`;
  if (permits === null) return html`<${NotLoaded} again=${again} />`;
  const permit = id || permits[0]?.permit.id || "";
  const isBusy = outlook !== null && !outlook.isDone;
  const supposed = what === "toggle" ? { toggles: [{ key: service, enabled: false, services: [service] }] } : { [what]: [permit] };
  const run = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const mine = ++turn.current;
    setFault("");
    let seen = begun(`${say(`suppose ${what}`)}${say("colon")}${what === "toggle" ? kind(service) : permit}`);
    setOutlook(seen);
    const since = Number(days) ? Date.now() * 1000 - Number(days) * DAY : 0;
    try {
      for (let before = null; !seen.isDone && mine === turn.current;) {
        const { past } = await asked("POST", "/api/operator/suppose", { ...supposed, since, ...(before === null ? {} : { before }) });
        seen = further(seen, past);
        before = past.before;
        if (mine === turn.current) setOutlook(seen);
      }
    } catch (error) {
      setFault(faultIn(error));
      setOutlook((known) => (known?.entries ? { ...known, isDone: true } : null)); // of nothing there is nothing to say
    }
  };
  const stop = () => {
    turn.current += 1;
    setOutlook((known) => known && { ...known, isDone: true });
  };
  const choice = (/** @type {string} */ name, /** @type {string} */ value, /** @type {(value: string) => void} */ set, /** @type {[string, string][]} */ options) => html`<label>${name}
    <select value=${value} onChange=${(/** @type {any} */ event) => set(event.target.value)}>${options.map(([key, word]) => html`<option key=${key} value=${key} selected=${key === value}>${word}</option>`)}</select></label>`;
  return html`<section aria-labelledby="suppose-title"><h1 id="suppose-title">${say("suppose")}</h1><p class="hint">${say("suppose why")}</p>
    <form class="filters" onSubmit=${run}>
      ${choice(say("suppose what"), what, setWhat, KINDS.map((each) => [each, say(`suppose ${each}`)]))}
      ${what === "toggle" ? choice(say("which service"), service, setService, SERVICES.map((each) => [each, kind(each)]))
        : permits.length ? choice(say("permit"), permit, setId, permits.map((/** @type {any} */ each) => [each.permit.id, each.permit.id]))
          : html`<${Field} id="suppose-permit" label=${say("permit")} value=${id} onInput=${setId} />`}
      ${choice(say("how far back"), days, setDays, ["1", "7", "30", "0"].map((each) => [each, say(`back ${each}`)]))}
      ${isBusy ? html`<button type="button" class="quiet" onClick=${stop}>${say("stop it")}</button>` : html`<button class="main" disabled=${what !== "toggle" && !permit}>${say("find out")}</button>`}
    </form>
    <${Said} text=${fault} />
    ${outlook ? html`<${Result} outlook=${outlook} keep=${outlook.isDone && !kept.includes(outlook) ? () => setKept([...kept, outlook]) : null} />` : null}
    ${kept.length ? html`<h2>${say("kept")}</h2>${kept.map((each, place) => html`<${Summary} key=${place} outlook=${each} />`)}` : null}
  </section>`;
}

/** @param {string} title @returns {Outlook} */
const begun = (title) => ({ title, entries: 0, isDone: false, decisions: 0, refused: 0, allowed: 0, seconds: 0, leftOut: 0, otherBasis: 0, flips: new Map() });

/** With one more page of the journal. @param {Outlook} seen @param {any} past @returns {Outlook} */
export function further(seen, past) {
  const flips = new Map(seen.flips);
  for (const flip of past.flips) {
    const key = [flip.service, flip.jurisdiction, flip.before, flip.after].join(" ");
    const known = flips.get(key);
    flips.set(key, known ? { ...known, decisions: known.decisions + flip.decisions, examples: [...known.examples, ...flip.examples].slice(0, 3) } : flip);
  }
  return {
    ...seen, flips,
    entries: seen.entries + past.entries,
    isDone: past.before === null,
    decisions: seen.decisions + past.decisions,
    refused: seen.refused + past.refused.decisions,
    allowed: seen.allowed + past.allowed.decisions,
    seconds: seen.seconds + past.refused.seconds,
    leftOut: seen.leftOut + past.left_out,
    otherBasis: seen.otherBasis + past.other_basis,
  };
}

/** @param {{outlook: Outlook}} props */
function Summary({ outlook }) {
  const { decisions, refused, allowed } = outlook;
  return html`<p class="note"><b><bdi>${outlook.title}</bdi></b><span>${say("looked at all", { decisions: many("decision", decisions), refused, allowed })}</span></p>`;
}

/** @param {{outlook: Outlook, keep: (() => void) | null}} props */
function Result({ outlook, keep }) {
  const flips = [...outlook.flips.values()].sort((one, other) => Number(other.lost) - Number(one.lost) || other.decisions - one.decisions);
  const columns = [{ name: say("which service") }, { name: say("before") }, { name: say("after") }, { name: say("how many"), number: true }, { name: say("such as") }];
  const rows = () => [["service", "jurisdiction", "before", "after", "decisions", "examples"], ...flips.map((flip) => [flip.service, flip.jurisdiction, flip.before, flip.after, flip.decisions, flip.examples.join(" ")])];
  return html`<div role="status">${outlook.isDone ? html`<${Summary} outlook=${outlook} />`
      : html`<progress aria-label=${say("find out")}></progress>`}<p class="hint">${say("so far", { entries: outlook.entries })}</p></div>
    ${outlook.seconds >= 60 ? html`<p>${say("talked under", { n: Math.round(outlook.seconds / 60) })}</p>` : null}
    ${outlook.leftOut ? html`<p class="hint">${say("left out", { n: outlook.leftOut })}</p>` : null}
    ${outlook.otherBasis ? html`<p class="hint">${say("other basis", { n: outlook.otherBasis })}</p>` : null}
    ${flips.length ? html`<${Table} label=${say("suppose")} columns=${columns}>${flips.map((flip) => html`<tr key=${flip.service + flip.jurisdiction + flip.before + flip.after}>
      <td>${kind(flip.service)} <code>${flip.jurisdiction}</code></td><td>${inLaw(flip.before)}</td><td>${inLaw(flip.after)}</td><td class="number">${figure(flip.decisions)}</td>
      <td>${flip.examples.map((/** @type {string} */ each) => html`<a key=${each} class="link" href=${at("decisions", each)}><code>${each}</code></a> `)}</td></tr>`)}</${Table}>`
      : outlook.isDone ? html`<p class="hint">${say("no flips")}</p>` : null}
    <div class="acts">${keep ? html`<button type="button" class="quiet keep" onClick=${keep}>${say("keep it")}</button>` : null}
      <button type="button" class="quiet" disabled=${!flips.length} onClick=${() => save("what-if.csv", rows())}>${say("csv")}</button></div>`;
}
