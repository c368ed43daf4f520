/** Where the operators' console begins: the door, or the places and the state of everything. */

import { html, render, useEffect, useRef, useState } from "../vendor/preact.js";
import { Refused, ask } from "../edge/http.js";
import { Blank, useLanguage } from "../app/parts.js";
import { dress, theme, wear } from "../app/theme.js";
import { speak, spoken } from "../app/words.js";
import { at, useAddress } from "./address.js";
import { Again, Door } from "./door.js";
import { Icon, NotLoaded, Waiting, useWatch } from "./parts.js";
import { OVERVIEW, watch } from "./watch.js";
import { say } from "./words.js";

/** What each place is drawn with, and where that is; it is loaded when somebody goes there. */
const PLACES = /** @type {const} */ ({
  overview: { icon: "gauge", load: () => import("./views/overview.js") },
  live: { icon: "activity", load: () => import("./views/live.js") },
  permits: { icon: "file-check", load: () => import("./views/permits.js") },
  switches: { icon: "toggle-right", load: () => import("./views/switches.js") },
  trunks: { icon: "phone-outgoing", load: () => import("./views/trunks.js") },
  decisions: { icon: "list-checks", load: () => import("./views/decisions.js") },
  evidence: { icon: "shield-check", load: () => import("./views/evidence.js") },
  accounts: { icon: "users", load: () => import("./views/accounts.js") },
  suppose: { icon: "flask-conical", load: () => import("./views/suppose.js") },
  settings: { icon: "settings", load: () => import("./views/settings.js") },
});

/** @typedef {keyof typeof PLACES} Place */

/** @param {string} name @returns {name is Place} */
const isPlace = (name) => name in PLACES;

function App() {
  useLanguage();
  const { overview, isOver } = useWatch();
  const [isKnown, setKnown] = useState(/** @type {boolean | undefined} */ (undefined));
  const [fault, setFault] = useState("");
  const enter = async () => {
    setFault("");
    try {
      const overview = await ask("GET", OVERVIEW);
      setKnown(true);
      void watch.run(overview);
    } catch (error) {
      const isCaller = error instanceof Refused && error.code === "not_an_operator";
      if (isCaller) await ask("DELETE", "/api/session").catch(() => {});
      if (isCaller) setFault(say("not for callers"));
      if (error instanceof Refused) setKnown(false);
      else setTimeout(enter, 2000);
    }
  };
  useEffect(() => void enter(), []);
  const leave = async () => {
    await ask("DELETE", "/api/session").catch(() => {});
    watch.forget();
    setKnown(false);
  };
  if (!window.isSecureContext) return html`<main><${Blank} icon="lock" isPage=${true} title=${say("insecure")} text=${say("insecure why")} /></main>`;
  if (isKnown === false) return html`<${Door} entered=${enter} fault=${fault} />`;
  if (!isKnown || !overview) return html`<main class="blank"><span class="spinner" aria-hidden="true"></span><h1>WePhone</h1>
    <p role="status">${say("loading")}</p></main>`;
  return html`<${Console} key=${overview.name} leave=${leave} />
    ${isOver ? html`<${Again} name=${overview.name} entered=${() => void watch.run()} leave=${leave} />` : null}`;
}

/** @param {{leave: () => void}} props */
function Console({ leave }) {
  const { place, what, query } = useAddress();
  const { overview, isUp } = useWatch();
  const main = useRef(/** @type {HTMLElement | null} */ (null));
  const name = isPlace(place) ? place : "overview";
  const first = useRef(true);
  useEffect(() => {
    document.title = `${say(name)} · WePhone`;
    if (!first.current) main.current?.focus();
    first.current = false;
  }, [name, what]);
  return html`<div class="console">
    <${Rail} place=${name} leave=${leave} waiting=${overview?.waiting ?? 0} />
    <main class="page" ref=${main} tabindex="-1">
      <div role="status">${isUp ? null : html`<p class="banner"><${Icon} name="wifi-off" /> ${say("server gone")}</p>`}</div>
      <${View} key=${name} name=${name} what=${what} query=${query} />
    </main>
  </div>`;
}

/** A view that may still have to be loaded. @param {{name: Place, what: string | null, query: URLSearchParams}} props */
function View({ name, what, query }) {
  const [found, setFound] = useState(/** @type {{View: any} | null | undefined} */ (undefined));
  const load = () => {
    setFound(undefined);
    PLACES[name].load().then((/** @type {any} */ part) => setFound(part), () => setFound(null));
  };
  useEffect(load, [name]);
  if (found === undefined) return html`<${Waiting} />`;
  if (found === null) return html`<${NotLoaded} again=${load} />`;
  return html`<${found.View} what=${what} query=${query} />`;
}

/** @param {{place: Place, waiting: number, leave: () => void}} props */
function Rail({ place, waiting, leave }) {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => setOpen(false), [place]);
  const { overview } = useWatch();
  return html`<nav class=${`rail ${isOpen ? "open" : ""}`} aria-label=${say("console")}>
    <p class="brand"><img src="/web/icons/icon.svg" alt="" /> WePhone</p>
    <button type="button" class="menu" aria-expanded=${String(isOpen)} aria-label=${say("menu")} onClick=${() => setOpen(!isOpen)}>
      <${Icon} name="menu" /> ${say(place)}</button>
    ${Object.entries(PLACES).map(([name, { icon }]) => html`<a key=${name} href=${at(name)} aria-current=${name === place ? "page" : undefined}>
      <${Icon} name=${icon} />${say(name)}
      ${name === "switches" && waiting ? html`<b class="badge"><span aria-hidden="true">${waiting}</span><span class="unseen">${say("waiting")}</span></b>` : null}</a>`)}
    <div class="who"><bdi class="name">${overview?.name}</bdi><span class="role">${say(overview?.role ?? "auditor")}</span>
      <${Looks} />
      <button type="button" class="quiet" onClick=${leave}>${say("sign out")}</button></div>
  </nav>`;
}

function Looks() {
  const [worn, setWorn] = useState(theme());
  const change = (/** @type {any} */ event) => {
    wear(event.target.value);
    setWorn(event.target.value);
  };
  return html`<select aria-label=${say("language")} value=${spoken()} onChange=${(/** @type {any} */ event) => speak(event.target.value)}>
      <option value="en">English</option><option value="zh-CN">简体中文</option></select>
    <select aria-label=${say("theme")} value=${worn} onChange=${change}>
      ${["system", "light", "dark"].map((each) => html`<option key=${each} value=${each}>${say(`theme ${each}`)}</option>`)}</select>`;
}

dress();
const root = /** @type {HTMLElement} */ (document.getElementById("app"));
root.textContent = "";
render(html`<${App} />`, root);
