/** A table of any length: it scrolls by itself, and only the rows near what is seen are drawn. */

import { html, useEffect, useLayoutEffect, useRef, useState } from "../vendor/preact.js";

export const BLOCK = 25; // rows that are drawn, or left out, together
const GUESS = 61; // px: a row that was never drawn
const AROUND = 400; // px above and below that are drawn too, so that scrolling finds rows

/**
 * `row` draws the row of a place, or nothing if it has not come yet; `wants` is told which places are drawn, and `ends` that
 * the last row is near.
 *
 * @param {{label: string, columns: {name: string, number?: boolean}[], count: number, row: (place: number) => any,
 *   wants?: (first: number, after: number) => void, ends?: (() => void) | null}} props
 */
export function LongTable({ label, columns, count, row, wants, ends }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const heights = useRef(/** @type {Map<number, number>} */ (new Map())); // of the blocks that were drawn
  const [[first, after], setDrawn] = useState([0, 1]);
  const blocks = Math.max(1, Math.ceil(count / BLOCK));
  const height = (/** @type {number} */ block) => heights.current.get(block) ?? GUESS * Math.min(BLOCK, count - block * BLOCK);
  const sum = (/** @type {number} */ from, /** @type {number} */ to) => {
    let all = 0;
    for (let block = from; block < to; block += 1) all += height(block);
    return all;
  };
  const look = () => {
    const seen = /** @type {HTMLElement} */ (box.current);
    let [start, y] = [0, 0];
    while (start < blocks - 1 && y + height(start) < seen.scrollTop - AROUND) y += height(start++);
    let end = start;
    while (end < blocks && (end === start || y < seen.scrollTop + seen.clientHeight + AROUND)) y += height(end++);
    setDrawn((drawn) => (drawn[0] === start && drawn[1] === end ? drawn : [start, end]));
  };
  useLayoutEffect(() => {
    for (const body of box.current?.querySelectorAll("tbody[data-block]") ?? []) {
      const block = Number(/** @type {HTMLElement} */ (body).dataset.block);
      if (block < blocks - 1) heights.current.set(block, body.getBoundingClientRect().height);
    }
    look();
  });
  useEffect(() => {
    wants?.(first * BLOCK, Math.min(count, after * BLOCK));
    if (after >= blocks) ends?.();
  }, [first, after, count, Boolean(ends)]);
  const drawn = Array.from({ length: Math.max(0, Math.min(after, blocks) - first) }, (_, place) => first + place);
  const gap = (/** @type {number} */ from, /** @type {number} */ to) => (from < to ? html`<tbody key=${`gap ${from}`} aria-hidden="true"><tr>
    <td class="gap" colspan=${columns.length} style=${{ height: `${sum(from, to)}px` }}></td></tr></tbody>` : null);
  return html`<div class="table long scrolls" ref=${box} tabindex="0" role="group" aria-label=${label} onScroll=${look}><table aria-rowcount=${count + 1}>
    <thead><tr>${columns.map(({ name, number }) => html`<th key=${name} scope="col" class=${number ? "number" : ""}>${name}</th>`)}</tr></thead>
    ${gap(0, first)}
    ${drawn.map((block) => html`<tbody key=${block} data-block=${block}>${Array.from({ length: Math.min(BLOCK, count - block * BLOCK) },
      (_, place) => row(block * BLOCK + place) ?? html`<tr key=${place}><td class="gap coming" colspan=${columns.length}></td></tr>`)}</tbody>`)}
    ${gap(Math.min(after, blocks), blocks)}
  </table></div>`;
}
