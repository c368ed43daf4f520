/** Signing in, signing up, and choosing a password that was given for one use. */

import { html, useState } from "../../vendor/preact.js";
import { Refused, ask } from "../../edge/http.js";
import { Field } from "../parts.js";
import { say } from "../words.js";
import { faultInWords } from "./fault.js";
import { thisDevice } from "./this.js";

/** The code in an invitation's link: `#invitation=CODE`, or behind a place's name and a `?`. */
function invited() {
  return new URLSearchParams(location.hash.slice(1).replace(/^[^?]*\?/, "")).get("invitation") ?? "";
}

/** @param {{entered: (name: string) => void}} props */
export function Door({ entered }) {
  const [invitation] = useState(invited);
  const [isNew, setNew] = useState(invitation !== "");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState(invitation);
  const [needsCode, setNeedsCode] = useState(invitation !== "");
  const [fault, setFault] = useState(/** @type {{field: string | null, text: string} | null} */ (null));
  const [busy, setBusy] = useState(false);
  const [once, setOnce] = useState(/** @type {string | null} */ (null));

  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setFault(null);
    try {
      if (isNew) await ask("POST", "/api/account", { name, password, ...(code ? { invitation: code } : {}) });
      if (isNew && invitation) history.replaceState(null, "", location.pathname); // it holds for one account
      const session = await ask("POST", "/api/session", { name, password, label: thisDevice(), kind: "browser" });
      if (session.password_change_required) setOnce(password);
      else entered(session.name);
    } catch (error) {
      const isClosed = error instanceof Refused && error.code === "registration_closed";
      if (isClosed) setNeedsCode(true);
      const field = error instanceof Refused ? error.field : null;
      setFault({ field, text: isClosed ? say("closed") : faultInWords(error) });
    } finally {
      setBusy(false);
    }
  };

  if (once !== null) return html`<${NewPassword} name=${name} old=${once} entered=${entered} />`;
  const faultOf = (/** @type {string} */ field) => (fault?.field === field ? fault.text : "");
  const isElsewhere = fault && !["name", "password", "invitation"].includes(fault.field ?? "");
  return html`<main class="door">
    <form onSubmit=${submit} aria-labelledby="door-title">
      <h1 id="door-title"><img src="/web/icons/icon.svg" alt="" width="40" height="40" /> WePhone</h1>
      <p class="hint">${say("welcome")}</p>
      <${Field} id="name" label=${say("name")} hint=${isNew ? say("name hint") : ""} fault=${faultOf("name")} value=${name}
        onInput=${(/** @type {string} */ value) => setName(value.trim().toLowerCase())} autocomplete="username" autofocus=${true} />
      <${Field} id="password" label=${say("password")} hint=${isNew ? say("password hint") : ""} fault=${faultOf("password")}
        value=${password} onInput=${setPassword} type="password" autocomplete=${isNew ? "new-password" : "current-password"} />
      ${isNew && needsCode ? html`<${Field} id="invitation" label=${say("invitation")} fault=${faultOf("invitation")}
        value=${code} onInput=${(/** @type {string} */ value) => setCode(value.trim())} />` : null}
      <p role="alert" class="fault">${isElsewhere ? fault.text : ""}</p>
      <button class="main" disabled=${busy || !name || !password}>${busy ? say("signing in") : say(isNew ? "sign up" : "sign in")}</button>
      <button type="button" class="plain" onClick=${() => { setNew(!isNew); setFault(null); }}>
        ${say(isNew ? "have account" : "no account")}</button>
    </form>
  </main>`;
}

/** @param {{name: string, old: string, entered: (name: string) => void}} props */
function NewPassword({ name, old, entered }) {
  const [password, setPassword] = useState("");
  const [fault, setFault] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setBusy(true);
    try {
      await ask("POST", "/api/account/password", { password: old, new_password: password });
      const session = await ask("POST", "/api/session", { name, password, label: thisDevice(), kind: "browser" });
      entered(session.name);
    } catch (error) {
      setFault(faultInWords(error));
      setBusy(false);
    }
  };
  return html`<main class="door"><form onSubmit=${submit} aria-labelledby="door-title">
    <h1 id="door-title">${say("change password first")}</h1>
    <p class="hint">${say("change password why")}</p>
    <${Field} id="new-password" label=${say("new password")} hint=${say("password hint")} fault=${fault} value=${password}
      onInput=${setPassword} type="password" autocomplete="new-password" autofocus=${true} />
    <button class="main" disabled=${busy || !password}>${say("save")}</button>
  </form></main>`;
}
