/** Calls that have lost their permit: watched one by one until the last has ended, with the time that each took. */

import { html, useEffect, useState } from "../../vendor/preact.js";
import { useTurn, useWatch } from "../parts.js";
import { asked } from "../watch.js";
import { say } from "../words.js";

const SHOWN = 50; // calls that are named

/** @param {{effect: import("../act.js").Effect, since: number}} props `since`: when the change was made, by the server's clock in microseconds */
export function Ending({ effect, since }) {
  const { overview } = useWatch();
  const calls = effect.now.calls.slice(0, Math.min(SHOWN, effect.now.lost));
  const now = overview?.at ?? since;
  const turn = useTurn(now, 500);
  const [ended, setEnded] = useState(/** @type {Map<string, number>} */ (new Map()));
  const [left, setLeft] = useState(/** @type {Map<string, any> | null} */ (null));
  const isOver = ended.size === calls.length;
  useEffect(() => {
    if (isOver) return;
    asked("GET", "/api/operator/live?limit=500&quality=false").then((page) => {
      const live = new Map(page.calls.map((/** @type {any} */ each) => [each.call, each]));
      setLeft(live);
      // Of more calls than one page has, those beyond it may still run.
      if (page.skip === null) setEnded((known) => gone(calls, live, known, (now - since) / 1_000_000));
    }, () => {});
  }, [turn]);
  const seconds = Math.round(Math.max(0, ...ended.values()));
  const all = effect.now.lost;
  return html`<div class=${`note ${isOver ? "" : "bad"}`} role="status">
    ${isOver ? html`<p>${say("all ended", { all, seconds })}</p>` : html`<p>${say("ends watched", { n: all - ended.size, all })}</p>
      <progress max=${all} value=${ended.size} aria-label=${say("winding", { n: all - ended.size })}></progress>`}
    <ul>${calls.map((/** @type {any} */ each) => html`<li key=${each.call}><bdi>${each.users[0]}</bdi>, <bdi>${each.users[1]}</bdi>: ${state(each.call, ended, left)}</li>`)}</ul></div>`;
}

/** @param {any[]} calls @param {Map<string, any>} live @param {Map<string, number>} known @param {number} passed seconds */
function gone(calls, live, known, passed) {
  const fresh = calls.filter(({ call }) => !live.has(call) && !known.has(call));
  return fresh.length ? new Map([...known, ...fresh.map(({ call }) => /** @type {[string, number]} */ ([call, passed]))]) : known;
}

/** @param {string} call @param {Map<string, number>} ended @param {Map<string, any> | null} left */
function state(call, ended, left) {
  const took = ended.get(call);
  if (took !== undefined) return say("ended after", { n: Math.round(took) });
  const ending = left?.get(call)?.ending;
  return ending ? say("ends within", { n: Math.ceil(ending.seconds) }) : say("goes on");
}
