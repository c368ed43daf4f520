/** How it went lately: calls, refusals by reason, how long people waited for an answer, and how calls sounded. */

import { html, useEffect, useState } from "../../vendor/preact.js";
import { useLoaded } from "../../app/parts.js";
import { at } from "../address.js";
import { Chart } from "../chart.js";
import { asked } from "../watch.js";
import { inLaw, say } from "../words.js";

const PERIODS = ["hour", "day", "week"];
const AGAIN = 60_000; // ms: a span is two minutes at least

/** @param {{query: URLSearchParams}} props */
export function Charts({ query }) {
  const period = PERIODS.includes(query.get("period") ?? "") ? query.get("period") : "day";
  const [turn, setTurn] = useState(0);
  const [found, again] = useLoaded(() => asked("GET", `/api/operator/charts?period=${period}`), [period, turn]);
  useEffect(() => {
    const timer = setInterval(() => setTurn((count) => count + 1), AGAIN);
    return () => clearInterval(timer);
  }, []);
  return html`<div class="head"><h2>${say("lately")}</h2><form class="filters" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
      <label>${say("period")}<select value=${period} onChange=${(/** @type {any} */ event) => { location.hash = at("overview", null, { period: event.target.value }); }}>
        ${PERIODS.map((each) => html`<option key=${each} value=${each} selected=${each === period}>${say(`period ${each}`)}</option>`)}</select></label></form></div>
    ${found === undefined ? html`<p class="hint" role="status"><span class="spinner" aria-hidden="true"></span> ${say("loading")}</p>`
      : found === null ? html`<p class="note bad" role="alert">${say("no charts")} <button type="button" class="quiet" onClick=${again}>${say("try again")}</button></p>`
        : html`<${Drawn} found=${found} />`}`;
}

/** @param {{found: any}} props */
function Drawn({ found }) {
  if (!found.placed.some(Boolean)) return html`<p class="hint charts-none">${say("no calls lately")}</p>`;
  const reason = (/** @type {string | null} */ each) => (each === null ? say("other reasons") : each === "refused" ? say("refused otherwise") : inLaw(each));
  const refusals = found.refusals.map((/** @type {any} */ each) => ({ name: reason(each.reason), values: each.counts }));
  return html`<div class="charts">
    <${Chart} title=${say("chart calls")} at=${found.at} lines=${[{ name: say("placed"), values: found.placed }, { name: say("were refused"), values: found.refused }, { name: say("were answered"), values: found.answered }]} />
    ${refusals.length ? html`<${Chart} title=${say("chart refusals")} at=${found.at} lines=${refusals} />` : html`<div class="chart"><h3>${say("chart refusals")}</h3><p class="hint">${say("none refused")}</p></div>`}
    <${Chart} title=${say("chart wait")} unit=${say("in seconds")} at=${found.at} lines=${[{ name: say("on average"), values: found.wait }, { name: say("at most"), values: found.longest_wait }]} />
    ${found.jitter.some((/** @type {number | null} */ each) => each !== null) ? html`<${Chart} title=${say("chart sound")} unit=${say("of bridge")} at=${found.at} lines=${[{ name: say("lost percent"), values: found.lost }, { name: say("jitter"), values: found.jitter }]} />`
      : html`<div class="chart"><h3>${say("chart sound")}</h3><p class="hint">${say("none heard")}</p></div>`}
    ${found.app_jitter.some((/** @type {number | null} */ each) => each !== null) ? html`<${Chart} title=${say("chart app sound")} unit=${say("of apps")} at=${found.at} lines=${[{ name: say("lost percent"), values: found.app_lost }, { name: say("jitter"), values: found.app_jitter }, { name: say("round trip"), values: found.app_round_trip }]} />`
      : html`<div class="chart"><h3>${say("chart app sound")}</h3><p class="hint">${say("none said")}</p></div>`}
  </div>`;
}
