/** What this person calls people: their own name for somebody whom they have added, else the user's. */

import { say } from "./first-words.js";

/** @type {Readonly<Record<string, string>>} */
let names = {};

/** @param {Readonly<Record<string, string>>} known by user */
export function callThem(known) {
  names = known;
}

/** @param {string} peer */
export const nameOf = (peer) => names[peer] ?? (peer === "(withheld)" ? say("withheld") : peer);
