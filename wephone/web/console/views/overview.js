/** Is all in order, and what needs a decision? */

import { html, useEffect, useState } from "../../vendor/preact.js";
import { at } from "../address.js";
import { Icon, useWatch } from "../parts.js";
import { day, figure, many, say } from "../words.js";
import { SOON } from "./validity.js";

/** @typedef {import("../watch.js").Overview} Overview */

/** @param {{query: URLSearchParams}} props */
export function View({ query }) {
  const { overview } = useWatch();
  const [charts, setCharts] = useState(/** @type {any} */ (null));
  useEffect(() => void import("./charts.js").then(setCharts, () => {}), []); // what needs somebody is there first
  if (!overview) return null;
  const needs = needed(overview);
  return html`<section aria-labelledby="overview-title">
    <h1 id="overview-title" class="unseen">${say("overview")}</h1>
    <p class="say" role="status">${sentence(overview)}</p>
    <h2>${say("needs")}</h2>
    ${needs.length
      ? html`<div class="needs">${needs.map(({ tone, text, more, href }) => html`<a key=${text} class=${`need ${tone}`} href=${href}>
          <${Icon} name=${tone === "bad" ? "octagon-x" : tone === "soon" ? "clock" : "info"} /><span>${text}${more ? html` <code>${more}</code>` : null}</span></a>`)}</div>`
      : html`<p class="hint">${say("nothing needs you")}</p>`}
    <h2>${say("figures")}</h2>
    <dl class="figures">${figures(overview).map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
    ${charts ? html`<${charts.Charts} query=${query} />` : null}
  </section>`;
}

/** All of it in one sentence. @param {Overview} overview */
export function sentence(overview) {
  const all = Object.values(overview.permits).reduce((sum, count) => sum + count, 0);
  const good = overview.permits.in_force ?? 0;
  const permits = !all ? say("no permits") : good === all ? say("all in force") : say("some in force", { good, all });
  const next = overview.next_expiry;
  const ends = !good ? "" : !next ? say("no expiry") : next.days_left ? say("next expiry", { days: many("day", next.days_left) }) : say("expires today");
  const calls = many("live", overview.calls) + (overview.winding_down ? `${say("comma")}${say("winding", { n: overview.winding_down })}` : "");
  return [permits, ends, calls].filter(Boolean).join(say("semicolon")) + say("stop");
}

/** Where something is done about an alarm. @type {Record<string, string>} */
const ALARMS = { trunk_down: "trunks", leg_unconfirmed: "trunks", evidence_lost: "evidence", checkpoint_failed: "evidence", permit_file_refused: "permits" };

/** @param {Overview} overview @returns {{tone: string, text: string, href: string, more?: string}[]} */
function needed(overview) {
  /** @type {{tone: string, text: string, href: string, more?: string}[]} */
  const found = overview.alarms.map(({ alarm, text }) => ({ tone: "bad", text: say(`alarm ${alarm}`), more: text, href: at(ALARMS[alarm] ?? "overview") }));
  if (overview.draining) found.push({ tone: "bad", text: say("draining now"), href: at("overview") });
  if (!overview.telephone_on) found.push({ tone: "bad", text: say("telephone off"), href: at("switches") });
  if (overview.waiting) found.push({ tone: "soon", text: many("waiting", overview.waiting), href: at("switches") });
  const next = overview.next_expiry;
  if (next && next.days_left <= SOON) {
    const days = next.days_left ? many("day", next.days_left) : say("today");
    found.push({ tone: "soon", text: say("expires soon", { permit: next.permit, on: day(next.on), days }), href: at("permits", next.permit) });
  }
  for (const standing of ["suspended", "expired", "not_yet_valid"]) {
    const count = overview.permits[standing];
    if (count) found.push({ tone: standing === "suspended" ? "bad" : "soon", text: `${say("permits")}${say("colon")}${say(`standing ${standing}`)} (${figure(count)})`, href: at("permits") });
  }
  if (overview.toggles_off) found.push({ tone: "", text: many("toggles off", overview.toggles_off), href: at("switches") });
  return found;
}

/** @param {Overview} overview @returns {[string, string][]} */
const figures = (overview) => [
  [say("figure calls"), figure(overview.calls)],
  [say("figure talking"), figure(overview.talking)],
  [say("figure winding"), figure(overview.winding_down)],
  [say("figure legs"), figure(overview.telephone_legs)],
  [say("figure devices"), figure(overview.devices)],
  [say("figure epoch"), figure(overview.epoch)],
  [say("figure node"), overview.node],
];
