/** Calls that were, newest first; missed ones until they have been seen. */

import { html, useEffect, useState } from "../../vendor/preact.js";
import { ask } from "../../edge/http.js";
import { Avatar, Blank, Icon, NotLoaded, Round, Waiting } from "../parts.js";
import { dayOf, endInWords, lasting, say } from "../words.js";
import { nameOf } from "../names.js";
import { isTelephone } from "../state.js";
import { Called, isHidden } from "./number.js";

/**
 * @typedef {{call: string, caller: string, callee: string, media: string[], offered_at: number,
 *   answered_at: number | null, ended_at: number | null, reason: string | null, missed: boolean}} PastCall
 */

const PAGE = 50;

/** @param {{phone: import("../phone.js").Phone, open: (peer: string) => void}} props */
export function Calls({ phone, open }) {
  const [past, setPast] = useState(/** @type {PastCall[] | null | undefined} */ (undefined));
  const [before, setBefore] = useState(/** @type {number | null} */ (null));
  const load = async (/** @type {number | null} */ from) => {
    try {
      const page = await ask("GET", `/api/history/calls?limit=${PAGE}${from ? `&before=${from}` : ""}`);
      setPast((known) => [...(from ? (known ?? []) : []), ...page.calls]);
      setBefore(page.before ?? null);
    } catch {
      setPast((known) => known ?? null);
    }
  };
  const running = phone.state.calls.filter(({ stage }) => stage !== "ended").length;
  useEffect(() => {
    void load(null);
    phone.missedSeen();
  }, [running, phone.state.missed.length]);

  return html`<section class="place" aria-labelledby="calls"><h1 id="calls">${say("calls")}</h1>
    ${past === undefined ? html`<${Waiting} />` : null}
    ${past === null ? html`<${NotLoaded} again=${() => load(null)} />` : null}
    ${past && !past.length ? html`<${Blank} icon="phone" title=${say("no calls")} text=${say("no calls next")} />` : null}
    ${past?.length ? html`<ul class="list">${past.map((call) => html`<li key=${call.call}><${Past} call=${call} phone=${phone} open=${open} /></li>`)}</ul>` : null}
    ${before ? html`<button type="button" class="quiet" onClick=${() => load(before)}>${say("more")}</button>` : null}
  </section>`;
}

/** @param {{call: PastCall, phone: import("../phone.js").Phone, open: (peer: string) => void}} props */
function Past({ call, phone, open }) {
  const isMine = call.caller === phone.user;
  const peer = isMine ? call.callee : call.caller;
  const isPhone = isTelephone(peer);
  const kind = call.missed ? "missed" : isMine ? "outgoing" : "incoming";
  const icon = call.missed ? "phone-missed" : isMine ? "phone-outgoing" : "phone-incoming";
  const how = call.answered_at && call.ended_at
    ? lasting((call.ended_at - call.answered_at) / 1000)
    : call.reason && call.reason !== "hangup" && !call.missed ? endInWords(call.reason) : "";
  return html`<div class="line">
    <${Avatar} name=${isPhone ? peer : nameOf(peer)} />
    <div class="grow"><span class=${`name ${call.missed ? "bad" : ""}`}><${Called} name=${peer} /></span>
      <p class="hint"><${Icon} name=${icon} /> ${say(kind)}${how ? ` · ${how}` : ""} · <time>${dayOf(call.offered_at)}</time></p></div>
    ${isPhone ? null : html`<${Round} icon="message-circle" label=${`${say("message")}${say("colon")}${nameOf(peer)}`} wordless=${true} onClick=${() => open(peer)} />`}
    ${isHidden(peer) ? null : html`<${Round} icon="phone" label=${`${say("call again")}${say("colon")}${nameOf(peer)}`} kind="go" wordless=${true}
      onClick=${() => phone.call(peer)} />`}
  </div>`;
}
