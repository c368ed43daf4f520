/** The call screen: the person large, one line of what is true, and what can be done. */

import { html, useEffect, useRef, useState } from "../../vendor/preact.js";
import { ask } from "../../edge/http.js";
import { hushBut, play, ringback } from "../../edge/sounds.js";
import { keptDevices } from "../kept.js";
import { nameOf } from "../names.js";
import { Avatar, Icon, Refusal, Round, useNow } from "../parts.js";
import { endInWords, errorInWords, lasting, say, sentence } from "../words.js";
import { Devices } from "./devices.js";
import { Keypad, isKey, useKeys } from "./keypad.js";
import { Called, isHidden } from "./number.js";
import { Connect, HandOver, Handing } from "./transfer.js";

/**
 * @typedef {import("../phone.js").Phone} Phone
 * @typedef {import("../state.js").Call} Call
 */

/** One line, and only what is so. @param {Call} call @param {number} now */
function line(call, now) {
  const name = nameOf(call.peer);
  if (call.stage === "ended") return ended(call, now);
  if (call.refusal) return sentence(endInWords("refused"));
  if (call.heldThere) return say("on hold there", { name });
  if (call.heldHere) return say("on hold here");
  return say(call.stage, { name });
}

/** Does the line give way to the time? A screen reader is told once that they talk, not every second. @param {Call} call */
const isTimed = (call) => call.stage === "talking" && !call.heldHere && !call.heldThere;

const SHORT = 4_000; // ms in which to see that it is over
const SILENCE = 1_000; // ms for the telephone network to be heard in, where it said that it would be
const GLANCE = 1_500; // ms, where another call waits
const UNANSWERED = ["cancelled", "no_answer", "server_restarted"];
const SELF_EVIDENT = ["hangup", "cancelled", "transferred", "answered_elsewhere", "declined_elsewhere"];

/** It rang here until nobody waited any longer. @param {Call} call */
const isMissed = ({ role, since, ended: how }) => role === "callee" && since === null && UNANSWERED.includes(how?.reason ?? "");

/**
 * How long the end is shown, in ms; null until it is closed, where it says something to act upon.
 *
 * @param {Call} call
 */
function lingers(call) {
  const { ended: how, role, since } = call;
  if (!how || isMissed(call) || how.refusal || how.fault || how.error || how.forged) return null;
  if (role === "callee" && since === null && ["declined", "busy"].includes(how.reason)) return 0; // the person did it
  return SELF_EVIDENT.includes(how.reason) ? SHORT : null;
}

/** @param {Call} call @param {number} now */
function ended(call, now) {
  const how = call.ended;
  if (isMissed(call)) return say("missed call");
  if (how?.forged) return say("forged");
  const fault = /^microphone: (\w+)$/.exec(how?.fault ?? "");
  if (fault) return say(`microphone ${fault[1]}`);
  if (how?.fault === "no relay") return say("no relay");
  if (how?.error) return sentence(errorInWords(how.error));
  if (how && how.reason !== "hangup" && how.reason !== "cancelled") return sentence(endInWords(how.reason));
  return call.since ? say("call ended after", { time: lasting(now - call.since) }) : say("call ended");
}

/**
 * `under`: another call rings over this one.
 *
 * @param {{phone: Phone, call: Call, hide: () => void, write: (peer: string) => void, under: boolean}} props
 */
export function CallScreen({ phone, call, hide, write, under }) {
  const now = useNow(call.stage === "talking" || call.ending !== null);
  const keys = useKeys(phone, call.id);
  const [endedAt] = useState({ at: 0 });
  if (call.stage === "ended" && !endedAt.at) endedAt.at = Date.now();
  const dialog = useRef(/** @type {HTMLElement | null} */ (null));
  const others = phone.state.calls.filter(({ id, stage }) => id !== call.id && stage !== "ended" && stage !== "ringing");
  useEffect(() => dialog.current?.focus(), [call.id]);
  useRingback(call, phone.leads);
  useEffect(() => {
    const shown = call.stage === "ended" ? lingers(call) : null;
    if (shown === null) return undefined;
    const timer = setTimeout(() => phone.dismiss(call.id), others.length ? Math.min(shown, GLANCE) : shown);
    return () => clearTimeout(timer);
  }, [call.stage, others.length > 0]);
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape") return call.stage === "ended" ? phone.dismiss(call.id) : hide();
    return takesKeys(call) && isKey(event) ? keys[1](event.key) : undefined;
  };
  const isSeen = call.farVideo && phone.leads;
  return html`<div class=${`stage ${isSeen ? "video" : ""}`} role="dialog" aria-modal="true" aria-label=${nameOf(call.peer)} tabindex="-1"
      inert=${under} ref=${dialog} onKeyDown=${onKeyDown}>
    ${call.stage === "ended" ? null : html`<header><button type="button" class="plain" onClick=${hide}>
      <${Icon} name="arrow-left" /> ${say("hide")}</button><${Bars} call=${call} /></header>`}
    <div class="person">
      ${phone.leads ? html`<${Videos} phone=${phone} call=${call} />` : null}
      ${isSeen ? null : html`<${Avatar} name=${call.telephone ? call.peer : nameOf(call.peer)} large=${true} />`}
      <h1><${Called} name=${call.peer} /></h1>
      ${call.forwardedTo ? html`<p role="status">${say("forwarded to")}${say("colon")}<${Called} name=${call.forwardedTo} /></p>` : null}
      <p class="state"><span role="status" class=${isTimed(call) ? "unseen" : ""}>${line(call, call.stage === "ended" ? endedAt.at : now)}</span>
        ${isTimed(call) ? html`<span role="timer">${lasting(now - (call.since ?? now))}</span>` : null}</p>
      <${Notices} phone=${phone} call=${call} now=${now} />
      ${others.map(({ id, peer }) => html`<button key=${id} type="button" class="pill" onClick=${() => phone.hold(id, false)}>
        <${Icon} name="refresh-cw" /><span>${say("on hold here")}${say("colon")}<bdi>${nameOf(peer)}</bdi> · ${say("switch")}</span></button>`)}
      ${others.map((other) => html`<${Connect} key=${`c${other.id}`} phone=${phone} call=${call} other=${other} />`)}
    </div>
    ${call.stage === "ended" ? html`<${Afterwards} phone=${phone} call=${call} write=${write} />` : html`<${Controls} phone=${phone} call=${call} keys=${keys} />`}
  </div>`;
}

/**
 * That it rings is for us to sound until the telephone network is heard (RFC 3960 §3.2), also where it said that it
 * would be and then sends nothing: nobody waits in silence.
 *
 * @param {Call} call @param {boolean} leads
 */
function useRingback({ stage, early }, leads) {
  const rings = leads && early !== "heard" && (stage === "alerting" || (early === "awaited" && stage === "delivered"));
  useEffect(() => {
    if (!rings) return undefined;
    let hush = () => {};
    const timer = setTimeout(() => { hush = ringback(); }, early ? SILENCE : 0);
    return () => {
      clearTimeout(timer);
      hush();
    };
  }, [rings]);
}

/** A telephone that hears us may be sent keys. @param {Call} call */
const takesKeys = (call) => call.telephone && call.stage === "talking" && !call.heldHere;

/** What has to be said beside the state. @param {{phone: Phone, call: Call, now: number}} props */
function Notices({ phone, call, now }) {
  const talks = call.stage === "talking" || call.stage === "connecting" || call.stage === "reconnecting";
  const { refusal } = call.ended ?? call; // told aloud before the end
  return html`<div class="notices">
    ${refusal ? html`<${Refusal} refusal=${refusal} />` : null}
    ${call.ending ? html`<div role="alert" class="warning"><b>${say("ending in", { seconds: Math.max(0, Math.ceil((call.ending.until - now) / 1000)) })}</b>
      <${Refusal} refusal=${call.ending.refusal} /></div>` : null}
    ${call.declinedChange ? html`<div role="alert" class="warning">${call.declinedChange === true
      ? say("change declined") : html`<${Refusal} refusal=${call.declinedChange} />`}</div>` : null}
    ${call.early === "heard" && !call.refusal && call.stage !== "ended" ? html`<p role="status" class="pill">${say("early")}</p>` : null}
    <${Handing} call=${call} />
    <${Trouble} call=${call} />
    ${talks && !phone.leads ? html`<p>${say("another tab")}</p>` : null}
    ${talks ? html`<${Safety} call=${call} />` : null}
    ${call.muted && talks ? html`<p class="pill"><${Icon} name="mic-off" /> ${say(call.talksMuted ? "talking while muted" : "muted")}</p>` : null}
    ${call.microphoneFault && talks ? html`<div role="alert" class="warning"><p>${say(`unheard ${call.microphoneFault}`)}</p>
      <button type="button" class="quiet" onClick=${() => phone.changeDevices(keptDevices())}>${say("retry")}</button></div>` : null}
    ${call.cameraFault ? html`<p role="alert" class="warning">${say(`camera ${call.cameraFault}`)}</p>` : null}
  </div>`;
}

/** @param {{call: Call}} props */
function Safety({ call }) {
  if (call.telephone) return html`<p class="small"><${Icon} name="phone" /> ${say("not end to end")}</p>`;
  if (!call.code) return null;
  return html`<details class="small" open=${call.isCodeStale || undefined}><summary><${Icon} name="shield-check" /> ${say("end to end")}</summary>
    ${call.isCodeStale ? html`<p>${say("safety code stale")}</p>` : html`<p>${say("safety code")}${say("colon")}<b class="digits">${call.code}</b></p>
    <p>${say("safety code why", { name: nameOf(call.peer) })}</p>`}</details>`;
}

/** @param {{call: Call}} props */
function Bars({ call }) {
  if (!call.quality || call.stage !== "talking") return null;
  const words = quality(call.quality);
  return html`<span class=${`bars b${call.quality.bars}`} role="img" aria-label=${words} title=${words}><i></i><i></i><i></i></span>`;
}

/** @param {import("../state.js").Quality} quality */
const quality = ({ bars, cause }) => [say(`quality ${bars}`), say(`cause ${cause}`)].filter(Boolean).join(say("colon"));

/** Why the one cannot hear the other well. @param {{call: Call}} props */
function Trouble({ call }) {
  const isPoor = call.stage === "talking" && call.quality && call.quality.bars < 3 && !call.microphoneFault;
  return html`<div role="status">${isPoor && call.quality ? html`<p class="pill">${quality(call.quality)}</p>` : null}</div>`;
}

/** @typedef {"keypad" | "devices" | "transfer"} Opened */

/** @param {{phone: Phone, call: Call, keys: [string, (key: string) => void]}} props */
function Controls({ phone, call, keys: [pressed, press] }) {
  const [open, setOpen] = useState(/** @type {"" | Opened} */ (""));
  const toggle = (/** @type {Opened} */ what) => () => setOpen(open === what ? "" : what);
  const isUp = call.stage === "talking" || call.stage === "connecting" || call.stage === "reconnecting";
  return html`<footer>
    ${open === "devices" ? html`<div class="sheet"><${Devices} phone=${phone} /></div>` : null}
    ${open === "keypad" ? html`<${Keypad} pressed=${pressed} press=${press} />` : null}
    ${open === "transfer" && isUp ? html`<${HandOver} phone=${phone} call=${call} done=${() => setOpen("")} />` : null}
    <div class="controls"><div class="tools">
      <${Round} icon=${call.muted ? "mic-off" : "mic"} label=${say(call.muted ? "unmute" : "mute")} pressed=${call.muted}
        onClick=${() => phone.mute(call.id, !call.muted)} />
      <${Round} icon=${call.heldHere ? "play" : "pause"} label=${say(call.heldHere ? "resume" : "hold")} pressed=${call.heldHere}
        disabled=${!isUp} onClick=${() => phone.hold(call.id, !call.heldHere)} />
      ${call.telephone ? html`<${Round} icon="grid-3x3" label=${say("keypad")} pressed=${open === "keypad"} disabled=${!takesKeys(call)}
        onClick=${toggle("keypad")} />` : html`<${Round} icon=${call.camera ? "video-off" : "video"} label=${say(call.camera ? "video off" : "video on")}
        pressed=${call.camera} disabled=${!isUp} onClick=${() => phone.video(call.id, !call.camera)} />`}
      ${call.telephone ? null : html`<${Round} icon="phone-forwarded" label=${say("transfer")} pressed=${open === "transfer"}
        disabled=${call.stage !== "talking"} onClick=${toggle("transfer")} />`}
      <${Round} icon="headphones" label=${say("audio")} pressed=${open === "devices"} onClick=${toggle("devices")} /></div>
      <${Round} icon="phone-off" label=${say("hang up")} kind="stop" onClick=${() => phone.hangUp(call.id)} />
    </div></footer>`;
}

/** @param {{phone: Phone, call: Call, write: (peer: string) => void}} props */
function Afterwards({ phone, call, write }) {
  const { reason = "", error = null, refusal = null } = call.ended ?? {};
  const isNobody = [reason, error].includes("unknown_user");
  const away = () => phone.dismiss(call.id);
  const again = () => {
    away();
    phone.call(call.peer);
  };
  const search = () => {
    away();
    location.hash = "people";
  };
  const isSeen = Boolean(refusal?.alternative) && !call.telephone && call.media.includes("video");
  const [isHeard, setHeard] = useState(false); // would it be allowed without video?
  useEffect(() => {
    if (isSeen) ask("POST", "/api/calls/check", { to: call.peer, media: ["audio"] }).then(({ allowed }) => setHeard(allowed), () => {});
  }, [isSeen]);
  return html`<footer><div class="controls">
    <${Round} icon="x" label=${say("close")} onClick=${away} />
    ${isNobody || (call.telephone && refusal?.alternative) ? html`<${Round} icon="search" label=${say("search people")} onClick=${search} />` : null}
    ${call.telephone || isNobody ? null : html`<${Round} icon="message-circle" label=${say("message")} onClick=${() => { away(); write(call.peer); }} />`}
    ${isNobody || isHidden(call.peer) || (refusal && !isHeard) ? null : html`<${Round} icon="phone"
      label=${say(isMissed(call) ? "call back" : isHeard ? "call without video" : "call again")} kind="go" onClick=${again} />`}
  </div></footer>`;
}

/** The other side, if it shows itself, and this one. @param {{phone: Phone, call: Call}} props */
function Videos({ phone, call }) {
  const far = useRef(/** @type {HTMLVideoElement | null} */ (null));
  const near = useRef(/** @type {HTMLVideoElement | null} */ (null));
  const { remote, local } = phone.shownStreams(call.id);
  useEffect(() => {
    if (far.current && far.current.srcObject !== remote) far.current.srcObject = remote;
    if (near.current && near.current.srcObject !== local) near.current.srcObject = local;
  });
  return html`${call.farVideo ? html`<video class="far" ref=${far} autoplay playsinline muted></video>` : null}
    ${call.camera ? html`<video class="near" ref=${near} autoplay playsinline muted></video>` : null}`;
}

/** The other side's voice: in the tab that has the call, whatever it shows. @param {{phone: Phone}} props */
export function Voices({ phone }) {
  const calls = phone.state.calls.filter(({ stage }) => stage !== "ended" && stage !== "ringing").map(({ id }) => id);
  useEffect(() => {
    for (const id of calls) {
      const { remote } = phone.shownStreams(id);
      if (remote) play(id, remote);
    }
    hushBut(calls);
  });
  useEffect(() => () => hushBut([]), []);
  return null;
}
