/** Language, look, devices, where one is signed in, whom one has blocked. */

import { html, useEffect, useState } from "../../vendor/preact.js";
import { ask } from "../../edge/http.js";
import { hideAddress, hidesAddress, wakes } from "../kept.js";
import { Choice, Field, NotLoaded, Round, Sheet, Waiting, useLoaded } from "../parts.js";
import { dayOf, say, speak, spoken } from "../words.js";
import { theme, wear } from "../theme.js";
import { canBeWoken, isRefused, sleep, wake } from "../waking.js";
import { Account } from "./account.js";
import { Devices } from "./devices.js";
import { faultInWords } from "./fault.js";
import { Forwarding } from "./forwarding.js";

/** @param {{phone: import("../phone.js").Phone, signOut: () => void}} props */
export function Settings({ phone, signOut }) {
  return html`<section class="place" aria-labelledby="settings"><h1 id="settings">${say("settings")}</h1>
    <${Choice} label=${say("language")} value=${spoken()} change=${speak} options=${[["en", "English"], ["zh-CN", "简体中文"]]} />
    <${Theme} />
    <${Preferences} />
    <${RingClosed} user=${phone.user} />
    <${HideAddress} />
    <h2>${say("forwarding")}</h2><${Forwarding} />
    <h2>${say("devices")}</h2><${Devices} phone=${phone} />
    <h2>${say("where signed in")}</h2><${Sessions} signOut=${signOut} />
    <h2>${say("blocked")}</h2><${Blocked} />
    <h2>${say("account")}</h2>
    <${Account} user=${phone.user} signOut=${signOut} />
  </section>`;
}

function Theme() {
  const [worn, setWorn] = useState(theme());
  const change = (/** @type {import("../theme.js").Theme} */ chosen) => {
    wear(chosen);
    setWorn(chosen);
  };
  const options = ["system", "light", "dark"].map((each) => [each, say(`theme ${each}`)]);
  return html`<${Choice} label=${say("theme")} value=${worn} change=${change} options=${options} />`;
}

/** What the account says for all its devices. */
function Preferences() {
  const [account] = useLoaded(() => ask("GET", "/api/account"), []);
  return html`<${Preference} account=${account} name="do_not_disturb" words="do not disturb" />
    <${Preference} account=${account} name="shows_presence" words="show presence" />`;
}

/** @param {{account: any, name: string, words: string}} props */
function Preference({ account, name, words }) {
  const [on, setOn] = useState(false);
  useEffect(() => setOn(Boolean(account?.[name])), [account]);
  const change = async (/** @type {boolean} */ wanted) => {
    setOn(wanted);
    await ask("PATCH", "/api/account", { [name]: wanted }).catch(() => setOn(!wanted));
  };
  return html`<${Switch} words=${words} on=${on} change=${change} disabled=${!account} />`;
}

function HideAddress() {
  const [on, setOn] = useState(hidesAddress());
  const change = (/** @type {boolean} */ wanted) => {
    hideAddress(wanted);
    setOn(wanted);
  };
  return html`<${Switch} words="hide address" on=${on} change=${change} />`;
}

/** Rings this browser also when no page is open? @param {{user: string}} props */
function RingClosed({ user }) {
  const [on, setOn] = useState(wakes(user));
  const [isBusy, setBusy] = useState(false);
  const [fault, setFault] = useState(!canBeWoken() ? "ring closed not" : isRefused() ? "ring closed refused" : "");
  const change = async (/** @type {boolean} */ wanted) => {
    setBusy(true);
    setFault("");
    const done = wanted ? await wake(user).catch(() => null) : await sleep().then(() => true);
    if (done === null) setFault("ring closed failed");
    else if (!done && isRefused()) setFault("ring closed refused");
    setOn(wakes(user));
    setBusy(false);
  };
  return html`<${Switch} words="ring closed" on=${on} change=${change} disabled=${isBusy || !canBeWoken()} />
    <p role="status" class="hint">${fault ? say(fault) : ""}</p>`;
}

/** On or off; below its name stands what that does. @param {{words: string, on: boolean, change: (on: boolean) => void, disabled?: boolean}} props */
function Switch({ words, on, change, disabled = false }) {
  return html`<label class="row"><span>${say(words)}<small class="hint">${say(`${words} why`)}</small></span>
    <input type="checkbox" role="switch" checked=${on} disabled=${disabled} onChange=${(/** @type {any} */ event) => change(event.target.checked)} /></label>`;
}

/** @param {{label: string, kind: string}} session */
const shownName = ({ label, kind }) => label || kind;

/** Another name for a place where one is signed in. @param {{session: any, close: () => void, changed: () => void}} props */
function SessionSheet({ session, close, changed }) {
  const [name, setName] = useState(shownName(session));
  const [fault, setFault] = useState("");
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    ask("PATCH", `/api/sessions/${session.session}`, { label: name.trim() }).then(() => {
      changed();
      close();
    }, (error) => setFault(faultInWords(error)));
  };
  return html`<${Sheet} title=${shownName(session)} close=${close}><form onSubmit=${submit}>
    <${Field} id="session-name" label=${say("session name")} fault=${fault} value=${name} onInput=${setName} />
    <button class="main" disabled=${!name.trim() || name.trim() === session.label}>${say("save")}</button></form></${Sheet}>`;
}

/** @param {{signOut: () => void}} props */
function Sessions({ signOut }) {
  const [asked, setAsked] = useState(/** @type {any} */ (null));
  const [found, again] = useLoaded(async () => (await ask("GET", "/api/sessions")).sessions, []);
  const [fault, setFault] = useState("");
  if (found === undefined) return html`<${Waiting} />`;
  if (found === null) return html`<${NotLoaded} again=${again} />`;
  const failed = (/** @type {unknown} */ error) => setFault(faultInWords(error));
  const end = async (/** @type {any} */ session) => {
    if (session.current) return signOut();
    return ask("DELETE", `/api/sessions/${session.session}`).then(again, failed);
  };
  const all = () => ask("DELETE", "/api/sessions").then(signOut, failed);
  return html`<ul class="list">${found.map((/** @type {any} */ each) => html`<li key=${each.session} class="line">
      <div class="grow"><span class="name">${shownName(each)}${each.current ? ` (${say("this device")})` : ""}</span>
        <p class="hint"><time>${dayOf(each.seen_at)}</time></p></div>
      <${Round} icon="ellipsis" label=${say("about", { name: shownName(each) })} wordless=${true} onClick=${() => setAsked(each)} />
      <button type="button" class="quiet" onClick=${() => end(each)}>${say("sign out there")}</button></li>`)}</ul>
    ${asked ? html`<${SessionSheet} session=${asked} close=${() => setAsked(null)} changed=${again} />` : null}
    <p role="alert" class="fault">${fault}</p>
    <button type="button" class="quiet danger" onClick=${all}>${say("sign out everywhere")}</button>`;
}

function Blocked() {
  const [found, again] = useLoaded(async () => (await ask("GET", "/api/blocked")).blocked, []);
  const [name, setName] = useState("");
  const [fault, setFault] = useState("");
  if (found === undefined) return html`<${Waiting} />`;
  if (found === null) return html`<${NotLoaded} again=${again} />`;
  const set = async (/** @type {string} */ method, /** @type {string} */ user) => {
    setFault("");
    await ask(method, `/api/blocked/${encodeURIComponent(user)}`).then(() => setName(""), (error) => setFault(faultInWords(error)));
    again();
  };
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    void set("PUT", name);
  };
  return html`${found.length
    ? html`<ul class="list">${found.map((/** @type {string} */ user) => html`<li key=${user} class="line"><bdi class="grow name">${user}</bdi>
        <button type="button" class="quiet" onClick=${() => set("DELETE", user)}>${say("unblock")}</button></li>`)}</ul>`
    : html`<p class="hint">${say("nobody blocked")}</p>`}
    <form class="row" onSubmit=${submit}><input aria-label=${say("name")} placeholder=${say("name")} value=${name} autocapitalize="none"
      onInput=${(/** @type {any} */ event) => setName(event.target.value.trim().toLowerCase())} />
      <button class="quiet" disabled=${!name}>${say("block")}</button></form>
    <p role="alert" class="fault">${fault}</p>`;
}
