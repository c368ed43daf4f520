/** Where calls go on to that their owner does not take. */

import { html, useState } from "../../vendor/preact.js";
import { Refused, ask } from "../../edge/http.js";
import { Field, NotLoaded, Sheet, Waiting, useLoaded } from "../parts.js";
import { say } from "../words.js";
import { faultInWords } from "./fault.js";
import { Called } from "./number.js";

/** @typedef {{always: string | null, busy: string | null, no_answer: string | null, after: number}} Rules */

const PATH = "/api/account/forwarding";
const CASES = /** @type {const} */ (["always", "busy", "no_answer"]);
const [LEAST, MOST] = [5, 60]; // seconds

/** The rules in words, and a way to change them. */
export function Forwarding() {
  const [rules, again] = useLoaded(() => /** @type {Promise<Rules>} */ (ask("GET", PATH)), []);
  const [isOpen, setOpen] = useState(false);
  if (rules === undefined) return html`<${Waiting} />`;
  if (rules === null) return html`<${NotLoaded} again=${again} />`;
  const set = CASES.filter((each) => rules[each]);
  return html`
    ${set.length ? set.map((each) => html`<p key=${each}>${say(`forward ${each}`)}${say("colon")}<${Called} name=${String(rules[each])} /></p>`)
      : html`<p class="hint">${say("forwarding none")}</p>`}
    <button type="button" class="quiet" onClick=${() => setOpen(true)}>${say("change")}</button>
    ${isOpen ? html`<${Change} rules=${rules} close=${() => setOpen(false)} changed=${again} />` : null}`;
}

/** @param {{rules: Rules, close: () => void, changed: () => void}} props */
function Change({ rules, close, changed }) {
  const [wanted, setWanted] = useState(rules);
  const [fault, setFault] = useState({ field: "", text: "" });
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    const filled = CASES.map((each) => [each, wanted[each]?.trim() || null]);
    ask("PUT", PATH, { ...Object.fromEntries(filled), after: wanted.after }).then(() => {
      changed();
      close();
    }, (error) => setFault({ field: (error instanceof Refused && error.field) || "always", text: faultInWords(error) }));
  };
  return html`<${Sheet} title=${say("forwarding")} close=${close}><form onSubmit=${submit}>
    ${CASES.map((each) => html`<${Field} key=${each} id=${`forward-${each}`} label=${say(`forward ${each}`)} value=${wanted[each] ?? ""}
      hint=${each === "always" ? say("forwarding hint") : ""} fault=${fault.field === each ? fault.text : ""}
      onInput=${(/** @type {string} */ value) => setWanted({ ...wanted, [each]: value })} />`)}
    <label class="row"><span>${say("forward after")}</span><input type="number" min=${LEAST} max=${MOST} required value=${wanted.after}
      onInput=${(/** @type {any} */ event) => setWanted({ ...wanted, after: event.target.valueAsNumber })} /></label>
    <p class="hint">${say("forwarding why")}</p>
    <button class="main">${say("save")}</button></form></${Sheet}>`;
}
