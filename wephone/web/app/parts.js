/** What every view is made of. */

import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { icons } from "../vendor/icons.js";
import { inWords, say, watchLanguage } from "./first-words.js";

/** A drawing; it says nothing to a screen reader, so a word stands beside or behind it. @param {{name: string}} props */
export function Icon({ name }) {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"
    dangerouslySetInnerHTML=${{ __html: icons[name] }}></svg>`;
}

/** One of a few. @param {{label: string, value: string, change: (value: any) => void, options: [string, string][]}} props */
export function Choice({ label, value, change, options }) {
  return html`<label class="row"><span>${label}</span>
    <select value=${value} onChange=${(/** @type {any} */ event) => change(event.target.value)}>
      ${options.map(([key, word]) => html`<option key=${key} value=${key} selected=${key === value}>${word}</option>`)}
    </select></label>`;
}

/**
 * A round button with a drawing; its word is shown below it, or said alone.
 *
 * @param {{icon: string, label: string, onClick: () => void, kind?: string, pressed?: boolean, wordless?: boolean,
 *   disabled?: boolean}} props
 */
export function Round({ icon, label, onClick, kind = "", pressed, wordless = false, disabled = false }) {
  return html`<button type="button" class=${`round ${kind}`} aria-label=${label} title=${wordless ? label : undefined}
      aria-pressed=${pressed === undefined ? undefined : String(pressed)} disabled=${disabled} onClick=${onClick}>
    <span class="disc"><${Icon} name=${icon} /></span>${wordless ? null : html`<span aria-hidden="true">${label}</span>`}
  </button>`;
}

/** A person, as letters on one of a few quiet colours. @param {{name: string, large?: boolean}} props */
export function Avatar({ name, large = false }) {
  const hue = [...name].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 6, 7);
  return html`<span class=${`avatar hue${hue} ${large ? "large" : ""}`} aria-hidden="true">${initials(name)}</span>`;
}

/** @param {string} name */
function initials(name) {
  if (/^[+\d(]/.test(name)) return "#";
  return name.split(/[.\-_ ]+/).slice(0, 2).map((part) => [...part][0] ?? "").join("").toUpperCase();
}

/**
 * A field with its name, a hint, and what is wrong with it.
 *
 * @param {{id: string, label: string, hint?: string, fault?: string, value: string, onInput: (value: string) => void,
 *   type?: string, autocomplete?: string, autofocus?: boolean}} props
 */
export function Field({ id, label, hint = "", fault = "", value, onInput, type = "text", autocomplete = "off", autofocus = false }) {
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => {
    if (autofocus) input.current?.focus();
  }, []);
  return html`<div class="field">
    <label for=${id}>${label}</label>
    <input ref=${input} id=${id} name=${id} type=${type} value=${value} autocomplete=${autocomplete} spellcheck=${false}
      autocapitalize="none" aria-describedby=${`${id}-more`} aria-invalid=${fault ? "true" : undefined}
      onInput=${(/** @type {any} */ event) => onInput(event.target.value)} />
    <p id=${`${id}-more`} class=${fault ? "fault" : "hint"}>${fault || hint}</p>
  </div>`;
}

/**
 * A place with nothing in it, and what to do about that; or a whole page.
 *
 * @param {{icon: string, title: string, text?: string, isPage?: boolean, children?: unknown}} props
 */
export function Blank({ icon, title, text = "", isPage = false, children }) {
  return html`<div class="blank"><${Icon} name=${icon} />${isPage ? html`<h1>${title}</h1>` : html`<h2>${title}</h2>`}${text ? html`<p>${text}</p>` : null}${children}</div>`;
}

/** What is being waited for. */
export function Waiting() {
  return html`<div class="blank" role="status"><span class="spinner" aria-hidden="true"></span><p>${say("loading")}</p></div>`;
}

/** What could not be had, and a way to try again. @param {{again: () => void}} props */
export function NotLoaded({ again }) {
  return html`<${Blank} icon="circle-alert" title=${say("not loaded")}>
    <button type="button" class="quiet" onClick=${again}>${say("retry")}</button></${Blank}>`;
}

/**
 * A refusal as a person would explain it; the decision's id is small, and can be copied.
 *
 * @param {{refusal: import("../protocol.js").Refusal, children?: unknown}} props
 */
export function Refusal({ refusal, children }) {
  return html`<div class="refusal">
    <p>${inWords(refusal.text)}</p>
    ${refusal.alternative ? html`<p>${inWords(refusal.alternative)}</p>` : null}
    ${children}
    ${refusal.decision ? html`<${Copied} label=${say("decision")} text=${refusal.decision} />` : null}
  </div>`;
}

/** A small text with a button that copies it. @param {{label: string, text: string}} props */
export function Copied({ label, text }) {
  const [done, setDone] = useState(false);
  const copy = () => navigator.clipboard.writeText(text).then(() => setDone(true), () => setDone(false));
  return html`<p class="small copied"><span>${label} <code>${text}</code></span>
    <button type="button" class="plain" aria-label=${`${say("copy")}${say("colon")}${text}`} onClick=${copy}>
      <${Icon} name=${done ? "check" : "copy"} /></button>
    <span role="status" class="unseen">${done ? say("copied") : ""}</span></p>`;
}

/**
 * Something to decide, over the view: the keyboard stays in it, `Esc` closes it, and goes back to where it was.
 *
 * @param {{title: string, close: () => void, children?: unknown}} props
 */
export function Sheet({ title, close, children }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => {
    dialog.current?.showModal();
    return () => dialog.current?.close();
  }, []);
  const shut = () => dialog.current?.close();
  return html`<dialog ref=${dialog} class="over" aria-label=${title} onClose=${close}>
    <header><h2 class="grow"><bdi>${title}</bdi></h2><${Round} icon="x" label=${say("close")} wordless=${true} onClick=${shut} /></header>
    ${children}</dialog>`;
}

/**
 * A part of a view that is loaded when it is asked for; null until then.
 *
 * @template T @param {() => Promise<T>} load @returns {[(T & {close: () => void}) | null, () => void]}
 */
export function useAsked(load) {
  const [asked, setAsked] = useState(/** @type {(T & {close: () => void}) | null} */ (null));
  const close = () => setAsked(null);
  return [asked, () => void load().then((part) => setAsked({ ...part, close }))];
}

/** The view is drawn anew when the language changes. */
export function useLanguage() {
  const [, again] = useState(0);
  useEffect(() => watchLanguage(() => again((count) => count + 1)), []);
}

/**
 * What the server has at an address: undefined while it is asked, null if it could not be had.
 *
 * @template T @param {() => Promise<T>} load @param {readonly unknown[]} on @returns {[T | null | undefined, () => void]}
 */
export function useLoaded(load, on) {
  const [found, setFound] = useState(/** @type {T | null | undefined} */ (undefined));
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let isWanted = true;
    load().then((value) => isWanted && setFound(() => value), () => isWanted && setFound(null));
    return () => {
      isWanted = false;
    };
  }, [...on, turn]);
  return [found, () => setTurn((count) => count + 1)];
}

/** The clock, for what changes by itself. @param {boolean} runs */
export function useNow(runs) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (!runs) return undefined;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [runs]);
  return now;
}
