/** What is typed says what a call to it would be, before anybody calls. */

import { html, useEffect, useState } from "../../vendor/preact.js";
import { Refused, ask } from "../../edge/http.js";
import { Avatar, Icon, Refusal, Round } from "../parts.js";
import { say } from "../words.js";
import { isNumber, useNumber } from "./number.js";
import { Person, isName } from "./search.js";

/** @typedef {{to: string, allowed: boolean, service: string, refusal: import("../../protocol.js").Refusal | null}} Prospect */

const PAUSE = 250; // ms without a key before the server is asked

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
      : isName(lower) || !known.length ? html`<${NameLine} typed=${lower} phone=${phone} done=${done} open=${open} />` : null}
    ${known.filter(({ user }) => user !== lower).map(({ user, name }) => html`<${Person} key=${user} user=${user} name=${name}
      call=${() => { phone.call(user); done(); }} write=${() => open(user)} />`)}
  </div>`;
}

/** @param {{typed: string, phone: import("../phone.js").Phone, done: () => void}} props */
function NumberLine({ typed, phone, done }) {
  const found = useProspect(typed);
  const whole = found?.prospect && isNumber(found.prospect.to) ? found.prospect.to : typed; // as the server reads it
  const { text, country } = useNumber(whole);
  const allowed = found?.prospect?.allowed ?? false;
  const refusal = found?.prospect?.refusal;
  const next = refusal?.alternative ? html`<button type="button" class="quiet" onClick=${done}><${Icon} name="search" /> ${say("search people")}</button>`
    : whole.startsWith("+") ? null : html`<p>${say("number next")}</p>`;
  const kind = country ? say("telephone in", { country }) : say("telephone call");
  return html`<section class="prospect" aria-label=${text}>
    <div class="line"><${Avatar} name=${typed} /><div class="grow"><bdi class="name">${text}</bdi>
      <p class="hint">${found ? kind : say("checking")}</p></div>
      <${Round} icon="phone" label=${say("call")} kind="go" wordless=${true} disabled=${!allowed}
        onClick=${() => { phone.call(whole); done(); }} /></div>
    <div role="status">${refusal ? html`<${Refusal} refusal=${refusal}>${next}</${Refusal}>` : null}
      ${found?.fault ? html`<p class="fault">${say(found.fault === "bad_address" ? "not a number" : "unreachable server")}</p>` : null}</div>
  </section>`;
}

/** @param {{typed: string, phone: import("../phone.js").Phone, done: () => void, open: (peer: string) => void}} props */
function NameLine({ typed, phone, done, open }) {
  if (!isName(typed)) return html`<p class="fault" role="status">${say("not a number")}</p>`;
  if (typed === phone.user) return html`<p class="hint" role="status">${say("yourself")}</p>`;
  return html`<${Person} user=${typed} name="" call=${() => { phone.call(typed); done(); }} write=${() => open(typed)} />`;
}
