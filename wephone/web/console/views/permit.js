/** One permit: what it says, what happened to it, who filed it, and what may be done with it. */

import { html, useEffect, useState } from "../../vendor/preact.js";
import { Blank, Copied, Field, useLoaded } from "../../app/parts.js";
import { Refused } from "../../edge/http.js";
import { Act } from "../act.js";
import { at } from "../address.js";
import { names } from "../law.js";
import { Facts, Mark, NotLoaded, Waiting, epoch, mayAct } from "../parts.js";
import { asked, watch } from "../watch.js";
import { day, moment, say } from "../words.js";
import { Ending } from "./ending.js";
import { Span, Standing } from "./validity.js";

/** @param {{id: string}} props */
export function Permit({ id }) {
  const path = `/api/operator/permits/${encodeURIComponent(id)}`;
  const [found, again] = useLoaded(() => all(path), [epoch()]);
  const [known, setKnown] = useState(/** @type {any} */ (undefined));
  const [act, setAct] = useState(/** @type {string | null} */ (null));
  const [after, setAfter] = useState(/** @type {any} */ (null));
  useEffect(() => {
    if (found) setKnown(found);
  }, [found]);
  if (found === null) return html`<${NotLoaded} again=${again} />`;
  const shown = found ?? known; // what was true a moment ago stands until what is true now has come
  if (shown === undefined) return html`<${Waiting} />`;
  if (shown === "none") return html`<${Blank} icon="info" isPage=${true} title=${say("no such permit")}><a class="link tall" href=${at("permits")}>${say("back to permits")}</a></${Blank}>`;
  const { filed, versions, waiting, law } = shown;
  const done = (/** @type {any} */ answer, /** @type {any} */ effect) => {
    setAct(null);
    setAfter({ effect, at: watch.overview?.at ?? 0 });
    again();
  };
  return html`<section aria-labelledby="permit-title">
    <a class="link tall" href=${at("permits")}>${say("back to permits")}</a>
    <div class="head"><h1 id="permit-title"><bdi>${id}</bdi></h1><${Standing} filed=${filed} /></div>
    ${mayAct() ? html`<${Acts} filed=${filed} waiting=${waiting} open=${setAct} />` : null}
    ${waiting ? html`<p class="note" role="status">${waiting.by === watch.overview?.name
      ? say("reinstate asked", { until: moment(waiting.until) })
      : say("reinstate second", { by: waiting.by })} <bdi>${waiting.why}</bdi></p>` : null}
    ${after?.effect?.now.lost ? html`<${Ending} key=${after.at} effect=${after.effect} since=${after.at} />` : null}
    ${filed.warnings.length ? html`<ul class="note soon" lang="en">${filed.warnings.map((/** @type {string} */ text) => html`<li key=${text}><code>${text}</code></li>`)}</ul>` : null}
    <div class="doc"><${Span} filed=${filed} /><${Document} permit=${filed.permit} law=${law} /></div>
    <h2>${say("events")}</h2><${Events} permit=${filed.permit} />
    <h2>${say("versions")}</h2>
    <ul class="story">${[...versions].reverse().map((/** @type {any} */ each, /** @type {number} */ place) => html`<li key=${each.version} class=${place ? "" : "now"}>
      <b>${say("filed version", { version: each.version, by: each.by })}</b><time>${moment(each.at)}</time>${each.why ? html`<bdi>${each.why}</bdi>` : null}</li>`)}</ul>
    <a class="link tall" href=${at("decisions", null, { permit: id })}>${say("relied on")}</a>
    ${act ? html`<${Change} act=${act} id=${id} path=${path} waiting=${waiting} done=${done} close=${() => setAct(null)} />` : null}
  </section>`;
}

/** All that the page shows; "none" if there is no such permit. @param {string} path */
async function all(path) {
  try {
    const journal = path.replace("/permits/", "/journal/");
    const [filed, { versions }, { waiting }, { entries }, law] = await Promise.all([
      asked("GET", path), asked("GET", `${path}/versions`), asked("GET", "/api/operator/waiting"), asked("GET", journal), names(),
    ]);
    /** @type {Map<number, string>} */
    const why = new Map(entries.map((/** @type {any} */ { body }) => [body.epoch, body.why ?? ""]));
    const mine = waiting.find((/** @type {any} */ each) => each.key === `reinstate:${filed.permit.id}`) ?? null;
    return { filed, versions: versions.map((/** @type {any} */ each) => ({ ...each, why: why.get(each.epoch) ?? "" })), waiting: mine, law };
  } catch (error) {
    if (error instanceof Refused && error.code === "no_such_permit") return "none";
    throw error;
  }
}

/** @param {{filed: any, waiting: any, open: (act: string) => void}} props */
function Acts({ filed, waiting, open }) {
  const button = (/** @type {string} */ act, kind = "quiet") => html`<button type="button" class=${kind} onClick=${() => open(act)}>${say(act)}</button>`;
  if (filed.standing === "revoked") return null;
  const isMine = waiting?.by === watch.overview?.name;
  return html`<div class="acts">
    ${filed.standing === "suspended" ? (isMine ? null : button("reinstate", "main")) : button("suspend", "main danger")}
    ${button("revoke", "quiet danger")}</div>`;
}

/** @param {{act: string, id: string, path: string, waiting: any, done: (answer: any, effect: any) => void, close: () => void}} props */
function Change({ act, id, path, waiting, done, close }) {
  const [reference, setReference] = useState("");
  const send = (/** @type {string} */ why, /** @type {Record<string, string>} */ headers) =>
    asked("POST", `${path}/${act}`, { why, ...(reference && act !== "reinstate" ? { reference } : {}) }, headers);
  const intro = act !== "reinstate" ? "" : waiting ? say("reinstate second", { by: waiting.by }) : say("reinstate why");
  return html`<${Act} title=${say(`${act} title`, { id })} word=${say(act)} danger=${act !== "reinstate"} intro=${intro}
      supposed=${{ [act]: [id] }} send=${send} done=${done} close=${close}>
    ${act === "reinstate" ? null : html`<${Field} id="act-reference" label=${say("reference")} value=${reference} onInput=${setReference} />`}
  </${Act}>`;
}

/** @param {{permit: any, law: import("../law.js").Names}} props */
function Document({ permit, law }) {
  const regions = permit.regions.map((/** @type {string} */ each) => (each === "*" ? say("all regions", { code: permit.jurisdiction }) : each));
  return html`<${Facts} rows=${[
    [say("holder"), permit.holder && html`<bdi>${permit.holder}</bdi>`],
    [say("authority"), permit.issuer && html`<bdi>${permit.issuer}</bdi>`],
    [say("permit number"), permit.number && html`<code>${permit.number}</code>`],
    [say("basis"), say(`basis ${permit.basis}`)],
    [say("categories"), html`<ul>${permit.categories.map((/** @type {string} */ code) => html`<li key=${code}><code>${code}</code> <bdi>${law.category(code)}</bdi></li>`)}</ul>`],
    [say("regions"), regions.join(", ")],
    [say("conditions"), permit.conditions.length ? html`<ul>${permit.conditions.map((/** @type {string} */ each) => html`<li key=${each}><bdi>${each}</bdi></li>`)}</ul>` : null],
    [say("renewal"), permit.renewal && say(`renewal ${permit.renewal.decision ?? "asked"}`, { on: day(permit.renewal.applied_on) })],
    [say("next review"), permit.next_review_on && day(permit.next_review_on)],
    [say("verified"), html`<${Mark} tone=${permit.verified ? "good" : "soon"} text=${say(permit.verified ? "verified yes" : "verified no")} />`],
    ...permit.evidence.flatMap((/** @type {any} */ each) => [
      [say("checked who"), each.checked_by && html`<bdi>${say("checked by", { by: each.checked_by, on: each.checked_on ? day(each.checked_on) : "" })}</bdi>`],
      [say("evidence hash"), each.sha256 && html`<${Copied} label="" text=${each.sha256} />`],
      [say("register entry"), each.register_address && html`<code>${each.register_address}</code>`],
    ]),
    [say("version"), String(permit.version)],
  ]} />`;
}

/** @param {{permit: any}} props */
function Events({ permit }) {
  if (!permit.status_events.length) return html`<p class="hint">${say("no events")}</p>`;
  const events = [...permit.status_events].sort((one, other) => Date.parse(other.from) - Date.parse(one.from));
  return html`<ul class="story">${events.map((event) => html`<li key=${event.from} class=${event.to ? "" : "bad"}>
    <b>${say(`event ${event.status}`)}</b>
    <span><time>${moment(Date.parse(event.from) * 1000)}</time>${event.status === "suspended" ? html` – <time>${event.to ? moment(Date.parse(event.to) * 1000) : say("until lifted")}</time>` : null}</span>
    ${event.reference ? html`<span>${say("reference")}${say("colon")}<bdi>${event.reference}</bdi></span>` : null}
    ${event.reason ? html`<bdi>${event.reason}</bdi>` : null}</li>`)}</ul>`;
}
