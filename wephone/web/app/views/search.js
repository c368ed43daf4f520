/** One box for people and numbers: what is typed says what a call to it would be, before anybody calls. */

import { html, useEffect, useState } from "../../vendor/preact.js";
import { Refused, ask } from "../../edge/http.js";
import { Avatar, Icon, Refusal, Round } from "../parts.js";
import { say, spoken } from "../words.js";

/** @typedef {{to: string, allowed: boolean, service: string, refusal: import("../../protocol.js").Refusal | null}} Prospect */

const PAUSE = 250; // ms without a key before the server is asked

/** A string of digits and separators is always a telephone number. @param {string} typed */
export const isNumber = (typed) => /^[+(]?[\d\s().\-/#*]+$/.test(typed) && /\d/.test(typed);

/** Could somebody be called this here? @param {string} typed */
export const isName = (typed) => /^[a-z][a-z0-9._-]{0,31}$/.test(typed);

/** A number as people write it, and its country's name, once its rules are loaded. @param {string} typed */
function useNumber(typed) {
  const [shown, setShown] = useState({ text: typed, country: "" });
  useEffect(() => {
    let isWanted = true;
    if (!isNumber(typed)) return undefined;
    void import("../../vendor/phone-numbers.js").then(({ AsYouType }) => {
      const formatter = new AsYouType();
      const text = formatter.input(typed);
      const code = formatter.getCountry();
      const country = code ? (new Intl.DisplayNames(spoken(), { type: "region" }).of(code) ?? "") : "";
      if (isWanted) setShown({ text, country });
    });
    return () => {
      isWanted = false;
    };
  }, [typed, spoken()]);
  return shown;
}

/** What would become of a call: undefined while it is asked. @param {string} typed */
function useProspect(typed) {
  const [found, setFound] = useState(/** @type {{typed: string, prospect?: Prospect, fault?: string} | undefined} */ (undefined));
  useEffect(() => {
    let isWanted = true;
    const timer = setTimeout(() => {
      ask("POST", "/api/calls/check", { to: typed, media: ["audio"] }).then(
        (prospect) => isWanted && setFound({ typed, prospect }),
        (error) => isWanted && setFound({ typed, fault: error instanceof Refused ? error.code : "unreachable server" }),
      );
    }, PAUSE);
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [typed]);
  return found?.typed === typed ? found : undefined;
}

/**
 * @param {{typed: string, phone: import("../phone.js").Phone, contacts: readonly {user: string, name: string}[],
 *   done: () => void, open: (peer: string) => void}} props
 */
export function Prospects({ typed, phone, contacts, done, open }) {
  const wanted = typed.trim();
  const lower = wanted.toLowerCase();
  const known = contacts.filter(({ user, name }) => user.includes(lower) || name.toLowerCase().includes(lower));
  return html`<div class="prospects">
    ${isNumber(wanted)
      ? html`<${NumberLine} typed=${wanted} phone=${phone} done=${done} />`
      : html`<${NameLine} typed=${lower} phone=${phone} done=${done} open=${open} />`}
    ${known.filter(({ user }) => user !== lower).map(({ user, name }) => html`<${Person} key=${user} user=${user} name=${name}
      call=${() => { phone.call(user); done(); }} write=${() => open(user)} />`)}
  </div>`;
}

/** @param {{typed: string, phone: import("../phone.js").Phone, done: () => void}} props */
function NumberLine({ typed, phone, done }) {
  const { text, country } = useNumber(typed);
  const found = useProspect(typed);
  const allowed = found?.prospect?.allowed ?? false;
  const kind = country ? say("telephone in", { country }) : say("telephone call");
  return html`<section class="prospect" aria-label=${text}>
    <div class="line"><${Avatar} name=${typed} /><div class="grow"><bdi class="name">${text}</bdi>
      <p class="hint">${found ? kind : say("checking")}</p></div>
      <${Round} icon="phone" label=${say("call")} kind="go" wordless=${true} disabled=${!allowed}
        onClick=${() => { phone.call(typed, ["audio"], true); done(); }} /></div>
    <div role="status">${found?.prospect?.refusal ? html`<${Refusal} refusal=${found.prospect.refusal} />` : null}
      ${found?.fault ? html`<p class="fault">${say(found.fault === "bad_address" ? "not a number" : "unreachable server")}</p>` : null}</div>
  </section>`;
}

/** @param {{typed: string, phone: import("../phone.js").Phone, done: () => void, open: (peer: string) => void}} props */
function NameLine({ typed, phone, done, open }) {
  if (!isName(typed)) return html`<p class="fault" role="status">${say("not a number")}</p>`;
  if (typed === phone.user) return html`<p class="hint" role="status">${say("yourself")}</p>`;
  return html`<${Person} user=${typed} name="" call=${() => { phone.call(typed); done(); }} write=${() => open(typed)} />`;
}

/**
 * @param {{user: string, name: string, call: () => void, write: () => void, isHere?: boolean, presence?: string,
 *   children?: unknown}} props
 */
export function Person({ user, name, call, write, isHere = false, presence = "", children }) {
  const shown = name || user;
  return html`<div class="line person">
    <span class=${isHere ? "here" : ""}><${Avatar} name=${shown} /></span>
    <div class="grow"><bdi class="name">${shown}</bdi><p class="hint">${name ? html`<bdi>${user}</bdi>` : say("app call")}
      ${presence ? html`<span class="presence"> · ${presence}</span>` : null}</p></div>
    ${children}
    <${Round} icon="message-circle" label=${`${say("message")}: ${shown}`} wordless=${true} onClick=${write} />
    <${Round} icon="phone" label=${`${say("call")}: ${shown}`} kind="go" wordless=${true} onClick=${call} />
  </div>`;
}

/** Digits for who would rather press than type. @param {{press: (key: string) => void, erase?: () => void}} props */
export function DialPad({ press, erase }) {
  return html`<div class="pad" role="group" aria-label=${say("dial pad")}>
    ${[..."123456789*0#"].map((key) => html`<button key=${key} type="button" onClick=${() => press(key)}>${key}</button>`)}
    <button type="button" onClick=${() => press("+")}>+</button>
    ${erase ? html`<button type="button" aria-label=${say("delete digit")} onClick=${erase}><${Icon} name="delete" /></button>` : null}
  </div>`;
}
