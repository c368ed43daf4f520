/** The keys of a telephone during a call: for the menus of machines. */

import { html, useState } from "../../vendor/preact.js";
import { keyTone } from "../../edge/sounds.js";
import { say } from "../words.js";
import { DialPad } from "./search.js";

/** A key of a telephone, on a keyboard too. @param {KeyboardEvent} event */
export const isKey = ({ key, ctrlKey, metaKey, altKey, target }) =>
  /^[0-9*#]$/.test(key) && !ctrlKey && !metaKey && !altKey && !(target instanceof HTMLSelectElement);

/**
 * What was pressed in this call, and how to press more; it sounds here as well.
 *
 * @param {import("../phone.js").Phone} phone @param {string} call @returns {[string, (key: string) => void]}
 */
export function useKeys(phone, call) {
  const [pressed, setPressed] = useState("");
  return [pressed, (key) => {
    setPressed((before) => before + key);
    keyTone(key);
    phone.press(call, key);
  }];
}

/** @param {{pressed: string, press: (key: string) => void}} props */
export function Keypad({ pressed, press }) {
  return html`<div class="sheet"><output class="digits" aria-label=${say("keys pressed")}>${pressed}</output><${DialPad} press=${press} /></div>`;
}
