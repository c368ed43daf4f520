/** People in a list, and the keys of a telephone. */

import { html } from "../../vendor/preact.js";
import { Avatar, Icon, Round } from "../parts.js";
import { say } from "../first-words.js";

/** Could somebody be called this here? @param {string} typed */
export const isName = (typed) => /^[a-z][a-z0-9._-]{0,31}$/.test(typed);

/**
 * @param {{user: string, name: string, call: () => void, write: () => void, isHere?: boolean, presence?: string,
 *   children?: unknown}} props
 */
export function Person({ user, name, call, write, isHere = false, presence = "", children }) {
  const shown = name || user;
  return html`<div class="line person">
    <span class=${isHere ? "here" : ""}><${Avatar} name=${shown} /></span>
    <div class="grow"><bdi class="name">${shown}</bdi><p class="hint">${name ? html`<bdi class=${presence ? "known" : ""}>${user}</bdi>` : say("app call")}
      ${presence ? html`<span class="presence"><span class="known"> · </span>${presence}</span>` : null}</p></div>
    ${children}
    <${Round} icon="message-circle" label=${`${say("message")}${say("colon")}${shown}`} wordless=${true} onClick=${write} />
    <${Round} icon="phone" label=${`${say("call")}${say("colon")}${shown}`} kind="go" wordless=${true} onClick=${call} />
  </div>`;
}

/** Digits for who would rather press than type. @param {{press: (key: string) => void, erase?: () => void}} props */
export function DialPad({ press, erase }) {
  return html`<div class="pad" role="group" aria-label=${say("dial pad")}>
    ${[..."123456789*0#"].map((key) => html`<button key=${key} type="button" onClick=${() => press(key)}>${key}</button>`)}
    ${erase ? html`<button type="button" onClick=${() => press("+")}>+</button>
      <button type="button" aria-label=${say("delete digit")} onClick=${erase}><${Icon} name="delete" /></button>` : null}
  </div>`;
}
