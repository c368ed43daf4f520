/** A call that comes in: over everything, in every tab; one of them rings. */

import { html, useEffect, useRef } from "../../vendor/preact.js";
import { bell, knock } from "../../edge/sounds.js";
import { nameOf } from "../names.js";
import { Avatar, Round } from "../parts.js";
import { say } from "../words.js";
import { Called } from "./number.js";

/**
 * It gets the focus and rings, or knocks in a call that somebody talks in: the box for it, and that call.
 *
 * @param {import("../phone.js").Phone} phone @param {string} id
 */
function useAttention(phone, id) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const busy = phone.state.calls.find(({ stage, heldHere }) => stage === "talking" && !heldHere);
  useEffect(() => box.current?.focus(), [id]);
  useEffect(() => (phone.leads ? (busy ? knock : bell)() : undefined), [id]);
  return /** @type {const} */ ([box, busy]);
}

/**
 * @param {{phone: import("../phone.js").Phone, call: import("../state.js").Call, write: (peer: string) => void,
 *   answered: () => void}} props
 */
export function Ringing({ phone, call, write, answered }) {
  const [box, busy] = useAttention(phone, call.id);
  const answer = () => {
    phone.answer(call.id);
    answered();
  };
  const reply = () => {
    phone.decline(call.id, "busy");
    write(call.peer);
  };
  const isVideo = call.media.includes("video");
  return html`<div class="ringing" role="alertdialog" aria-modal="true" aria-labelledby="ringing-who" aria-describedby="ringing-what"
      tabindex="-1" ref=${box}>
    <div class="person"><${Avatar} name=${call.telephone ? call.peer : nameOf(call.peer)} large=${true} />
    <h1 id="ringing-who"><${Called} name=${call.peer} /></h1>
    <p id="ringing-what">${say("ringing")} · ${say(call.telephone ? "telephone call" : isVideo ? "video call" : "app call")}</p>
    ${call.forwardedBy ? html`<p>${say("forwarded by")}${say("colon")}<${Called} name=${call.forwardedBy} /></p>` : null}
    ${busy ? html`<p class="hint">${say("answer holds", { name: nameOf(busy.peer) })}</p>` : null}</div>
    <div class="controls">
      <${Round} icon="phone-off" label=${say("decline")} kind="stop" onClick=${() => phone.decline(call.id)} />
      ${call.telephone ? null : html`<${Round} icon="message-circle" label=${say("decline write")} onClick=${reply} />`}
      <${Round} icon=${isVideo ? "video" : "phone"} label=${say("answer")} kind="go" onClick=${answer} />
    </div>
  </div>`;
}

/**
 * A call that the account asks for by a click elsewhere: none is placed before the person says so here.
 *
 * @param {{phone: import("../phone.js").Phone, asked: import("../state.js").Asked, taken: () => void}} props
 */
export function Asked({ phone, asked: { call, to, media }, taken }) {
  const [box, busy] = useAttention(phone, call);
  const place = () => {
    phone.take(call);
    taken();
  };
  return html`<div class="ringing" role="alertdialog" aria-modal="true" aria-labelledby="asked-who" aria-describedby="asked-what"
      tabindex="-1" ref=${box}>
    <div class="person"><${Avatar} name=${nameOf(to)} large=${true} />
    <h1 id="asked-who"><${Called} name=${to} /></h1>
    <p id="asked-what">${say("asked to call")}</p>
    ${busy ? html`<p class="hint">${say("call holds", { name: nameOf(busy.peer) })}</p>` : null}</div>
    <div class="controls">
      <${Round} icon="x" label=${say("not now")} onClick=${() => phone.notNow(call)} />
      <${Round} icon=${media.includes("video") ? "video" : "phone"} label=${say("call")} kind="go" onClick=${place} />
    </div>
  </div>`;
}
