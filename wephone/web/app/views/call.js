/** The call screen: the person large, one line of what is true, and what can be done. */

import { html, useEffect, useRef, useState } from "../../vendor/preact.js";
import { hush, play, ringback } from "../../edge/sounds.js";
import { Avatar, Icon, Refusal, Round, useNow } from "../parts.js";
import { endInWords, errorInWords, lasting, say } from "../words.js";
import { Devices } from "./devices.js";
import { DialPad } from "./search.js";

/**
 * @typedef {import("../phone.js").Phone} Phone
 * @typedef {import("../state.js").Call} Call
 */

/** One line, and only what is so. @param {Call} call @param {number} now */
function line(call, now) {
  const name = call.peer;
  if (call.stage === "ended") return ended(call, now);
  if (call.heldThere) return say("on hold there", { name });
  if (call.heldHere) return say("on hold here");
  if (call.stage === "talking") return lasting(now - (call.since ?? now));
  return say(call.stage, { name });
}

/** @param {Call} call @param {number} now */
function ended(call, now) {
  const how = call.ended;
  if (how?.forged) return say("forged");
  const fault = /^microphone: (\w+)$/.exec(how?.fault ?? "");
  if (fault) return say(`microphone ${fault[1]}`);
  if (how?.error) return errorInWords(how.error);
  if (how && how.reason !== "hangup" && how.reason !== "cancelled") return endInWords(how.reason);
  return call.since ? say("call ended after", { time: lasting(now - call.since) }) : say("call ended");
}

/** @param {{phone: Phone, call: Call, hide: () => void, write: (peer: string) => void}} props */
export function CallScreen({ phone, call, hide, write }) {
  const now = useNow(call.stage === "talking" || call.ending !== null);
  const [endedAt] = useState({ at: 0 });
  if (call.stage === "ended" && !endedAt.at) endedAt.at = Date.now();
  const dialog = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => dialog.current?.focus(), [call.id]);
  useEffect(() => (call.stage === "alerting" && phone.leads ? ringback() : undefined), [call.stage]);
  useEffect(() => {
    if (call.stage !== "ended" || call.ended?.refusal) return undefined;
    const timer = setTimeout(() => phone.dismiss(call.id), 4000);
    return () => clearTimeout(timer);
  }, [call.stage]);
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape") return call.stage === "ended" ? phone.dismiss(call.id) : hide();
    return undefined;
  };
  const isVideo = call.camera || call.farVideo;
  return html`<div class=${`stage ${isVideo ? "video" : ""}`} role="dialog" aria-modal="true" aria-label=${call.peer} tabindex="-1"
      ref=${dialog} onKeyDown=${onKeyDown}>
    ${call.stage === "ended" ? null : html`<header><button type="button" class="plain" onClick=${hide}>
      <${Icon} name="arrow-left" /> ${say("hide")}</button><${Bars} call=${call} /></header>`}
    <div class="person">
      ${isVideo && phone.leads ? html`<${Videos} phone=${phone} call=${call} />` : html`<${Avatar} name=${call.peer} large=${true} />`}
      <h1><bdi>${call.peer}</bdi></h1>
      <p class="state" role="status" aria-live="polite">${line(call, call.stage === "ended" ? endedAt.at : now)}</p>
      <${Notices} phone=${phone} call=${call} now=${now} />
    </div>
    ${call.stage === "ended" ? html`<${Afterwards} phone=${phone} call=${call} write=${write} />` : html`<${Controls} phone=${phone} call=${call} />`}
  </div>`;
}

/** What has to be said beside the state. @param {{phone: Phone, call: Call, now: number}} props */
function Notices({ phone, call, now }) {
  const talks = call.stage === "talking" || call.stage === "connecting" || call.stage === "reconnecting";
  return html`<div class="notices">
    ${call.ended?.refusal ? html`<${Refusal} refusal=${call.ended.refusal} />` : null}
    ${call.ending ? html`<div role="alert" class="warning"><b>${say("ending in", { seconds: Math.max(0, Math.ceil((call.ending.until - now) / 1000)) })}</b>
      <${Refusal} refusal=${call.ending.refusal} /></div>` : null}
    ${call.declinedChange ? html`<div role="alert" class="warning">${call.declinedChange === true
      ? say("change declined") : html`<${Refusal} refusal=${call.declinedChange} />`}</div>` : null}
    ${talks && !phone.leads ? html`<p>${say("another tab")}</p>` : null}
    ${talks ? html`<${Safety} call=${call} />` : null}
    ${call.muted && talks ? html`<p class="pill"><${Icon} name="mic-off" /> ${say(call.talksMuted ? "talking while muted" : "muted")}</p>` : null}
    ${call.cameraFault ? html`<p role="alert" class="warning">${say(`camera ${call.cameraFault}`)}</p>` : null}
  </div>`;
}

/** @param {{call: Call}} props */
function Safety({ call }) {
  if (call.telephone) return html`<p class="small"><${Icon} name="phone" /> ${say("not end to end")}</p>`;
  if (call.isCodeStale) return html`<p class="small">${say("safety code stale")}</p>`;
  if (!call.code) return null;
  return html`<details class="small"><summary><${Icon} name="shield-check" /> ${say("end to end")}</summary>
    <p>${say("safety code")}: <b class="digits">${call.code}</b></p><p>${say("safety code why", { name: call.peer })}</p></details>`;
}

/** @param {{call: Call}} props */
function Bars({ call }) {
  if (!call.quality || call.stage !== "talking") return null;
  const { bars, cause } = call.quality;
  const words = [say(`quality ${bars}`), say(`cause ${cause}`)].filter(Boolean).join(": ");
  return html`<span class=${`bars b${bars}`} role="img" aria-label=${words} title=${words}><i></i><i></i><i></i>
    ${bars < 3 || cause === "muted" ? html`<span>${say(`cause ${cause}`)}</span>` : null}</span>`;
}

/** @param {{phone: Phone, call: Call}} props */
function Controls({ phone, call }) {
  const [panel, setPanel] = useState(/** @type {"" | "pad" | "devices"} */ (""));
  const isUp = call.stage === "talking" || call.stage === "connecting" || call.stage === "reconnecting";
  const toggle = (/** @type {"pad" | "devices"} */ which) => setPanel(panel === which ? "" : which);
  return html`<footer>
    ${panel === "pad" ? html`<${DialPad} press=${() => {}} />` : null}
    ${panel === "devices" ? html`<div class="sheet"><${Devices} phone=${phone} /></div>` : null}
    <div class="controls" role="group">
      <${Round} icon=${call.muted ? "mic-off" : "mic"} label=${say(call.muted ? "unmute" : "mute")} pressed=${call.muted}
        onClick=${() => phone.mute(call.id, !call.muted)} />
      ${call.telephone ? html`<${Round} icon="grid-3x3" label=${say("keypad")} pressed=${panel === "pad"} onClick=${() => toggle("pad")} />` : null}
      <${Round} icon=${call.heldHere ? "play" : "pause"} label=${say(call.heldHere ? "resume" : "hold")} pressed=${call.heldHere}
        disabled=${!isUp} onClick=${() => phone.hold(call.id, !call.heldHere)} />
      ${call.telephone ? null : html`<${Round} icon=${call.camera ? "video-off" : "video"} label=${say(call.camera ? "video off" : "video on")}
        pressed=${call.camera} disabled=${!isUp} onClick=${() => phone.video(call.id, !call.camera)} />`}
      <${Round} icon="headphones" label=${say("devices")} pressed=${panel === "devices"} onClick=${() => toggle("devices")} />
      <${Round} icon="phone-off" label=${say("hang up")} kind="stop" onClick=${() => phone.hangUp(call.id)} />
    </div></footer>`;
}

/** @param {{phone: Phone, call: Call, write: (peer: string) => void}} props */
function Afterwards({ phone, call, write }) {
  const again = () => {
    phone.dismiss(call.id);
    phone.call(call.peer, ["audio"], call.telephone);
  };
  return html`<footer><div class="controls">
    <${Round} icon="x" label=${say("close")} onClick=${() => phone.dismiss(call.id)} />
    ${call.telephone ? null : html`<${Round} icon="message-circle" label=${say("message")} onClick=${() => { phone.dismiss(call.id); write(call.peer); }} />`}
    ${call.ended?.refusal ? null : html`<${Round} icon="phone" label=${say("call again")} kind="go" onClick=${again} />`}
  </div></footer>`;
}

/** @param {{phone: Phone, call: Call}} props */
function Videos({ phone, call }) {
  const far = useRef(/** @type {HTMLVideoElement | null} */ (null));
  const near = useRef(/** @type {HTMLVideoElement | null} */ (null));
  const { remote, local } = phone.shownStreams(call.id);
  useEffect(() => {
    if (far.current && far.current.srcObject !== remote) far.current.srcObject = remote;
    if (near.current && near.current.srcObject !== local) near.current.srcObject = local;
  });
  return html`<video class="far" ref=${far} autoplay playsinline muted></video>
    <video class="near" ref=${near} hidden=${!call.camera} autoplay playsinline muted></video>`;
}

/** The other side's voice: in the tab that has the call, whatever it shows. @param {{phone: Phone}} props */
export function Voices({ phone }) {
  const calls = phone.state.calls.filter(({ stage }) => stage !== "ended" && stage !== "ringing").map(({ id }) => id);
  useEffect(() => {
    for (const id of calls) {
      const { remote } = phone.shownStreams(id);
      if (remote) play(id, remote);
    }
  });
  useEffect(() => () => calls.forEach(hush), [calls.join()]);
  return null;
}
