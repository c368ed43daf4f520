/** A permit from a file: what is wrong with it is said by file, path and value; what it would do is seen first. */

import { html, useState } from "../../vendor/preact.js";
import { sha256 } from "../../vendor/sha256.js";
import { Refused } from "../../edge/http.js";
import { Field, useLoaded } from "../../app/parts.js";
import { Act, Fault } from "../act.js";
import { at } from "../address.js";
import { Said, faultIn } from "../parts.js";
import { asked } from "../watch.js";
import { say } from "../words.js";

const LARGEST = 64 * 1024; // bytes

/** @param {{close: () => void}} props */
export function AddPermit({ close }) {
  const [file, setFile] = useState(say("typed"));
  const [text, setText] = useState("");
  const [by, setBy] = useState("");
  const [digest, setDigest] = useState("");
  const { permit, fault } = read(file, text);
  const id = typeof permit?.id === "string" ? permit.id : "";
  const [isNew] = useLoaded(() => isUnknown(id), [id]); // of another version of a permit nothing is said beforehand
  const choose = async (/** @type {any} */ event) => {
    const chosen = event.target.files[0];
    if (!chosen) return;
    setFile(chosen.name);
    setText(chosen.size > LARGEST ? " ".repeat(LARGEST + 1) : await chosen.text());
  };
  const look = async (/** @type {any} */ event) => {
    const chosen = event.target.files[0];
    const bytes = chosen ? sha256(new Uint8Array(await chosen.arrayBuffer())) : null;
    setDigest(bytes ? [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("") : "");
  };
  const send = async (/** @type {string} */ why, /** @type {Record<string, string>} */ headers) => {
    if (!permit) throw new Fault(fault || say("choose file"));
    const checked = by.trim() ? { checked: { by: by.trim(), ...(digest ? { sha256: digest } : {}) } } : {};
    try {
      return await asked("POST", "/api/operator/permits", { permit, why, ...checked }, headers);
    } catch (error) {
      throw error instanceof Refused && error.status < 500 && ![401, 403, 412].includes(error.status) ? new Fault(named(file, error, permit)) : error;
    }
  };
  const done = (/** @type {any} */ filed) => {
    close();
    location.hash = at("permits", filed.permit.id);
  };
  return html`<${Act} title=${say("add permit")} word=${say("add")} supposed=${id && isNew ? { permits: [permit] } : null}
      send=${send} done=${done} close=${close}>
    <div class="field"><label for="permit-file">${say("choose file")}</label><input id="permit-file" type="file" accept=".json,application/json" onChange=${choose} /></div>
    <div class="field"><label for="permit-text">${say("or paste")}</label>
      <textarea id="permit-text" rows="8" spellcheck=${false} value=${text} aria-invalid=${fault ? "true" : undefined} aria-describedby="permit-fault"
        onInput=${(/** @type {any} */ event) => { setFile(say("typed")); setText(event.target.value); }}></textarea>
      <div id="permit-fault"><${Said} text=${fault} /></div></div>
    <${Field} id="permit-by" label=${say("checked who")} hint=${say("checked who hint")} value=${by} onInput=${setBy} />
    ${by.trim() ? html`<div class="field"><label for="permit-seen">${say("checked file")}</label><input id="permit-seen" type="file" onChange=${look} />
      <p class="hint">${digest ? html`<code>${digest}</code>` : say("checked file hint")}</p></div>` : null}
  </${Act}>`;
}

/** Is there no permit of this name yet? @param {string} id */
async function isUnknown(id) {
  try {
    if (id) await asked("GET", `/api/operator/permits/${encodeURIComponent(id)}`);
    return false;
  } catch (error) {
    return error instanceof Refused && error.code === "no_such_permit";
  }
}

/** The permit of a text, or what is wrong with it. @param {string} file @param {string} text @returns {{permit: any, fault: string}} */
function read(file, text) {
  if (!text) return { permit: null, fault: "" };
  if (text.length > LARGEST) return { permit: null, fault: say("too large file", { file }) };
  try {
    return { permit: JSON.parse(text), fault: "" };
  } catch (error) {
    return { permit: null, fault: `${say("no json", { file })}\n${/** @type {Error} */ (error).message}` };
  }
}

/** File, path and value. @param {string} file @param {Refused} error @param {any} permit */
function named(file, error, permit) {
  const path = error.field?.replace(/^permit\./, "") ?? "";
  const value = path.split(".").reduce((/** @type {any} */ found, part) => found?.[part], permit);
  const said = faultIn(error).replaceAll("`permit.", "`");
  const isSaid = value === undefined || said.includes(String(value));
  return say("file fault", { file, fault: isSaid ? said : `${said} (${JSON.stringify(value).slice(0, 80)})` });
}
