/**
 * What outlives a page: the session and what it showed, for the next page or another tab; what a person chose here.
 *
 * @typedef {import("./state.js").State} State
 * @typedef {import("../core/session.js").Session} Session
 */

import { uuid } from "../edge/uuid.js";

const SESSION = "wephone session"; // without any secret: that is the cookie, which no script reads
const DEVICE = "wephone device";
const CHOSEN = "wephone devices";
const WOKEN = "wephone woken for";
const RELAYED = "wephone hide address";

/**
 * The session that the tab before has kept, and what it showed, if it was this user's.
 *
 * @param {string} user @returns {{session: Session, state: State} | null}
 */
export function kept(user) {
  try {
    const found = stored();
    if (found?.user !== user || found.session.link === "over") return null;
    const calls = found.session.calls.map((/** @type {import("../core/state.js").Call} */ call) => ({ ...call, change: forgotten(call.change) }));
    return { session: { ...found.session, calls, link: "down", failures: 0 }, state: found.state };
  } catch {
    return null; // another version of the app wrote it
  }
}

/** Whoever is signed in here, as far as this browser knows without asking. @returns {string | null} */
export function keptUser() {
  const found = stored();
  return found?.session?.link === "over" ? null : (found?.user ?? null);
}

/** @returns {any} what lies there, of whatever version of the app */
function stored() {
  try {
    return JSON.parse(localStorage.getItem(SESSION) ?? "null");
  } catch {
    return null;
  }
}

/** @param {string} user @param {Session} session @param {State} state */
export function keep(user, session, state) {
  localStorage.setItem(SESSION, JSON.stringify({ user, session, state: brief(state) }));
}

/** Signed out: none of their calls and texts stay behind; those of somebody who has come since do. @param {string} user */
export function forget(user) {
  if (stored()?.user === user) localStorage.removeItem(SESSION);
}

/**
 * A change without what only the page before could have finished.
 *
 * @param {import("../core/negotiation.js").Negotiation} change
 */
function forgotten(change) {
  return { ...change, wish: null, creating: false, offered: null, answering: null };
}

/** Of each conversation its end, and what still waits: the server has the rest. @param {State} state @returns {State} */
function brief(state) {
  const conversations = Object.fromEntries(Object.entries(state.conversations).map(([peer, known]) => {
    const texts = known.texts.filter(({ fate }, place) => fate === "waiting" || fate === "failed" || place === known.texts.length - 1);
    return [peer, { ...known, texts, before: null, isLoaded: false }];
  }));
  return { ...state, conversations };
}

/** This browser's device id: made once, and kept. */
export function device() {
  const known = localStorage.getItem(DEVICE) ?? uuid();
  localStorage.setItem(DEVICE, known);
  return known;
}

/** @typedef {{microphone?: string, speaker?: string, camera?: string}} Chosen */

/** The devices that were chosen in this browser. @returns {Chosen} */
export function keptDevices() {
  return JSON.parse(localStorage.getItem(CHOSEN) ?? "{}");
}

/** @param {Chosen} chosen */
export function keepDevices(chosen) {
  localStorage.setItem(CHOSEN, JSON.stringify(chosen));
}

/** Do calls go by the service's relay alone, so that nobody in them learns an address of this device? */
export const hidesAddress = () => localStorage.getItem(RELAYED) === "yes";

/** Is this browser woken for that user when no page is open? @param {string} user */
export const wakes = (user) => localStorage.getItem(WOKEN) === user;

/** @param {string | null} user */
export function wakesFor(user) {
  if (user) localStorage.setItem(WOKEN, user);
  else localStorage.removeItem(WOKEN);
}

/** @param {boolean} hides from the next call on */
export function hideAddress(hides) {
  localStorage.setItem(RELAYED, hides ? "yes" : "no");
}
