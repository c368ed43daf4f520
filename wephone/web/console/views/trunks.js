/** The carriers' lines: how they are, which numbers are theirs, and what no carrier has confirmed. */

import { html, useState } from "../../vendor/preact.js";
import { Blank, useLoaded } from "../../app/parts.js";
import { Act } from "../act.js";
import { at } from "../address.js";
import { save } from "../csv.js";
import { Facts, Mark, NotLoaded, Table, Waiting, mayAct, useWatch } from "../parts.js";
import { asked } from "../watch.js";
import { moment, named, say } from "../words.js";

const MOST = 200; // legs that are shown
const TONES = { up: "good", down: "bad" };

export function View() {
  const { overview } = useWatch();
  const raised = overview?.alarms.map(({ alarm }) => alarm).filter((alarm) => ["trunk_down", "leg_unconfirmed"].includes(alarm)).join();
  const [found, again] = useLoaded(all, [raised]);
  const [settling, setSettling] = useState(/** @type {any} */ (null));
  if (found === undefined) return html`<${Waiting} />`;
  if (found === null) return html`<${NotLoaded} again=${again} />`;
  const { trunks, legs } = found;
  return html`<section aria-labelledby="trunks-title"><div class="head"><h1 id="trunks-title">${say("trunks")}</h1>
      <button type="button" class="quiet" onClick=${again}>${say("look again")}</button></div>
    ${trunks.length ? html`<div class="docs">${trunks.map((/** @type {any} */ trunk) => html`<${Trunk} key=${trunk.name} trunk=${trunk} />`)}</div>`
      : html`<${Blank} icon="phone-off" title=${say("no trunks")} text=${say("no trunks next")} />`}
    <div class="head"><h2>${say("unconfirmed")}</h2>
      ${legs.length ? html`<button type="button" class="quiet" onClick=${() => save("unconfirmed.csv", table(legs))}>${say("csv")}</button>` : null}</div>
    <p class="hint">${say("unconfirmed why")}</p>
    ${legs.length ? html`<${Legs} legs=${legs} open=${setSettling} />` : html`<p class="hint">${say("none unconfirmed")}</p>`}
    ${settling ? html`<${Act} title=${say("settle title")} word=${say("settle")} intro=${say("settle why", { trunk: settling.trunk })} supposed=${null}
      send=${(/** @type {string} */ why) => asked("POST", `/api/operator/telephone/unconfirmed/${encodeURIComponent(settling.leg)}/settle`, { why })}
      done=${() => { setSettling(null); again(); }} close=${() => setSettling(null)} />` : null}
  </section>`;
}

async function all() {
  const [{ trunks }, { legs }] = await Promise.all([
    asked("GET", "/api/operator/trunks"), asked("GET", `/api/operator/telephone/unconfirmed?limit=${MOST}`),
  ]);
  return { trunks, legs };
}

/** @param {{trunk: any}} props */
function Trunk({ trunk }) {
  const codes = (/** @type {string[]} */ all) => (all.length ? html`<bdi>${all.join(", ")}</bdi>` : say("none"));
  return html`<div class="doc"><div class="top"><h2><bdi>${trunk.name}</bdi></h2>
      <${Mark} tone=${/** @type {any} */ (TONES)[trunk.health] ?? ""} text=${named("health", trunk.health)} /></div>
    ${trunk.trouble ? html`<p class="note bad"><code class="wraps">${trunk.trouble}</code></p>` : null}
    <${Facts} rows=${[
      [say("lines"), say("lines of", { n: trunk.calls, of: trunk.most_calls })], [say("address of"), html`<code>${trunk.uri}</code>`],
      [say("numbers"), codes(trunk.numbers)], [say("trunk duties"), codes(trunk.duties)], [say("help in"), codes(trunk.emergency_in)],
    ]} /></div>`;
}

/** @param {{legs: any[], open: (leg: any) => void}} props */
function Legs({ legs, open }) {
  const columns = ["when", "trunk", "account", "cause", "decision"].map((name) => ({ name: say(name) }));
  if (mayAct()) columns.push({ name: say("settle") });
  return html`<${Table} label=${say("unconfirmed")} columns=${columns}>${legs.map((leg) => html`<tr key=${leg.leg}>
    <td class="one"><time>${moment(leg.ended_at ?? leg.begun_at)}</time></td><td class="one"><bdi>${leg.trunk}</bdi></td>
    <td><a class="link" href=${at("accounts", leg.account)}><bdi>${leg.account}</bdi></a></td><td><code class="wraps">${leg.cause ?? ""}</code></td>
    <td><a class="link" href=${at("decisions", leg.decision)}><code>${leg.decision}</code></a></td>
    ${mayAct() ? html`<td><button type="button" class="quiet" onClick=${() => open(leg)}>${say("settle")}</button></td>` : null}</tr>`)}</${Table}>`;
}

/** @param {any[]} legs */
const table = (legs) => [
  ["leg", "call", "trunk", "account", "outgoing", "decision", "begun_at", "answered_at", "ended_at", "cause", "q850", "status"],
  ...legs.map((leg) => [leg.leg, leg.call, leg.trunk, leg.account, leg.outgoing, leg.decision, ...[leg.begun_at, leg.answered_at, leg.ended_at].map((at) => (at === null ? "" : new Date(at / 1000).toISOString())), leg.cause, leg.q850, leg.status]),
];
