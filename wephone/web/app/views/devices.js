/** Which microphone, loudspeaker and camera; a tone to hear the one and a bar to see the other. */

import { html, useEffect, useState } from "../../vendor/preact.js";
import { chosen, deviceFault, openMicrophone, stop } from "../../edge/media.js";
import { levelOf, testTone } from "../../edge/sounds.js";
import { Choice } from "../parts.js";
import { say } from "../words.js";

const KINDS = /** @type {const} */ ([["audioinput", "microphone"], ["audiooutput", "speaker"], ["videoinput", "camera"]]);

/** @param {{phone: import("../phone.js").Phone}} props */
export function Devices({ phone }) {
  const [found, setFound] = useState(/** @type {MediaDeviceInfo[]} */ ([]));
  const [fault, setFault] = useState("");
  const [level, setLevel] = useState(0);
  const [picked, setPicked] = useState({ ...chosen });
  useEffect(() => {
    let isOpen = true;
    /** @type {MediaStream | null} */
    let stream = null;
    let quiet = () => {};
    const list = async () => isOpen && setFound((await navigator.mediaDevices?.enumerateDevices()) ?? []);
    openMicrophone().then(
      (opened) => {
        stream = opened;
        if (!isOpen) return stop(stream);
        setFault("");
        quiet = levelOf(opened, setLevel);
        return void list();
      },
      (error) => isOpen && setFault(deviceFault(error)),
    );
    navigator.mediaDevices?.addEventListener("devicechange", list);
    return () => {
      isOpen = false;
      quiet();
      stop(stream);
      navigator.mediaDevices?.removeEventListener("devicechange", list);
    };
  }, [picked.microphone]);
  const pick = (/** @type {"microphone" | "speaker" | "camera"} */ what, /** @type {string} */ id) => {
    chosen[what] = id || undefined;
    setPicked({ ...chosen });
    phone.changeDevices({ ...chosen });
  };
  return html`
    ${fault ? html`<p class="fault" role="alert">${say(`microphone ${fault}`)}</p>` : null}
    ${KINDS.map(([kind, what]) => {
      const of = found.filter((each) => each.kind === kind && each.deviceId && each.deviceId !== "default");
      const options = [["", say("system default")], ...of.map((each, number) => [each.deviceId, each.label || `${say(what)} ${number + 1}`])];
      return html`<${Choice} key=${kind} label=${say(what)} value=${picked[what] ?? ""} change=${(/** @type {string} */ id) => pick(what, id)} options=${options} />`;
    })}
    <div class="row"><span>${say("level")}</span><meter min="0" max="1" value=${level} aria-label=${say("level")}></meter></div>
    <button type="button" class="quiet" onClick=${testTone}>${say("test tone")}</button>`;
}
