/** What the operator has switched off, and what waits for a second operator. */

import { html, useEffect, useState } from "../../vendor/preact.js";
import { Field, useLoaded } from "../../app/parts.js";
import { Act } from "../act.js";
import { save } from "../csv.js";
import { Icon, Mark, NotLoaded, Said, Waiting, epoch, faultIn, mayAct, useWatch } from "../parts.js";
import { asked, watch } from "../watch.js";
import { SERVICES, kind, moment, say } from "../words.js";
import { Ending } from "./ending.js";

/** @typedef {{title: string, word: string, supposed: object | null, danger?: boolean, intro?: string, send: (why: string, headers: any) => Promise<any>}} Change */

export function View() {
  useWatch();
  const [found, again] = useLoaded(all, [epoch()]);
  const [known, setKnown] = useState(/** @type {any} */ (undefined));
  const [change, setChange] = useState(/** @type {Change | "new" | null} */ (null));
  const [after, setAfter] = useState(/** @type {any} */ (null));
  useEffect(() => {
    if (found) setKnown(found);
  }, [found]);
  if (found === null) return html`<${NotLoaded} again=${again} />`;
  const shown = found ?? known;
  if (!shown) return html`<${Waiting} />`;
  const done = (/** @type {any} */ _, /** @type {any} */ effect) => {
    setChange(null);
    setAfter({ effect, at: watch.overview?.at ?? 0 });
    again();
  };
  return html`<section aria-labelledby="switches-title"><h1 id="switches-title">${say("switches")}</h1>
    ${after?.effect?.now.lost ? html`<${Ending} key=${after.at} effect=${after.effect} since=${after.at} />` : null}
    ${shown.waiting.length ? html`<${Proposals} waiting=${shown.waiting} open=${setChange} again=${again} />` : null}
    <${Panic} telephone=${shown.telephone} open=${setChange} />
    <${Toggles} toggles=${shown.toggles} open=${setChange} />
    ${change === "new" ? html`<${NewToggle} done=${done} close=${() => setChange(null)} />` : change
      ? html`<${Act} ...${change} done=${done} close=${() => setChange(null)} />` : null}
  </section>`;
}

async function all() {
  const [{ toggles }, telephone, { waiting }] = await Promise.all([
    asked("GET", "/api/operator/toggles"), asked("GET", "/api/operator/telephone"), asked("GET", "/api/operator/waiting"),
  ]);
  return { toggles, telephone, waiting };
}

/** @param {{telephone: any, open: (change: Change) => void}} props */
function Panic({ telephone, open }) {
  const turn = (/** @type {boolean} */ on) => open({
    title: say(on ? "switch on again" : "switch off now"),
    word: say(on ? "switch on" : "switch off"),
    danger: !on,
    intro: say("telephone on why"),
    supposed: on ? null : { telephone_off: true },
    send: (why, headers) => asked("PUT", "/api/operator/telephone", { on, why }, headers),
  });
  const isMine = telephone.waiting?.by === watch.overview?.name;
  return html`<div class="doc"><div class="top"><h2>${say("telephone")}</h2>
      <${Mark} tone=${telephone.on ? "good" : "bad"} text=${say(telephone.on ? "telephone on" : "telephone is off")} /></div>
    <p class="hint">${say("telephone on why")}</p>
    ${mayAct() ? html`<div class="acts">${telephone.on
      ? html`<button type="button" class="main danger" onClick=${() => turn(false)}><${Icon} name="octagon-x" /> ${say("switch off now")}</button>`
      : html`<button type="button" class="main" disabled=${isMine} onClick=${() => turn(true)}>${say("switch on again")}</button>
        ${isMine ? html`<span class="hint">${say("need another")}</span>` : null}`}</div>` : null}
  </div>`;
}

/** @param {{toggles: any[], open: (change: Change | "new") => void}} props */
function Toggles({ toggles, open }) {
  const path = (/** @type {any} */ toggle) => `/api/operator/toggles/${encodeURIComponent(toggle.key)}`;
  const turn = (/** @type {any} */ toggle) => {
    const turned = { ...toggle, enabled: !toggle.enabled };
    const { key, ...body } = turned;
    const word = turned.enabled ? "switch on" : "switch off";
    open({
      title: say(turned.enabled ? "toggle title on" : "toggle title off", { key }),
      word: say(word),
      danger: !turned.enabled,
      supposed: { toggles: [turned] },
      send: (why, headers) => asked("PUT", path(toggle), { ...body, why }, headers),
    });
  };
  const remove = (/** @type {any} */ toggle) => open({
    title: say("toggle title remove", { key: toggle.key }),
    word: say("remove switch"),
    supposed: { toggles: [{ ...toggle, enabled: true }] },
    send: (why, headers) => asked("DELETE", `${path(toggle)}?${new URLSearchParams({ why })}`, undefined, headers),
  });
  const rows = () => [["key", "enabled", "services", "jurisdictions", "regions"], ...toggles.map((each) => [each.key, each.enabled, each.services.join(" "), each.jurisdictions.join(" "), each.regions.join(" ")])];
  return html`<div class="head"><h2>${say("kinds")}</h2><div class="acts">
      ${mayAct() ? html`<button type="button" class="quiet new" onClick=${() => open("new")}>${say("new toggle")}</button>` : null}
      ${toggles.length ? html`<button type="button" class="quiet" onClick=${() => save("switches.csv", rows())}>${say("csv")}</button>` : null}</div></div>
    <p class="hint">${say("kinds why")}</p>
    ${toggles.length ? null : html`<p class="hint">${say("no toggles")}</p>`}
    <div class="docs">${toggles.map((toggle) => html`<div key=${toggle.key} class="doc"><div class="top"><h2><bdi>${toggle.key}</bdi></h2>
        <${Mark} tone=${toggle.enabled ? "good" : "bad"} text=${say(toggle.enabled ? "toggle on" : "toggle off")} /></div>
      <p>${narrowed(toggle)}</p>
      ${mayAct() ? html`<div class="acts"><button type="button" class=${toggle.enabled ? "quiet danger" : "quiet"} onClick=${() => turn(toggle)}>${say(toggle.enabled ? "switch off" : "switch on")}</button>
        <button type="button" class="quiet" onClick=${() => remove(toggle)}>${say("remove switch")}</button></div>` : null}
    </div>`)}</div>`;
}

/** What a switch is about. @param {any} toggle */
function narrowed(toggle) {
  const services = toggle.services.length ? toggle.services.map(kind).join(", ") : say("every service");
  const places = [...toggle.jurisdictions, ...toggle.regions];
  return `${services} · ${places.length ? places.join(", ") : say("everywhere")}`;
}

/** @param {{done: (answer: any, effect: any) => void, close: () => void}} props */
function NewToggle({ done, close }) {
  const [service, setService] = useState("pstn_out");
  const [place, setPlace] = useState("");
  const isRegion = /^[A-Z]{2}-[A-Z0-9]{1,3}$/.test(place);
  const isFaulty = place !== "" && place !== "baseline" && !isRegion && !/^[A-Z]{2}$/.test(place);
  const key = [place, service === "*" ? (place ? "" : "*") : service].filter(Boolean).join(":");
  const body = {
    enabled: false,
    services: service === "*" ? [] : [service],
    jurisdictions: place && !isRegion ? [place] : [],
    regions: isRegion ? [place] : [],
  };
  const send = (/** @type {string} */ why, /** @type {any} */ headers) => asked("PUT", `/api/operator/toggles/${encodeURIComponent(key)}`, { ...body, why }, headers);
  return html`<${Act} title=${say("new toggle")} word=${say("switch off")} danger=${true} supposed=${isFaulty ? null : { toggles: [{ key, ...body }] }} send=${send} done=${done} close=${close}>
    <div class="field"><label for="toggle-service">${say("which service")}</label>
      <select id="toggle-service" value=${service} onChange=${(/** @type {any} */ event) => setService(event.target.value)}>
        <option value="*">${say("every service")}</option>${SERVICES.map((each) => html`<option key=${each} value=${each} selected=${each === service}>${kind(each)}</option>`)}</select></div>
    <${Field} id="toggle-place" label=${say("where")} hint=${say("where hint")} fault=${isFaulty ? say("bad place", { place }) : ""} value=${place}
      onInput=${(/** @type {string} */ value) => setPlace(value.trim() === "baseline" ? "baseline" : value.trim().toUpperCase())} />
  </${Act}>`;
}

/** @param {{waiting: any[], open: (change: Change) => void, again: () => void}} props */
function Proposals({ waiting, open, again }) {
  const [fault, setFault] = useState("");
  const back = async (/** @type {any} */ proposal) => {
    const why = new URLSearchParams({ why: proposal.why });
    await asked("DELETE", `/api/operator/waiting/${encodeURIComponent(proposal.key)}?${why}`).catch((error) => setFault(faultIn(error)));
    again();
  };
  return html`<h2>${say("waiting")}</h2><${Said} text=${fault} />
    <div class="docs">${waiting.map((proposal) => html`<div key=${proposal.key} class="doc">
      <div class="top"><h2>${titled(proposal)}</h2><${Mark} tone="soon" text=${say("until", { until: moment(proposal.until) })} /></div>
      <p><bdi>${say("asked by", { by: proposal.by, at: moment(proposal.at), why: proposal.why })}</bdi></p>
      ${mayAct() ? html`<div class="acts">
        <button type="button" class="main" disabled=${proposal.by === watch.overview?.name} onClick=${() => open(agreed(proposal))}>${say("agree")}</button>
        <button type="button" class="quiet" onClick=${() => back(proposal)}>${say("withdraw")}</button>
        ${proposal.by === watch.overview?.name ? html`<span class="hint">${say("need another")}</span>` : null}</div>` : null}
    </div>`)}</div>`;
}

/** @param {any} proposal */
function titled(proposal) {
  const [what, ...rest] = proposal.key.split(":");
  return say(`wait ${what}`, { key: rest.join(":") });
}

/** Asking for the same. @param {any} proposal @returns {Change} */
function agreed(proposal) {
  const [what, ...rest] = proposal.key.split(":");
  const id = rest.join(":");
  const isPermit = what === "reinstate";
  return {
    title: titled(proposal),
    word: say("agree"),
    intro: say("reinstate second", { by: proposal.by }),
    supposed: isPermit ? { reinstate: [id] } : null,
    send: (why, headers) => isPermit
      ? asked("POST", `/api/operator/permits/${encodeURIComponent(id)}/reinstate`, { why }, headers)
      : asked("PUT", "/api/operator/telephone", { on: true, why }, headers),
  };
}
