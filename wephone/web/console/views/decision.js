/** Why something was decided: facts, class, rule with its source of law, permit, outcome, and what became of it. */

import { html } from "../../vendor/preact.js";
import { Blank, Copied, useLoaded } from "../../app/parts.js";
import { Refused } from "../../edge/http.js";
import { at } from "../address.js";
import { names } from "../law.js";
import { Facts, Mark, NotLoaded, Verdict, Waiting } from "../parts.js";
import { asked } from "../watch.js";
import { inLaw, kind, moment, named, percentLost, say, words } from "../words.js";

/** @param {{id: string}} props */
export function Decision({ id }) {
  const [found, again] = useLoaded(() => all(id), [id]);
  if (found === undefined) return html`<${Waiting} />`;
  if (found === null) return html`<${NotLoaded} again=${again} />`;
  if (found === "none") return html`<${Blank} icon="info" isPage=${true} title=${say("no such decision")}><a class="link tall" href=${at("decisions")}>${say("back to decisions")}</a></${Blank}>`;
  const { told, ends, law, heard } = found;
  const { entry } = told;
  return html`<section aria-labelledby="decision-title">
    <a class="link tall" href=${at("decisions")}>${say("back to decisions")}</a>
    <div class="head"><h1 id="decision-title">${words(told.text) || told.reason}</h1><${Verdict} outcome=${told.outcome} /></div>
    <${Copied} label=${say("decision")} text=${told.decision} />
    <${Copied} label=${say("link")} text=${`${location.origin}/${at("decisions", told.decision)}`} />
    ${told.sound ? html`<p class="note" role="status">${say("sound")}</p>`
      : html`<div class="note bad" role="alert"><b>${say("not sound")}</b><ul>${told.faults.map((/** @type {string} */ fault) => html`<li key=${fault}><code>${fault}</code></li>`)}</ul></div>`}
    <ol class="story chain">
      <${Step} title=${say("chain facts")}><${Known} entry=${entry} people=${told.people} /></${Step}>
      <${Step} title=${say("chain class")}><p><b>${kind(told.service)}</b> <code>${told.service}</code></p></${Step}>
      <${Step} title=${say("chain rule")}><${Rule} told=${told} law=${law} /></${Step}>
      <${Step} title=${say("chain permit")}><${Permits} told=${told} law=${law} /></${Step}>
      <${Step} title=${say("chain outcome")} tone=${told.outcome === "deny" ? "bad" : "now"}>
        <p><${Verdict} outcome=${told.outcome} /> ${inLaw(told.reason)} <code>${told.reason}</code></p>
        ${told.obligations.length ? html`<p>${say("duties")}</p><ul>${told.obligations.map((/** @type {any} */ duty) => html`<li key=${duty.code}><code>${duty.code}</code> <bdi lang="en">${duty.text}</bdi></li>`)}</ul>` : null}</${Step}>
      <${Step} title=${say("chain after")}>${ends.length
        ? ends.map((/** @type {any} */ end) => html`<${Course} key=${end.seq} body=${end.body} heard=${heard} />`)
        : html`<p class="hint">${say("nothing after")}</p>`}</${Step}>
    </ol>
    <details><summary>${say("as written")}</summary><pre class="scrolls" tabindex="0"><code>${JSON.stringify(entry, null, 2)}</code></pre></details>
  </section>`;
}

/** What is shown of it; "none" if there is no such decision. @param {string} id */
async function all(id) {
  try {
    const [told, law] = await Promise.all([asked("GET", `/api/operator/decisions/${encodeURIComponent(id)}`), names()]);
    const call = told.entry.call && encodeURIComponent(told.entry.call);
    const { entries } = call ? await asked("GET", `/api/operator/journal/${call}`) : { entries: [] };
    const ends = entries.filter((/** @type {any} */ each) => each.kind === "call_end");
    const { heard } = ends.length ? await asked("GET", `/api/operator/calls/${call}/heard`) : { heard: [] };
    return { told, law, ends, heard };
  } catch (error) {
    if (error instanceof Refused && ["no_such_decision", "bad_value"].includes(error.code)) return "none";
    throw error;
  }
}

/** @param {{title: string, tone?: string, children?: unknown}} props */
function Step({ title, tone = "now", children }) {
  return html`<li class=${tone}><h2>${title}</h2>${children}</li>`;
}

/** @param {{entry: any, people: any[]}} props */
function Known({ entry, people }) {
  const facts = entry.facts ?? {};
  const legs = (facts.legs ?? []).map((/** @type {any} */ leg, /** @type {number} */ place) => html`<li key=${place}>
    ${named("role", leg.role)}${say("colon")}${named("leg", leg.kind)}, ${leg.country ?? say("unknown")}${leg.subdivision ? ` (${leg.subdivision})` : ""}${leg.number_type ? html` <code>${leg.number_type}</code>` : null}
    ${leg.located_by ? html` <span class="hint">${say("according to")} <code>${leg.located_by}</code></span>` : null}</li>`);
  return html`<${Facts} rows=${[
    [say("when"), entry.utc_ns ? moment(entry.utc_ns / 1000) : null],
    ...people.map((/** @type {any} */ person) => [named("role", person.role), person.state === "present" ? html`<bdi>${person.value}</bdi>` : html`<${Mark} tone=${person.state === "altered" ? "bad" : ""} text=${say(`name ${person.state}`)} />`]),
    [say("legs"), html`<ul>${legs}</ul>`],
    [say("media"), (facts.media ?? []).map((/** @type {string} */ each) => named("medium", each)).join(", ")],
    [say("identity"), facts.identity_verified === undefined ? null : say(facts.identity_verified ? "identity yes" : "identity no")],
    [say("figure epoch"), String(entry.epoch ?? "")],
    [say("withheld"), entry.withheld ? html`<code>${JSON.stringify(entry.withheld)}</code>` : null],
    [say("fault"), entry.fault ? html`<code>${entry.fault}</code>` : null],
  ]} />`;
}

/** @param {{told: any, law: import("../law.js").Names}} props */
function Rule({ told, law }) {
  const { rule, sources } = told;
  if (!rule) return html`<p class="hint">${say("no rule")}</p>`;
  const wants = (/** @type {any} */ asked) => {
    if (!asked) return say("none");
    const any = (asked.any_of ?? []).map((/** @type {string[]} */ each) => each.map((code) => `${code} ${law.category(code)}`).join(" + ")).join("; ");
    return html`${named("wants", asked.kind)} <bdi>${any}</bdi>`;
  };
  return html`<${Facts} rows=${[
      [say("jurisdiction"), html`<bdi>${told.jurisdiction ? law.place(told.jurisdiction) : say("unknown")}</bdi> <code>${told.entry.profile_version}</code>`],
      [say("domestic"), wants(rule.domestic)],
      [say("international"), wants(rule.international)],
      [say("reach"), told.reach && say(told.reach)],
      [say("switched off by"), told.toggles?.length ? html`<code>${told.toggles.join(", ")}</code>` : null],
      [say("confidence"), html`<${Mark} tone=${rule.confidence === "high" ? "good" : "soon"} text=${named("confidence", rule.confidence)} /> ${told.uncertain ? html`<${Mark} tone="soon" text=${say("uncertain")} />` : null}`],
      [say("notes"), rule.notes && html`<bdi lang="en">${rule.notes}</bdi>`],
    ]} />
    <h3>${say("sources")}</h3>
    <ul class="sources">${Object.entries(sources).map(([key, source]) => html`<li key=${key}><bdi><b>${source.title}</b></bdi>
      <p class="hint"><code>${key}</code> ${source.date ?? ""} <bdi lang="en">${source.read ?? ""}</bdi></p>
      ${source.url ? html`<p class="hint"><code>${source.url}</code></p>` : null}</li>`)}</ul>`;
}

/** @param {{told: any, law: import("../law.js").Names}} props */
function Permits({ told, law }) {
  const needed = told.permit_needed;
  if (!told.permits.length) return html`<p>${needed ? html`${say("needed")} <code>${needed}</code> <bdi>${law.category(needed)}</bdi>` : say("no permit used")}</p>`;
  return html`<ul>${told.permits.map((/** @type {any} */ permit) => html`<li key=${permit.id}><a class="link tall" href=${at("permits", permit.id)}><bdi>${permit.id}</bdi></a>
    ${say("version")} ${permit.version} · <code>${permit.categories.join(" ")}</code> · <bdi>${permit.holder ?? permit.jurisdiction}</bdi></li>`)}</ul>`;
}

/** What became of the call, and how its devices say it sounded. @param {{body: any, heard: any[]}} props */
function Course({ body, heard }) {
  const talked = body.answered_at && body.ended_at ? Math.round((body.ended_at - body.answered_at) / 1_000_000) : null;
  return html`<${Facts} rows=${[
    [say("offered"), body.offered_at && moment(body.offered_at)],
    [say("answered"), body.answered_at ? moment(body.answered_at) : say("not answered")],
    [say("ended at"), body.ended_at && moment(body.ended_at)],
    [say("talked"), talked === null ? null : say("seconds", { n: talked })],
    [say("why ended"), html`<bdi>${body.reason}</bdi>`],
    ...heard.map((side) => [say(`heard by ${side.role}`), figures(side)]),
  ]} />`;
}

/** @param {{packets: number, lost: number, jitter_us: number, rtt_us: number | null}} said */
function figures({ packets, lost, jitter_us: jitter, rtt_us: trip }) {
  const heard = say("heard figures", { packets, percent: percentLost(packets, lost), ms: Math.round(jitter / 1000) });
  return trip === null ? heard : `${heard}${say("comma")}${say("round trip of", { ms: Math.round(trip / 1000) })}`;
}
