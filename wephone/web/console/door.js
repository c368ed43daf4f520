/** Who looks: signing in, at the start or in the middle of something, and a password that was for one use. */

import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { ask } from "../edge/http.js";
import { Field, Sheet } from "../app/parts.js";
import { thisDevice } from "../app/views/this.js";
import { Said, faultIn } from "./parts.js";
import { say } from "./words.js";

/**
 * Signs in; a password for one use is changed at once.
 *
 * @param {{entered: () => void, name?: string, refused?: string}} props
 */
function SignIn({ entered, name: known = "", refused = "" }) {
  const [name, setName] = useState(known);
  const [password, setPassword] = useState("");
  const [old, setOld] = useState(/** @type {string | null} */ (null));
  const [fault, setFault] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setFault("");
    try {
      if (old !== null) await ask("POST", "/api/account/password", { password: old, new_password: password });
      const session = await ask("POST", "/api/session", { name, password, label: thisDevice(), kind: "browser" });
      if (session.password_change_required) {
        setOld(password);
        setPassword("");
      } else entered();
    } catch (error) {
      setFault(faultIn(error));
    } finally {
      setBusy(false);
    }
  };
  return html`<form onSubmit=${submit} aria-labelledby="door-title">
    <h1 id="door-title"><img src="/web/icons/icon.svg" alt="" width="40" height="40" /> WePhone</h1>
    <p class="hint">${say(old === null ? "console" : "change password why")}</p>
    ${old === null
      ? html`<${Field} id="name" label=${say("name")} value=${name} autofocus=${!known}
          onInput=${(/** @type {string} */ value) => setName(value.trim().toLowerCase())} autocomplete="username" />`
      : null}
    <${Field} key=${old === null ? "now" : "new"} id="password" label=${say(old === null ? "password" : "new password")} hint=${old === null ? "" : say("password hint")}
      value=${password} onInput=${setPassword} type="password" autofocus=${Boolean(known) || old !== null}
      autocomplete=${old === null ? "current-password" : "new-password"} />
    <${Said} text=${fault || refused} />
    <button class="main" disabled=${busy || !name || !password}>${say(busy ? "signing in" : old === null ? "sign in" : "save")}</button>
  </form>`;
}

/** Before anybody is signed in. @param {{entered: () => void, fault: string}} props `fault`: of whoever just tried */
export function Door({ entered, fault }) {
  return html`<main class="door"><${SignIn} entered=${entered} refused=${fault} /></main>`;
}

/** Over whatever somebody was doing, which stays as it is. @param {{name: string, entered: () => void, leave: () => void}} props */
export function Again({ name, entered, leave }) {
  const inside = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => void /** @type {HTMLElement | null} */ (inside.current?.querySelector("#password"))?.focus(), []);
  return html`<${Sheet} title=${say("session over")} close=${leave}>
    <p>${say("session over why")}</p>
    <div class="again" ref=${inside}><${SignIn} entered=${entered} name=${name} /></div></${Sheet}>`;
}
