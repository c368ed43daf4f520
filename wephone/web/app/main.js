/** Where the app begins: the door, or the phone with its three places. */

import { html, render, useEffect, useRef, useState } from "../vendor/preact.js";
import { Refused, ask } from "../edge/http.js";
import { Blank, Icon, useLanguage } from "./parts.js";
import { keptUser, wakes } from "./kept.js";
import { nameOf } from "./names.js";
import { Phone } from "./phone.js";
import { foremost } from "./state.js";
import { dress } from "./theme.js";
import { People } from "./views/people.js";
import { say } from "./first-words.js";

const PLACES = /** @type {const} */ ([["people", "users"], ["calls", "phone"], ["messages", "message-circle"], ["settings", "settings"]]);

/** What is not needed to begin with: it comes when nothing else is to be done, or when it is asked for. */
const LATER = /** @type {const} */ ({
  Door: () => import("./views/door.js"),
  CallScreen: () => import("./views/call.js"),
  Voices: () => import("./views/call.js"),
  Ringing: () => import("./views/ringing.js"),
  Asked: () => import("./views/ringing.js"),
  Calls: () => import("./views/calls.js"),
  Messages: () => import("./views/messages.js"),
  Settings: () => import("./views/settings.js"),
  Prospects: () => import("./views/prospects.js"),
});

const AGAIN = 2000; // ms until a server that could not be reached is asked once more
const tabs = new BroadcastChannel("wephone");

/** False if the server did not hear it; one that refuses knows of no session. */
const hasSignedOut = () => ask("DELETE", "/api/session").then(() => true, (error) => error instanceof Refused);

/** @type {Map<string, any>} */
const loaded = new Map();

/** @param {keyof typeof LATER} name */
async function load(name) {
  loaded.set(name, /** @type {any} */ (await LATER[name]())[name]);
}

/** A view that may still have to be loaded. @param {{name: keyof typeof LATER, props: Record<string, unknown>}} what */
function Later({ name, props }) {
  const [, again] = useState(0);
  const View = loaded.get(name);
  useEffect(() => {
    if (!View) void load(name).then(() => again((count) => count + 1)); // also if it came since this was drawn
  }, [name]);
  return View ? html`<${View} ...${props} />` : null;
}

/** Where the address says we are: `#messages/bob`. */
function where() {
  const [place, peer] = location.hash.slice(1).split("?")[0].split("/");
  return { place: PLACES.some(([name]) => name === place) ? place : "people", peer: decoded(peer ?? "") || null };
}

/** Nobody, where somebody else has made the link and not well. @param {string} part */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}

/** @param {string} place @param {string | null} [peer] */
function go(place, peer = null) {
  location.hash = peer ? `${place}/${encodeURIComponent(peer)}` : place;
}

function App() {
  useLanguage();
  const [user, setUser] = useState(/** @type {string | null | undefined} */ (undefined));
  const [isOffline, setOffline] = useState(false);
  const [phone, setPhone] = useState(/** @type {Phone | null} */ (null));
  const enter = (/** @type {string | null} */ name) => {
    setPhone((known) => (known?.user === name ? known : name ? new Phone(name, () => enter(null)) : null));
    setUser(name);
  };
  const look = () => ask("GET", "/api/account").then(
    (account) => enter(account.password_change_required ? null : account.name),
    (error) => {
      if (error instanceof Refused) return enter(null);
      const known = keptUser();
      if (known) return enter(known); // without a network there is still what was said
      setOffline(true);
      return void setTimeout(look, AGAIN);
    },
  );
  useEffect(() => void look(), []);
  const entered = (/** @type {string} */ name) => {
    tabs.postMessage({ entered: name });
    enter(name);
  };
  useEffect(() => {
    // Another tab has signed somebody in: the browser has one session, and every tab is theirs.
    tabs.onmessage = ({ data }) => {
      if (!data.entered || data.entered === phone?.user) return;
      phone?.makeWay();
      setPhone(null);
      setUser(undefined);
      void look();
    };
  }, [phone]);
  const leave = async (/** @type {boolean} */ isOver) => {
    if (phone && wakes(phone.user)) await (await import("./waking.js")).sleep();
    phone?.leave(isOver);
    setPhone(null);
    setUser(undefined); // until the server has it, this browser is not signed out, and says so
    while (!(await hasSignedOut())) {
      setOffline(true);
      await new Promise((then) => setTimeout(then, AGAIN));
    }
    setOffline(false);
    enter(null);
  };
  if (!window.isSecureContext) return html`<main><${Blank} icon="lock" isPage=${true} title=${say("insecure")} text=${say("insecure why")} /></main>`;
  if (user === undefined) return html`<main class="blank"><span class="spinner" aria-hidden="true"></span><h1>WePhone</h1>
    <p role="status">${say(isOffline ? "offline" : "loading")}</p></main>`;
  if (!phone) return html`<${Later} name="Door" props=${{ entered }} />`;
  return html`<${Home} key=${phone.user} phone=${phone} leave=${leave} />`;
}

/** @param {{phone: Phone, leave: (isOver: boolean) => void}} props */
function Home({ phone, leave }) {
  const [, again] = useState(0);
  const [at, setAt] = useState(where());
  const [hidden, setHidden] = useState(/** @type {string | null} */ (null));
  useEffect(() => {
    const draw = () => again((count) => count + 1);
    draw(); // what has come since the first drawing
    return phone.watch(draw);
  }, [phone]);
  useEffect(() => {
    const soon = globalThis.requestIdleCallback ?? setTimeout; // Safari has none
    soon(() => Object.keys(LATER).forEach((name) => void load(/** @type {keyof typeof LATER} */ (name))));
  }, []);
  useEffect(() => {
    const moved = () => setAt(where());
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);
  const { state } = phone;
  if (state.over) return html`<${Over} why=${state.over} leave=${() => leave(true)} />`;
  const ringing = state.calls.find(({ stage }) => stage === "ringing");
  const asked = ringing ? undefined : state.asked[0];
  const call = foremost({ ...state, calls: state.calls.filter(({ stage }) => stage !== "ringing") });
  const write = (/** @type {string} */ peer) => {
    setHidden(call?.id ?? null);
    go("messages", peer);
  };
  const isShown = call && call.id !== hidden;
  const isOverUnseen = call && !isShown && call.stage === "ended";
  useEffect(() => {
    if (!isOverUnseen) return undefined;
    if (call.ended?.refusal || call.ended?.fault) return setHidden(null); // there is something to read
    const timer = setTimeout(() => phone.dismiss(call.id), 4000);
    return () => clearTimeout(timer);
  }, [isOverUnseen]);
  const behind = state.calls.find((each) => each.stage === "ended" && each !== call && !each.ended?.refusal && !each.ended?.fault);
  useEffect(() => {
    if (behind) phone.dismiss(behind.id); // nobody waits to read how that ended
  }, [behind?.id]);
  const isOver = Boolean(ringing || asked || isShown); // something is over the places
  const last = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    const at = last.current;
    if (isOver || !at) return;
    const back = at.isConnected ? at : document.querySelector("main input, main button, main a"); // what was found is not there any more
    /** @type {HTMLElement | null} */ (back)?.focus(); // where the person was
  }, [isOver]);
  useEffect(() => {
    document.title = titled(state, ringing);
  });
  return html`
    <div class="home" data-link=${state.link} inert=${isOver} onFocusIn=${(/** @type {any} */ event) => { last.current = event.target; }}>
      <${Bar} phone=${phone} place=${at.place} />
      <main class="main">
        <${Banner} state=${state} />
        ${call && !isShown ? html`<button type="button" class="banner call" onClick=${() => setHidden(null)}>
          <${Icon} name="phone" /><span>${say(isOverUnseen ? "call ended" : "return to call")}${say("colon")}<bdi>${nameOf(call.peer)}</bdi></span></button>` : null}
        <${Place} phone=${phone} at=${at} leave=${() => leave(false)} />
      </main>
    </div>
    ${isShown ? html`<${Later} key=${call.id} name="CallScreen" props=${{ phone, call, hide: () => setHidden(call.id), write, under: Boolean(ringing || asked) }} />` : null}
    ${ringing ? html`<${Later} key=${ringing.id} name="Ringing" props=${{ phone, call: ringing, write, answered: () => setHidden(null) }} />` : null}
    ${asked ? html`<${Later} key=${asked.call} name="Asked" props=${{ phone, asked, taken: () => setHidden(null) }} />` : null}
    ${state.calls.length ? html`<${Later} name="Voices" props=${{ phone }} />` : null}`;
}

/** What the tab says: who calls, or how much is new. @param {import("./state.js").State} state @param {import("./state.js").Call} [ringing] */
function titled({ missed, conversations }, ringing) {
  if (ringing) return `${nameOf(ringing.peer)} ${say("ringing")}`;
  const fresh = missed.length + unread(conversations);
  return fresh ? `(${fresh}) WePhone` : "WePhone";
}

/** @param {import("./state.js").State["conversations"]} conversations */
const unread = (conversations) => Object.values(conversations).reduce((sum, each) => sum + each.unread, 0);

/** @param {{phone: Phone, at: {place: string, peer: string | null}, leave: () => void}} props */
function Place({ phone, at, leave }) {
  const open = (/** @type {string | null} */ peer) => go("messages", peer);
  switch (at.place) {
    case "calls": return html`<${Later} name="Calls" props=${{ phone, open }} />`;
    case "messages": return html`<${Later} name="Messages" props=${{ phone, peer: at.peer, open }} />`;
    case "settings": return html`<${Later} name="Settings" props=${{ phone, signOut: leave }} />`;
    default: return html`<${People} phone=${phone} open=${open} />`;
  }
}

/** @param {{phone: Phone, place: string}} props */
function Bar({ phone, place }) {
  const { missed, conversations } = phone.state;
  const fresh = unread(conversations);
  const badges = /** @type {Record<string, [number, string]>} */ ({
    calls: [missed.length, say("missed count", { count: missed.length })],
    messages: [fresh, say("unread count", { count: fresh })],
  });
  return html`<nav class="bar" aria-label="WePhone">${PLACES.map(([name, icon]) => {
    const [count, words] = badges[name] ?? [0, ""];
    return html`<a key=${name} href=${`#${name}`} aria-current=${place === name ? "page" : undefined}>
      <span class="disc"><${Icon} name=${icon} />${count ? html`<b class="badge"><span aria-hidden="true">${count}</span><span class="unseen">${words}</span></b>` : null}</span>
      <span>${say(name)}</span></a>`;
  })}</nav>`;
}

/** @param {{state: import("./state.js").State}} props */
function Banner({ state }) {
  const [late, setLate] = useState(false);
  const isUp = state.link === "up";
  useEffect(() => {
    if (isUp) return setLate(false);
    const timer = setTimeout(() => setLate(true), 1500); // a link that is back at once is nobody's business
    return () => clearTimeout(timer);
  }, [isUp]);
  const text = !isUp && late ? say("offline") : state.draining ? say("draining") : "";
  return html`<div role="status">${text ? html`<p class="banner"><${Icon} name="wifi-off" /> ${text}</p>` : null}</div>`;
}

/** @param {{why: string, leave: () => void}} props */
function Over({ why, leave }) {
  return html`<main><${Blank} icon="lock" isPage=${true} title=${say(`over ${why}`)}>
    <button type="button" class="main" onClick=${leave}>${say("sign in again")}</button></${Blank}></main>`;
}

dress();
navigator.serviceWorker?.addEventListener("message", ({ data }) => { location.hash = data.go; }); // where a notification leads
addEventListener("load", () => void navigator.serviceWorker?.register("/worker.js"));
const root = /** @type {HTMLElement} */ (document.getElementById("app"));
root.textContent = "";
render(html`<${App} />`, root);
