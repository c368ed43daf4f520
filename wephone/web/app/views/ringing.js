/** A call that comes in: over everything, in every tab; one of them rings. */

import { html, useEffect, useRef } from "../../vendor/preact.js";
import { bell, knock } from "../../edge/sounds.js";
import { nameOf } from "../names.js";
import { Avatar, Round } from "../parts.js";
import { say } from "../words.js";
import { Called } from "./number.js";

/**
 * @param {{phone: import("../phone.js").Phone, call: import("../state.js").Call, write: (peer: string) => void,
 *   answered: () => void}} props
 */
export function Ringing({ phone, call, write, answered }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const busy = phone.state.calls.find(({ stage, heldHere }) => stage === "talking" && !heldHere);
  useEffect(() => box.current?.focus(), [call.id]);
  useEffect(() => (phone.leads ? (busy ? knock : bell)() : undefined), [call.id]);
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
    ${call.forwardedBy ? html`<p>${say("forwarded by")}: <${Called} name=${call.forwardedBy} /></p>` : null}
    ${busy ? html`<p class="hint">${say("answer holds", { name: nameOf(busy.peer) })}</p>` : null}</div>
    <div class="controls">
      <${Round} icon="phone-off" label=${say("decline")} kind="stop" onClick=${() => phone.decline(call.id)} />
      ${call.telephone ? null : html`<${Round} icon="message-circle" label=${say("decline write")} onClick=${reply} />`}
      <${Round} icon=${isVideo ? "video" : "phone"} label=${say("answer")} kind="go" onClick=${answer} />
    </div>
  </div>`;
}
