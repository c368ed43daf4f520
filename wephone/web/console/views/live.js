/** The calls that run, as they run: who, what kind, where, by which decision; and a way to end one. */

import { html, useEffect, useState } from "../../vendor/preact.js";
import { Blank, useLoaded } from "../../app/parts.js";
import { lasting } from "../../app/words.js";
import { Act } from "../act.js";
import { at } from "../address.js";
import { Mark, NotLoaded, Table, Waiting, mayAct, useWatch } from "../parts.js";
import { asked } from "../watch.js";
import { SERVICES, inLaw, kind, named, say } from "../words.js";

const PAGE = 100; // calls at a time
const MOST = 500;

/** @param {{query: URLSearchParams}} props */
export function View({ query }) {
  const { overview } = useWatch();
  const [limit, setLimit] = useState(PAGE);
  const [ending, setEnding] = useState(/** @type {any} */ (null));
  const filter = { user: query.get("user") ?? "", service: query.get("service") ?? "", winding: query.get("winding") ?? "" };
  const given = Object.entries({ ...filter, limit: String(limit) }).filter(([, value]) => value);
  // With each word of the server about how all is, every two seconds or at a change.
  const [found, again] = useLoaded(() => asked("GET", `/api/operator/live?${new URLSearchParams(given)}`), [query.toString(), limit, overview?.at]);
  const [known, setKnown] = useState(/** @type {any} */ (undefined));
  useEffect(() => {
    if (found) setKnown(found);
  }, [found]);
  const set = (/** @type {string} */ name, /** @type {string} */ value) => {
    location.hash = at("live", null, { ...filter, [name]: value });
  };
  const shown = found ?? known;
  return html`<section aria-labelledby="live-title">
    <div class="head"><h1 id="live-title">${say("live")}</h1>${shown ? html`<span class="hint" role="status">${say("live of", { n: shown.calls.length, of: shown.of })}</span>` : null}</div>
    <form class="filters" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()} aria-label=${say("filter")}>
      <label>${say("user")}<input value=${filter.user} spellcheck=${false} autocapitalize="none" onChange=${(/** @type {any} */ event) => set("user", event.target.value.trim())} /></label>
      <label>${say("which service")}<select value=${filter.service} onChange=${(/** @type {any} */ event) => set("service", event.target.value)}>
        <option value="" selected=${!filter.service}>${say("all")}</option>
        ${SERVICES.map((each) => html`<option key=${each} value=${each} selected=${each === filter.service}>${kind(each)}</option>`)}</select></label>
      <label>${say("state")}<select value=${filter.winding} onChange=${(/** @type {any} */ event) => set("winding", event.target.value)}>
        <option value="" selected=${!filter.winding}>${say("all")}</option><option value="true" selected=${Boolean(filter.winding)}>${say("only winding")}</option></select></label>
    </form>
    ${found === null && !known ? html`<${NotLoaded} again=${again} />` : !shown ? html`<${Waiting} />`
      : shown.calls.length ? html`<${Calls} calls=${shown.calls} now=${overview?.at ?? 0} open=${setEnding} />`
        : html`<${Blank} icon="phone" title=${say("no live")} text=${say("no live next")} />`}
    ${shown?.skip && limit < MOST ? html`<div class="acts"><button type="button" class="quiet" onClick=${() => setLimit(Math.min(MOST, limit + PAGE))}>${say("more rows")}</button></div>` : null}
    ${ending ? html`<${Act} title=${say("cut title", { one: ending.legs[0].who, other: ending.legs[1].who })} word=${say("cut")} danger=${true} intro=${say("cut why")} supposed=${null}
      send=${(/** @type {string} */ why) => asked("POST", `/api/operator/live/${ending.call}/cut`, { why })}
      done=${() => { setEnding(null); again(); }} close=${() => setEnding(null)} />` : null}
  </section>`;
}

/** @param {{calls: any[], now: number, open: (call: any) => void}} props */
function Calls({ calls, now, open }) {
  const columns = ["legs", "which service", "state", "for how long", "permit", "decision"].map((name) => ({ name: say(name) }));
  if (mayAct()) columns.push({ name: say("cut") });
  return html`<${Table} label=${say("live")} columns=${columns}>${calls.map((call) => html`<tr key=${call.call}>
    <td>${call.legs.map((/** @type {any} */ leg, /** @type {number} */ place) => html`<${Leg} key=${place} leg=${leg} />`)}</td>
    <td class="one">${kind(call.service)}${call.jurisdiction ? html` <code>${call.jurisdiction}</code>` : null}</td>
    <td>${call.ending ? html`<${Mark} tone="bad" text=${say("ends within", { n: Math.ceil(call.ending.seconds) })} /><p class="hint">${inLaw(call.ending.reason)}</p>`
      : html`<${Mark} tone=${call.phase === "active" ? "good" : ""} text=${named("phase", call.phase)} />`}</td>
    <td class="one"><time>${lasting((now - call.since) / 1000)}</time></td>
    <td class="one">${call.permits.map((/** @type {string} */ each) => html`<bdi key=${each}>${each} </bdi>`)}</td>
    <td>${call.decision ? html`<a class="link" href=${at("decisions", call.decision)}><code>${call.decision}</code></a>` : null}</td>
    ${mayAct() ? html`<td><button type="button" class="quiet danger" aria-label=${say("cut title", { one: call.legs[0].who, other: call.legs[1].who })} onClick=${() => open(call)}>${say("cut")}</button></td>` : null}
  </tr>`)}</${Table}>`;
}

/** One end of it. @param {{leg: any}} props */
function Leg({ leg }) {
  return html`<p>${named("role", leg.role)}: <bdi class="name">${leg.who}</bdi> <span class="hint">${named("leg", leg.kind)}${leg.country ? html`, <code>${leg.country}</code>` : null}${
    leg.devices > 1 ? html`, ${say("devices ring", { n: leg.devices })}` : null}${leg.lease_seconds !== null ? html`, ${say("lease left", { n: Math.round(leg.lease_seconds) })}` : null}</span></p>`;
}
