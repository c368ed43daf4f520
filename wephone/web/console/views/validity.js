/** What a permit is worth, and from when to when. */

import { html } from "../../vendor/preact.js";
import { Mark } from "../parts.js";
import { day, many, say } from "../words.js";

export const SOON = 90; // days before its end from which a permit is something to look at; the server sorts by the same

/** What it is worth now. @param {{filed: any}} props */
export function Standing({ filed }) {
  const isSoon = filed.days_left !== null && filed.days_left <= SOON;
  const tone = filed.standing !== "in_force" ? (filed.standing === "not_yet_valid" ? "soon" : "bad") : isSoon ? "soon" : "good";
  return html`<${Mark} tone=${tone} text=${say(`standing ${filed.standing}`)} />`;
}

const DAY = 86_400_000;

/** From when to when it is valid, with what stopped it in between, and today. @param {{filed: any}} props */
export function Span({ filed }) {
  const { permit } = filed;
  const today = Date.now();
  const from = Date.parse(permit.valid_from);
  const until = permit.valid_until ? Date.parse(permit.valid_until) + DAY : null;
  const low = Math.min(from, today);
  const high = Math.max(until ?? Math.max(today, from) + 365 * DAY, today);
  const x = (/** @type {number} */ moment) => (1000 * (Math.min(Math.max(moment, low), high) - low)) / (high - low || 1);
  /** @type {[number, number][]} */
  const stops = permit.status_events.map((/** @type {any} */ event) => [Date.parse(event.from), event.to ? Date.parse(event.to) : Math.max(today, Date.parse(event.from))]);
  const left = filed.days_left === null ? say("no end") : filed.days_left < 0 ? say("ended", { days: many("day", -filed.days_left) }) : say("ends in", { days: many("day", filed.days_left) });
  const words = `${say("valid")}${say("colon")}${day(permit.valid_from)} – ${permit.valid_until ? day(permit.valid_until) : say("no end")}. ${left}`;
  return html`<div class="span"><svg viewBox="0 0 1000 20" preserveAspectRatio="none" role="img" aria-label=${words}>
      <rect class="whole" x="0" y="6" width="1000" height="8" />
      <rect class="held" x=${x(from)} y="6" width=${x(until ?? high) - x(from)} height="8" />
      <rect class="gone" x=${x(from)} y="6" width=${Math.max(0, x(Math.min(today, until ?? today)) - x(from))} height="8" />
      ${stops.map(([start, end], place) => html`<rect key=${place} class="stopped" x=${x(start)} y="6" width=${Math.max(6, x(end) - x(start))} height="8" />`)}
      <line class="today" x1=${x(today)} x2=${x(today)} y1="0" y2="20" vector-effect="non-scaling-stroke" />
    </svg>
    <div class="ends" aria-hidden="true"><span>${day(permit.valid_from)}</span><span>${say("today")}${say("colon")}${left}</span><span>${permit.valid_until ? day(permit.valid_until) : say("no end")}</span></div>
  </div>`;
}
