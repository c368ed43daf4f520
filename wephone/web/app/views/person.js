/** What can be done about a person beside calling and writing: another name for them, video, blocking, forgetting. */

import { html, useState } from "../../vendor/preact.js";
import { ask } from "../../edge/http.js";
import { Field, Icon, Sheet, useLoaded } from "../parts.js";
import { say } from "../words.js";
import { faultInWords } from "./fault.js";

/**
 * `name` is what a contact is called here, "" for somebody who is none; `changed` is told when it is another.
 *
 * @param {{user: string, name: string, phone: import("../phone.js").Phone, close: () => void, changed?: () => void}} props
 */
export function PersonSheet({ user, name, phone, close, changed }) {
  const [wanted, setWanted] = useState(name);
  const [fault, setFault] = useState("");
  const [blocked, again] = useLoaded(async () => /** @type {string[]} */ ((await ask("GET", "/api/blocked")).blocked), []);
  const isBlocked = blocked?.includes(user) ?? false;
  const path = `/api/contacts/${encodeURIComponent(user)}`;
  const change = (/** @type {Promise<unknown>} */ done) => done.then(() => {
    changed?.();
    close();
  }, (error) => setFault(faultInWords(error)));
  const rename = (/** @type {Event} */ event) => {
    event.preventDefault();
    void change(ask("PUT", path, { name: wanted.trim() }));
  };
  const block = () => ask(isBlocked ? "DELETE" : "PUT", `/api/blocked/${encodeURIComponent(user)}`)
    .then(again, (error) => setFault(faultInWords(error)));
  const call = () => {
    close();
    phone.call(user, ["audio", "video"]);
  };
  return html`<${Sheet} title=${name || user} close=${close}>
    <form onSubmit=${rename}><${Field} id="shown-name" label=${say("shown name")} hint=${user} fault=${fault} value=${wanted} onInput=${setWanted} />
      <button class="main" disabled=${!wanted.trim() || wanted.trim() === name}>${say(name ? "save" : "add")}</button></form>
    <button type="button" class="quiet" onClick=${call}><${Icon} name="video" /> ${say("video call")}</button>
    ${name ? html`<button type="button" class="quiet" onClick=${() => change(ask("DELETE", path))}><${Icon} name="trash-2" /> ${say("remove")}</button>` : null}
    ${blocked === null ? html`<p role="status" class="fault">${say("not loaded")}</p>
      <button type="button" class="quiet" onClick=${again}>${say("retry")}</button>` : null}
    <button type="button" class="quiet danger" disabled=${!blocked} onClick=${block}><${Icon} name="user-x" /> ${say(isBlocked ? "unblock" : "block person")}</button>
    <p class="hint">${say("block why")}</p></${Sheet}>`;
}
