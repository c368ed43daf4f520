/**
 * What outlives a page: the session and what it showed, for the next page or another tab; what a person chose here.
 *
 * @typedef {import("./state.js").State} State
 * @typedef {import("./state.js").Text} Text
 * @typedef {import("../core/session.js").Session} Session
 */

import { uuid } from "../edge/uuid.js";

const SESSION = "wephone session"; // without any secret: that is the cookie, which no script reads
const UNSENT = "wephone unsent"; // and the user: what a session that ended by itself leaves to their next
const DEVICE = "wephone device";
const CHOSEN = "wephone devices";
const WOKEN = "wephone woken for";
const RELAYED = "wephone hide address";

/**
 * The session that the tab before has kept, and what it showed, if it was this user's; another's unsent texts are put aside.
 *
 * @param {string} user @returns {{session: Session, state: State} | null}
 */
export function kept(user) {
  try {
    const found = stored();
    if (found && found.user !== user) putAside(found.user, found.state);
    if (found?.user !== user) return null;
    const calls = found.session.calls.map((/** @type {import("../core/state.js").Call} */ call) => ({ ...call, change: forgotten(call.change) }));
    return { session: { ...found.session, calls, link: "down", failures: 0 }, state: found.state };
  } catch {
    return null; // another version of the app wrote it
  }
}

/** Whoever is signed in here, as far as this browser knows without asking. @returns {string | null} */
export function keptUser() {
  return stored()?.user ?? null;
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
  if (session.link === "over") return putAside(user, state);
  return localStorage.setItem(SESSION, JSON.stringify({ user, session, state: brief(state) }));
}

/** @param {string} user @param {State} state */
function putAside(user, state) {
  const texts = Object.values(state.conversations).flatMap((known) => known.texts.filter(isUnsent));
  if (texts.length) localStorage.setItem(`${UNSENT} ${user}`, JSON.stringify(texts));
  if (stored()?.user === user) localStorage.removeItem(SESSION);
}

/** What was written in a session that ended by itself, and has not got through. @param {string} user @returns {Text[]} */
export function unsent(user) {
  return JSON.parse(localStorage.getItem(`${UNSENT} ${user}`) ?? "[]");
}

/** It is the new session's now. @param {string} user */
export const takenUp = (user) => localStorage.removeItem(`${UNSENT} ${user}`);

/** Where a half-written text is kept, in this tab. @param {string} user @param {string} peer */
export const draftOf = (user, peer) => `wephone draft ${user} ${peer}`;

/** Signed out: nothing of this person stays behind; of somebody who has come since, it does. @param {string} user */
export function forget(user) {
  if (stored()?.user === user) localStorage.removeItem(SESSION);
  takenUp(user);
  for (const key of Object.keys(sessionStorage)) if (key.startsWith(draftOf(user, ""))) sessionStorage.removeItem(key);
}

/**
 * A change without what only the page before could have finished.
 *
 * @param {import("../core/negotiation.js").Negotiation} change
 */
function forgotten(change) {
  return { ...change, wish: null, creating: false, offered: null, answering: null };
}

/** @param {Text} text */
const isUnsent = ({ fate }) => fate === "waiting" || fate === "failed";

/** Of each conversation its end, and what still waits: the server has the rest. @param {State} state @returns {State} */
function brief(state) {
  const conversations = Object.fromEntries(Object.entries(state.conversations).map(([peer, known]) => {
    const texts = known.texts.filter((text, place) => isUnsent(text) || place === known.texts.length - 1);
    return [peer, { ...known, texts, before: null, listing: /** @type {const} */ ("asked") }];
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
