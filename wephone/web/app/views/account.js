/** The account itself: another password, a copy of what is stored, and the end of it. */

import { html, useState } from "../../vendor/preact.js";
import { ask } from "../../edge/http.js";
import { Field, Sheet } from "../parts.js";
import { say } from "../words.js";
import { faultInWords } from "./fault.js";

/** @param {{user: string, signOut: () => void}} props */
export function Account({ user, signOut }) {
  const [asked, setAsked] = useState(/** @type {"" | "password" | "close"} */ (""));
  const close = () => setAsked("");
  return html`<p>${say("signed in as", { name: user })}</p>
    <button type="button" class="quiet" onClick=${() => setAsked("password")}>${say("change password")}</button>
    <a class="quiet" href="/api/account/export" download>${say("export")}</a>
    <button type="button" class="quiet danger" onClick=${signOut}>${say("sign out")}</button>
    <button type="button" class="quiet danger" onClick=${() => setAsked("close")}>${say("close account")}</button>
    ${asked === "password" ? html`<${ChangePassword} close=${close} done=${signOut} />` : null}
    ${asked === "close" ? html`<${CloseAccount} close=${close} done=${signOut} />` : null}`;
}

/** Ask the server and say what it would not do. @param {() => void} done @returns {[string, (asked: Promise<unknown>) => void]} */
function useAnswer(done) {
  const [fault, setFault] = useState("");
  return [fault, (asked) => void asked.then(done, (error) => setFault(faultInWords(error)))];
}

/** @param {{close: () => void, done: () => void}} props */
function ChangePassword({ close, done }) {
  const [old, setOld] = useState("");
  const [wanted, setWanted] = useState("");
  const [fault, answered] = useAnswer(done);
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    answered(ask("POST", "/api/account/password", { password: old, new_password: wanted }));
  };
  return html`<${Sheet} title=${say("change password")} close=${close}><form onSubmit=${submit}>
    <p class="hint">${say("change password signs out")}</p>
    <${Field} id="old-password" label=${say("old password")} fault=${fault} value=${old} onInput=${setOld} type="password" autocomplete="current-password" />
    <${Field} id="new-password" label=${say("new password")} hint=${say("password hint")} value=${wanted} onInput=${setWanted} type="password"
      autocomplete="new-password" />
    <button class="main" disabled=${!old || !wanted}>${say("save")}</button></form></${Sheet}>`;
}

/** @param {{close: () => void, done: () => void}} props */
function CloseAccount({ close, done }) {
  const [password, setPassword] = useState("");
  const [fault, answered] = useAnswer(done);
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    answered(ask("DELETE", "/api/account", { password }));
  };
  return html`<${Sheet} title=${say("close account")} close=${close}><form onSubmit=${submit}>
    <p>${say("close account why")}</p>
    <${Field} id="old-password" label=${say("password")} fault=${fault} value=${password} onInput=${setPassword} type="password"
      autocomplete="current-password" />
    <button class="main danger" disabled=${!password}>${say("close account")}</button></form></${Sheet}>`;
}
