/** What was decided, the newest first; what is filtered stands in the address. */

import { html, useEffect, useState } from "../../vendor/preact.js";
import { Blank } from "../../app/parts.js";
import { at } from "../address.js";
import { save } from "../csv.js";
import { decided } from "../denials.js";
import { LongTable } from "../long.js";
import { usePages } from "../pages.js";
import { NotLoaded, Verdict, Waiting, useTurn, useWatch } from "../parts.js";
import { asked } from "../watch.js";
import { SERVICES, inLaw, kind, many, moment, say } from "../words.js";
import { Decision } from "./decision.js";

const OUTCOMES = ["allow", "allow_with_obligations", "deny"];
const FILTERS = ["outcome", "reason", "service", "jurisdiction", "permit", "call"];
const [PAGE, NEXT_PAGE, NEW_PAGE] = [100, 500, 50];

/** @param {{what: string | null, query: URLSearchParams}} props */
export function View({ what, query }) {
  return what === null ? html`<${Decisions} query=${query} />` : html`<${Decision} key=${what} id=${what} />`;
}

/** @param {{query: URLSearchParams}} props */
function Decisions({ query }) {
  const filter = Object.fromEntries(FILTERS.map((name) => [name, query.get(name) ?? ""]));
  const [reach, setReach] = useState(/** @type {number | null} */ (null)); // how far back the last page has looked
  const ask = async (/** @type {Record<string, number>} */ where) => {
    const given = [...Object.entries(filter), ...Object.entries(where).map(([name, value]) => [name, String(value)])].filter(([, value]) => value);
    const page = await asked("GET", `/api/operator/decisions?${new URLSearchParams(given)}`);
    if (!("after" in where)) setReach(page.looked_to);
    return { rows: page.decisions, next: page.before };
  };
  const load = (/** @type {number | null} */ before) => ask(before === null ? { limit: PAGE } : { limit: NEXT_PAGE, before });
  const newer = (/** @type {any} */ { seq }) => ask({ limit: NEW_PAGE, after: seq });
  const { rows, more, flows, isLoading, again, precede } = usePages(load, [query.toString()], newer, ({ seq }) => seq);
  const { overview } = useWatch();
  const turn = useTurn(overview?.decided ?? 0);
  // The newest come by themselves to whoever looks at the top of the list, and those alone.
  useEffect(() => {
    const isAtTop = !document.querySelector(".table.long")?.scrollTop && !document.hidden;
    if (!turn || !isAtTop || isLoading) return;
    if (rows?.length) void precede(rows[0]);
    else if (!more) again();
  }, [turn]);
  const set = (/** @type {string} */ name, /** @type {string} */ value) => {
    location.hash = at("decisions", null, { ...filter, [name]: value });
  };
  return html`<section aria-labelledby="decisions-title">
    <div class="head"><h1 id="decisions-title">${say("decisions")}</h1><div class="acts">
      <button type="button" class="quiet" onClick=${again}>${say("newest")}</button>
      <button type="button" class="quiet" disabled=${!rows?.length} onClick=${() => save("decisions.csv", table(rows ?? []))}>${say("csv")}</button></div></div>
    <form class="filters" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()} aria-label=${say("filter")}>
      <${Choice} label=${say("outcome")} value=${filter.outcome} set=${(/** @type {string} */ value) => set("outcome", value)} options=${OUTCOMES.map((each) => [each, say(`outcome ${each}`)])} />
      <${Choice} label=${say("which service")} value=${filter.service} set=${(/** @type {string} */ value) => set("service", value)} options=${SERVICES.map((each) => [each, kind(each)])} />
      <${Choice} label=${say("reason")} value=${filter.reason} set=${(/** @type {string} */ value) => set("reason", value)} options=${Object.keys(decided).map((each) => [each, inLaw(each)])} />
      <${Words} label=${say("permit")} value=${filter.permit} set=${(/** @type {string} */ value) => set("permit", value)} />
      <${Words} label=${say("jurisdiction")} value=${filter.jurisdiction} set=${(/** @type {string} */ value) => set("jurisdiction", value)} />
    </form>
    ${rows === undefined ? html`<${Waiting} />` : rows === null ? html`<${NotLoaded} again=${again} />`
      : rows.length ? html`<${Rows} rows=${rows} ends=${flows} />`
        : html`<${Blank} icon="search" title=${say(more ? "none so far" : "no decisions")} text=${more ? "" : say("no decisions next")} />`}
    <div class="acts">${rows?.length ? html`<span class="hint" role="status">${many("decision", rows.length)}</span>` : null}
      ${more && rows && reach && query.size ? html`<span class="hint" role="status">${say("looked to", { time: moment(reach) })}</span>` : null}
      ${more && rows ? html`<button type="button" class="quiet" disabled=${isLoading} onClick=${more}>${say(rows.length ? "more rows" : "look further")}</button>` : null}</div>
  </section>`;
}

/** @param {{label: string, value: string, set: (value: string) => void, options: [string, string][]}} props */
function Choice({ label, value, set, options }) {
  return html`<label>${label}<select value=${value} onChange=${(/** @type {any} */ event) => set(event.target.value)}>
    <option value="" selected=${!value}>${say("all")}</option>
    ${options.map(([key, word]) => html`<option key=${key} value=${key} selected=${key === value}>${word}</option>`)}</select></label>`;
}

/** Set when the person leaves it or presses Enter. @param {{label: string, value: string, set: (value: string) => void}} props */
function Words({ label, value, set }) {
  return html`<label>${label}<input value=${value} spellcheck=${false} autocapitalize="none"
    onChange=${(/** @type {any} */ event) => set(event.target.value.trim())} /></label>`;
}

/** @param {{rows: any[], ends: (() => void) | null}} props */
function Rows({ rows, ends }) {
  const columns = ["when", "outcome", "which service", "reason", "permit", "decision"].map((name) => ({ name: say(name) }));
  const drawn = (/** @type {number} */ place) => {
    const row = rows[place];
    return html`<tr key=${row.decision} aria-rowindex=${place + 2}>
    <td class="one"><time>${moment(row.at)}</time></td>
    <td class="one"><${Verdict} outcome=${row.outcome} /></td>
    <td class="one">${kind(row.service)}${row.jurisdiction ? html` <code>${row.jurisdiction}</code>` : null}</td>
    <td>${inLaw(row.reason)}</td>
    <td class="one">${row.permits.map((/** @type {string} */ each) => html`<bdi key=${each}>${each} </bdi>`)}</td>
    <td><a class="link" href=${at("decisions", row.decision)}><code>${row.decision}</code></a></td></tr>`;
  };
  return html`<${LongTable} label=${say("decisions")} columns=${columns} count=${rows.length} row=${drawn} ends=${ends} />`;
}

/** @param {any[]} rows */
const table = (rows) => [
  ["decision", "at", "outcome", "reason", "service", "jurisdiction", "permits", "permit_needed", "call"],
  ...rows.map((row) => [row.decision, new Date(row.at / 1000).toISOString(), row.outcome, row.reason, row.service, row.jurisdiction, row.permits.join(" "), row.permit_needed, row.subject]),
];
