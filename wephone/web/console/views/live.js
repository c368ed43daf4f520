/** The calls that run, as they run: who, what kind, where, by which decision, how they sound; and a way to end one. */

import { html, useEffect, useState } from "../../vendor/preact.js";
import { Blank, useLoaded, useNow } from "../../app/parts.js";
import { lasting } from "../../app/words.js";
import { Act } from "../act.js";
import { at } from "../address.js";
import { save } from "../csv.js";
import { BLOCK, LongTable } from "../long.js";
import { Mark, NotLoaded, Waiting, mayAct, useTurn, useWatch } from "../parts.js";
import { asked, watch } from "../watch.js";
import { SERVICES, inLaw, kind, many, named, percentLost, say } from "../words.js";

const MOST = 500; // calls that the server tells at a time
const SAID = 10_000_000; // µs between two words of a device on how its call sounds
/** @type {Record<string, [import("../parts.js").Tone, string]>} */
const RATINGS = { good: ["good", "circle-check"], fair: ["soon", "triangle-alert"], poor: ["bad", "octagon-x"] };
const FIGURES = ["by", "rating", "packets", "lost", "jitter_us", "rtt_us"];

/** @param {{query: URLSearchParams}} props */
export function View({ query }) {
  const { overview } = useWatch();
  const [[first, after], setWanted] = useState([0, BLOCK]);
  const [ending, setEnding] = useState(/** @type {any} */ (null));
  const filter = { user: query.get("user") ?? "", service: query.get("service") ?? "", winding: query.get("winding") ?? "" };
  const given = Object.fromEntries(Object.entries(filter).filter(([, value]) => value));
  const load = async (/** @type {number} */ skip, /** @type {number} */ limit) => ({
    ...(await asked("GET", `/api/operator/live?${new URLSearchParams({ ...given, skip: String(skip), limit: String(limit) })}`)), first: skip,
  });
  const { calls = 0, talking = 0, winding_down = 0, decided = 0, telephone_legs = 0, at: told = 0 } = overview ?? {};
  // Those that are on the screen; again when calls have come, changed or gone, and when devices have said how they sound.
  // Leases are renewed all the time.
  const turn = useTurn(telephone_legs ? told : [calls, talking, winding_down, decided, talking && Math.floor(told / SAID)].join());
  const [found, again] = useLoaded(() => load(first, Math.min(MOST, Math.max(BLOCK, after - first))), [query.toString(), first, after, turn]);
  const [known, setKnown] = useState(/** @type {any} */ (undefined));
  useEffect(() => {
    if (found) setKnown(found);
  }, [found]);
  const set = (/** @type {string} */ name, /** @type {string} */ value) => {
    location.hash = at("live", null, { ...filter, [name]: value });
  };
  const shown = found ?? known;
  const keep = async () => {
    const calls = [];
    for (let skip = /** @type {number | null} */ (0); skip !== null;) {
      const page = await load(skip, MOST);
      calls.push(...page.calls);
      skip = page.skip;
    }
    save("live.csv", table(calls));
  };
  return html`<section aria-labelledby="live-title">
    <div class="head"><h1 id="live-title">${say("live")}</h1>${shown ? html`<span class="hint" role="status">${many("live", shown.of)}</span>
      <button type="button" class="quiet" disabled=${!shown.of} onClick=${keep}>${say("csv")}</button>` : null}</div>
    <p class="hint">${say("live guarantee")}</p>
    <form class="filters" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()} aria-label=${say("filter")}>
      <label>${say("user")}<input value=${filter.user} spellcheck=${false} autocapitalize="none" onChange=${(/** @type {any} */ event) => set("user", event.target.value.trim())} /></label>
      <label>${say("which service")}<select value=${filter.service} onChange=${(/** @type {any} */ event) => set("service", event.target.value)}>
        <option value="" selected=${!filter.service}>${say("all")}</option>
        ${SERVICES.map((each) => html`<option key=${each} value=${each} selected=${each === filter.service}>${kind(each)}</option>`)}</select></label>
      <label>${say("state")}<select value=${filter.winding} onChange=${(/** @type {any} */ event) => set("winding", event.target.value)}>
        <option value="" selected=${!filter.winding}>${say("all")}</option><option value="true" selected=${Boolean(filter.winding)}>${say("only winding")}</option></select></label>
    </form>
    ${found === null && !known ? html`<${NotLoaded} again=${again} />` : !shown ? html`<${Waiting} />`
      : shown.of ? html`<${Calls} shown=${shown} open=${setEnding} wants=${(/** @type {number} */ one, /** @type {number} */ other) => setWanted((was) => (was[0] === one && was[1] === other ? was : [one, other]))} />`
        : html`<${Blank} icon="phone" title=${say("no live")} text=${say("no live next")} />`}
    ${ending ? html`<${Act} title=${say("cut title", { one: ending.legs[0].who, other: ending.legs[1].who })} word=${say("cut")} danger=${true} intro=${say("cut why")} supposed=${null}
      send=${(/** @type {string} */ why) => asked("POST", `/api/operator/live/${ending.call}/cut`, { why })}
      done=${() => { setEnding(null); again(); }} close=${() => setEnding(null)} />` : null}
  </section>`;
}

/** @param {{shown: any, open: (call: any) => void, wants: (first: number, after: number) => void}} props */
function Calls({ shown, open, wants }) {
  useNow(true);
  const columns = ["legs", "which service", "state", "for how long", "how it sounds", "permit", "decision"].map((name) => ({ name: say(name) }));
  if (mayAct()) columns.push({ name: say("cut") });
  const drawn = (/** @type {number} */ place) => {
    const call = shown.calls[place - shown.first];
    return call ? html`<tr key=${call.call} aria-rowindex=${place + 2}>
    <td class="legs">${call.legs.map((/** @type {any} */ leg, /** @type {number} */ place) => html`<${Leg} key=${place} leg=${leg} />`)}</td>
    <td>${kind(call.service)}${call.jurisdiction ? html` <code>${call.jurisdiction}</code>` : null}</td>
    <td>${call.ending ? html`<${Mark} tone="bad" text=${say("ends within", { n: Math.ceil(call.ending.seconds) })} /><p class="hint">${inLaw(call.ending.reason)}</p>`
      : html`<${Mark} tone=${call.phase === "active" ? "good" : ""} text=${named("phase", call.phase)} />`}${
      call.for_help ? html`<p><${Mark} tone="soon" text=${say("for help")} /></p><p class="hint">${say("not cut")}</p>` : null}</td>
    <td class="one"><time>${lasting((watch.now() - call.since) / 1000)}</time></td>
    <td class="sounds"><${Sound} legs=${call.legs} /></td>
    <td class="one">${call.permits.map((/** @type {string} */ each) => html`<bdi key=${each}>${each} </bdi>`)}</td>
    <td>${call.decision ? html`<a class="link" href=${at("decisions", call.decision)}><code>${call.decision}</code></a>` : null}</td>
    ${mayAct() ? html`<td class="one stuck">${call.for_help ? null : html`<button type="button" class="quiet danger" aria-label=${say("cut title", { one: call.legs[0].who, other: call.legs[1].who })} onClick=${() => open(call)}>${say("cut")}</button>`}</td>` : null}
  </tr>` : null;
  };
  return html`<${LongTable} label=${say("live")} columns=${columns} count=${shown.of} row=${drawn} wants=${wants} />`;
}

/** @param {any[]} calls */
const table = (calls) => [
  ["call", "since", "caller", "callee", "phase", "service", "jurisdiction", "permits", "decision", "ends_within_seconds", "for_help",
    ...["caller", "callee"].flatMap((role) => FIGURES.map((each) => `${role}_sound_${each}`))],
  ...calls.map((call) => [call.call, new Date(call.since / 1000).toISOString(), call.legs[0].who, call.legs[1].who, call.phase, call.service, call.jurisdiction, call.permits.join(" "), call.decision, call.ending?.seconds, call.for_help,
    ...call.legs.flatMap((/** @type {any} */ leg) => FIGURES.map((each) => leg.quality?.[each]))]),
];

/** How each end of it sounds since it began. @param {{legs: any[]}} props */
function Sound({ legs }) {
  if (!legs.some(({ quality }) => quality)) return html`<span class="hint">${say("sound unknown")}</span>`;
  return legs.map(({ role, quality }) => html`<p key=${role}>${quality?.by === "device" ? say(`heard by ${role}`) : named("role", role)}${say("colon")}${
    quality ? html`<${Rated} quality=${quality} />` : html`<span class="hint">${say("sound unknown")}</span>`}</p>`);
}

/** A round trip is told where the others may not say what is wrong. @param {{quality: {rating: string, packets: number, lost: number, jitter_us: number, rtt_us: number | null}}} props */
function Rated({ quality: { rating, packets, lost, jitter_us: jitter, rtt_us: trip } }) {
  const [tone, icon] = RATINGS[rating];
  const told = [say("sound figures", { percent: percentLost(packets, lost), ms: Math.round(jitter / 1000) })];
  if (trip !== null && rating !== "good") told.push(say("round trip of", { ms: Math.round(trip / 1000) }));
  return html`<${Mark} tone=${tone} icon=${icon} text=${say(`sound ${rating}`)} /> <span class="hint">${told.join(say("comma"))}</span>`;
}

/** One end of it. @param {{leg: any}} props */
function Leg({ leg }) {
  return html`<p>${named("role", leg.role)}${say("colon")}<bdi class="name">${leg.who}</bdi> <span class="hint">${named("leg", leg.kind)}${leg.country ? html`, <code>${leg.country}</code>` : null}${
    leg.devices > 1 ? html`, ${say("devices ring", { n: leg.devices })}` : null}${leg.lease_seconds !== null ? html`, ${say("lease left", { n: Math.round(leg.lease_seconds) })}` : null}</span></p>`;
}
