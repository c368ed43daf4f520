/** Handing a call over: the other side talks with somebody else instead. */

import { html, useState } from "../../vendor/preact.js";
import { nameOf } from "../names.js";
import { Field, Icon, Refusal } from "../parts.js";
import { endInWords, errorInWords, say, sentence } from "../words.js";
import { Called } from "./number.js";

/**
 * @typedef {import("../phone.js").Phone} Phone
 * @typedef {import("../state.js").Call} Call
 */

const MOST = 4; // people that are offered

/** To whom? People one knows are offered while one types. @param {{phone: Phone, call: Call, done: () => void}} props */
export function HandOver({ phone, call, done }) {
  const [typed, setTyped] = useState("");
  const wanted = typed.trim().toLowerCase();
  const hand = (/** @type {string} */ to) => {
    phone.handOver(call.id, to);
    done();
  };
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (wanted) hand(wanted);
  };
  const fits = Object.entries(phone.state.names)
    .filter(([user, name]) => user !== call.peer && (user.includes(wanted) || name.toLowerCase().includes(wanted))).slice(0, MOST);
  return html`<form class="sheet" onSubmit=${submit}>
    <${Field} id="transfer-to" label=${say("transfer to")} hint=${say("transfer why")} value=${typed} onInput=${setTyped} autofocus=${true} />
    ${fits.map(([user, name]) => html`<button key=${user} type="button" class="quiet" onClick=${() => hand(user)}><bdi>${name}</bdi></button>`)}
    <button class="main" disabled=${!wanted}>${say("transfer")}</button></form>`;
}

/** Two with whom one talks are to talk with each other. @param {{phone: Phone, call: Call, other: Call}} props */
export function Connect({ phone, call, other }) {
  const can = [call, other].every(({ stage, telephone }) => stage === "talking" && !telephone);
  if (!can) return null;
  const [one, two] = [nameOf(call.peer), nameOf(other.peer)];
  return html`<button type="button" class="pill" title=${say("connect them why", { one, two })} disabled=${call.handedTo !== null}
    onClick=${() => phone.connect(call, other)}><${Icon} name="phone-forwarded" /><span>${say("connect them")}${say("colon")}<bdi>${one}</bdi>${say("comma")}<bdi>${two}</bdi></span></button>`;
}

/** What becomes of it. @param {{call: Call}} props */
export function Handing({ call: { handedTo, handFault } }) {
  return html`<div role="status">
    ${handedTo ? html`<p class="pill"><${Icon} name="phone-forwarded" /><span>${say("transferring")} <${Called} name=${handedTo} /></span></p>` : null}
    ${handFault ? html`<div class="warning"><p>${say("not transferred")}</p><${Why} fault=${handFault} /></div>` : null}
  </div>`;
}

/** @param {{fault: import("../state.js").TransferFailed}} props */
function Why({ fault: { refusal, error, reason } }) {
  if (refusal) return html`<${Refusal} refusal=${refusal} />`;
  const words = error ? errorInWords(error) : reason ? endInWords(reason) : "";
  return words ? html`<p>${sentence(words)}</p>` : null;
}
