/** What the console's views are made of, beside what the callers' app has. */

import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { icons as callers } from "../vendor/icons.js";
import { icons } from "../vendor/console/icons.js";
import { Refused } from "../edge/http.js";
import { NotLoaded as Failed, Waiting as Turning } from "../app/parts.js";
import { hasWords } from "../app/words.js";
import { here } from "./address.js";
import { watch } from "./watch.js";
import { has, say } from "./words.js";

/** A drawing; a word stands beside it. @param {{name: string}} props */
export function Icon({ name }) {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"
    dangerouslySetInnerHTML=${{ __html: icons[name] ?? callers[name] }}></svg>`;
}

/** What is being waited for, at this place. */
export function Waiting() {
  return html`<h1 class="unseen">${titled()}</h1><${Turning} />`;
}

/** What could not be had at this place, and a way to try again. @param {{again: () => void}} props */
export function NotLoaded({ again }) {
  return html`<h1 class="unseen">${titled()}</h1><${Failed} again=${again} />`;
}

/** The place's name, while it has nothing else to show. */
const titled = () => (has(here().place) ? say(here().place) : say("console"));

/** @typedef {"good" | "soon" | "bad" | ""} Tone */
const SHAPES = { good: "circle-check", soon: "clock", bad: "octagon-x", "": "info" };

/** A status: a word, a colour and a shape. @param {{tone?: Tone, text: string, icon?: string}} props */
export function Mark({ tone = "", text, icon = SHAPES[tone] }) {
  return html`<span class=${`mark ${tone}`}><${Icon} name=${icon} />${text}</span>`;
}

/** What came out. @param {{outcome: string | null}} props */
export function Verdict({ outcome }) {
  const tone = outcome === "deny" ? "bad" : outcome === "allow" ? "good" : outcome ? "soon" : "";
  return html`<${Mark} tone=${tone} text=${outcome ? say(`outcome ${outcome}`) : say("unknown")} />`;
}

/** The state of everything, drawn anew when it changes. */
export function useWatch() {
  const [, again] = useState(0);
  useEffect(() => watch.on(() => again((count) => count + 1)), []);
  return watch;
}

/**
 * Counts up when something is otherwise than it was, and not at once again: what is fetched then is fetched no more often.
 *
 * @param {string | number} what @param {number} [apart] ms
 */
export function useTurn(what, apart = 2000) {
  const [turn, setTurn] = useState(0);
  const known = useRef({ what, at: 0 });
  useEffect(() => {
    if (known.current.what === what) return undefined;
    const timer = setTimeout(() => {
      known.current = { what, at: Date.now() };
      setTurn((count) => count + 1);
    }, Math.max(0, known.current.at + apart - Date.now()));
    return () => clearTimeout(timer);
  }, [what]);
  return turn;
}

/** May whoever looks change anything? */
export const mayAct = () => watch.overview?.role === "operator";

/** The register's epoch, so that what is read of it is read again when it moves. */
export const epoch = () => watch.overview?.epoch ?? -1;

/** What the server would not do: a sentence, and on a second line its own word, if it says more. @param {unknown} error */
export function faultIn(error) {
  if (!(error instanceof Refused)) return say("unreachable server");
  if (error.code === "slow_down") return say("slow_down", { seconds: Math.ceil(error.retryAfter) });
  if (has(error.code)) return `${say(error.code)}\n${error.message}`;
  return hasWords(error.code) ? say(error.code) : `${say("not done")}\n${error.message}`;
}

/** Such a fault: the sentence, and small behind it what the server said. @param {{text: string}} props */
export function Said({ text }) {
  const [sentence, ...more] = text.split("\n");
  return html`<p role="alert" class="fault">${sentence}${more.length ? html` <code>${more.join(" ")}</code>` : null}</p>`;
}

/**
 * A table with a sticky head; on a narrow screen it scrolls by itself.
 *
 * @param {{label: string, columns: {name: string, number?: boolean}[], kind?: string, children?: unknown}} props
 */
export function Table({ label, columns, kind = "", children }) {
  return html`<div class=${`table scrolls ${kind}`} tabindex="0" role="group" aria-label=${label}><table>
    <thead><tr>${columns.map(({ name, number }) => html`<th key=${name} scope="col" class=${number ? "number" : ""}>${name}</th>`)}</tr></thead>
    <tbody>${children}</tbody></table></div>`;
}

/** A list of what is known, by name. @param {{rows: [string, unknown][]}} props */
export function Facts({ rows }) {
  return html`<dl class="facts">${rows.filter(([, value]) => value !== null && value !== undefined && value !== "")
    .map(([name, value]) => html`<dt key=${name}>${name}</dt><dd>${value}</dd>`)}</dl>`;
}
