/**
 * Something that matters: what it would do is seen first, why it is done is said, and the password once more.
 *
 * It is done on the register that was looked at, or not at all; what came of it is never guessed.
 */

import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { Refused } from "../edge/http.js";
import { Field, Sheet } from "../app/parts.js";
import { Said, faultIn } from "./parts.js";
import { asked, watch } from "./watch.js";
import { inLaw, many, say } from "./words.js";

/** @typedef {{epoch: number, now: any, past: any}} Effect */

/**
 * @param {{title: string, word: string, supposed: object | null, danger?: boolean, intro?: string,
 *   send: (why: string, headers: Record<string, string>) => Promise<any>, done: (answer: any, effect: Effect | null) => void,
 *   close: () => void, isWordless?: boolean, children?: unknown}} props `supposed`: what to ask about beforehand, if anything;
 *   `isWordless`: the server asks for no reason
 */
export function Act({ title, word, supposed, danger = false, intro = "", send, done, close, isWordless = false, children }) {
  const [effect, setEffect] = useState(/** @type {Effect | null | undefined} */ (undefined));
  const [seen, setSeen] = useState(watch.overview?.epoch ?? 0);
  const [why, setWhy] = useState("");
  const [password, setPassword] = useState("");
  const [notice, setNotice] = useState("");
  const [faults, setFaults] = useState({ password: "", other: "" });
  const [busy, setBusy] = useState(false);
  const proven = useRef(false);
  const asks = supposed && JSON.stringify(supposed);
  const look = () => {
    let isWanted = true;
    setEffect(undefined);
    setSeen(watch.overview?.epoch ?? 0);
    if (asks) asked("POST", "/api/operator/suppose", JSON.parse(asks)).then(
      (found) => isWanted && (setEffect(found), setSeen(found.epoch)),
      () => isWanted && setEffect(null),
    );
    return () => {
      isWanted = false;
    };
  };
  useEffect(look, [asks]);
  const form = useRef(/** @type {HTMLFormElement | null} */ (null));
  useEffect(() => void /** @type {HTMLElement | null} */ (form.current?.querySelector("input, select, textarea"))?.focus(), []);

  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setNotice("");
    setFaults({ password: "", other: "" });
    try {
      if (await prove()) await carryOut();
    } finally {
      setBusy(false);
    }
  };
  const prove = async () => {
    if (proven.current) return true;
    try {
      await asked("POST", "/api/operator/proof", { password });
      proven.current = true;
    } catch (error) {
      if (!(error instanceof Refused)) setFaults({ password: "", other: say("not sent") });
      else if (error.code === "not_signed_in") setFaults({ password: "", other: say("session over why") });
      else setFaults({ password: error.code === "wrong_password" ? say("proof_wrong") : faultIn(error).split("\n")[0], other: "" });
    }
    return proven.current;
  };
  const carryOut = async () => {
    try {
      const answer = await send(why, { "If-Match": `"${seen}"` });
      done(answer, effect ?? null);
    } catch (error) {
      const code = error instanceof Refused ? error.code : "";
      if (code !== "changed_since") proven.current = false;
      if (code === "changed_since") again(say("changed since"));
      else if (!(error instanceof Refused) && !(error instanceof Fault)) again(say("unanswered"));
      else if (code === "password_needed") setFaults({ password: say("password once"), other: "" });
      else if (code === "not_signed_in") setFaults({ password: "", other: say("session over why") });
      else setFaults({ password: "", other: error instanceof Fault ? error.message : faultIn(error) });
    }
  };
  useEffect(() => {
    if (notice) form.current?.querySelector(".note")?.scrollIntoView({ block: "center" });
  }, [notice]);
  const again = (/** @type {string} */ text) => {
    setNotice(text);
    look();
  };
  return html`<${Sheet} title=${title} close=${close}><form class="act" ref=${form} onSubmit=${submit}>
    ${intro ? html`<p>${intro}</p>` : null}
    <div role="alert">${notice ? html`<p class="note bad">${notice}</p>` : null}</div>
    ${children}
    ${supposed ? html`<${Seen} effect=${effect} />` : null}
    ${isWordless ? null : html`<${Field} id="act-why" label=${say("why")} hint=${say("why hint")} value=${why} onInput=${setWhy} />`}
    <${Field} id="act-password" label=${say("your password")} hint=${say("your password hint")} fault=${faults.password} type="password"
      autocomplete="current-password" value=${password} onInput=${setPassword} />
    <${Said} text=${faults.other} />
    <div class="acts"><button type="button" class="quiet" onClick=${close}>${say("cancel")}</button>
      <button class=${`main ${danger ? "danger" : ""}`} disabled=${busy || !(isWordless || why.trim()) || !password || (supposed !== null && effect === undefined)}>${word}</button></div>
  </form></${Sheet}>`;
}

/** What a page finds wrong before it asks: one sentence. */
export class Fault extends Error {}

/** What it would do, in sentences. @param {{effect: Effect | null | undefined}} props */
export function Seen({ effect }) {
  if (effect === undefined) return html`<p class="effect" role="status">${say("effect loading")}</p>`;
  if (effect === null) return html`<p class="effect bad" role="alert">${say("effect unknown")}</p>`;
  const { now, past } = effect;
  const isLoss = now.lost || now.telephone_calls || past.refused.decisions;
  return html`<div class=${`effect ${isLoss ? "bad" : ""}`} role="status">
    ${sentences(effect).map((text) => html`<p key=${text}>${text}</p>`)}
    ${now.calls.length ? html`<ul>${now.calls.slice(0, 5).map((/** @type {any} */ each) => html`<li key=${each.call}>
      <bdi>${each.users[0]}</bdi>, <bdi>${each.users[1]}</bdi>: ${inLaw(each.reason)}</li>`)}</ul>` : null}
    ${past.flips.length ? html`<ul>${past.flips.slice(0, 4).map((/** @type {any} */ flip) => html`<li key=${flip.before + flip.after + flip.service}>
      ${many("decision", flip.decisions)}${say("colon")}${inLaw(flip.after)}</li>`)}</ul>` : null}
  </div>`;
}

/** @param {Effect} effect @returns {string[]} */
export function sentences({ now, past }) {
  const said = [];
  if (now.telephone_calls) said.push(say("effect telephone", { calls: many("call", now.telephone_calls) }));
  if (now.lost) {
    const filled = { calls: many("call", now.lost), people: many("person", now.users), seconds: now.seconds };
    said.push(say(now.seconds ? "effect now" : "effect now at once", filled));
  } else if (!now.telephone_calls) said.push(say("effect now none"));
  if (now.regained) said.push(say("effect regained", { calls: many("call", now.regained) }));
  if (now.lost && now.lost < now.running) said.push(say("effect rest"));
  const decisions = many("decision", past.decisions);
  if (!past.decisions) return said;
  const [refused, allowed] = [past.refused.decisions, past.allowed.decisions];
  if (past.before !== null) said.push(say("effect past bounded", { decisions, refused, allowed }));
  else if (!refused && !allowed) said.push(say("effect past none", { decisions }));
  else {
    if (refused) said.push(say("effect past", { decisions, refused }));
    if (allowed) said.push(say("effect past allowed", { decisions, allowed }));
  }
  return said;
}
