/** One chart: lines over time, drawn by uPlot in the page's own colours, with the same figures as a table behind it. */

import { html, useEffect, useRef } from "../vendor/preact.js";
import { uPlot } from "../vendor/console/uplot.js";
import { spoken } from "../app/words.js";
import { save } from "./csv.js";
import { Table } from "./parts.js";
import { figure, moment, say } from "./words.js";

/** @typedef {{name: string, values: (number | null)[]}} Line */

// Told apart by colour and by dashes: colour alone tells some people nothing.
const INKS = ["--accent", "--danger", "--warning", "--ink-soft", "--success"];
const DASHES = [[], [8, 4], [2, 3], [10, 3, 2, 3], [4, 2]];
const HEIGHT = 180; // px
const FRACTIONS = { maximumFractionDigits: 1 };

/** @param {string} name */
const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/**
 * @param {{title: string, at: number[], lines: Line[], unit?: string}} props `at`: microseconds since 1970, of each value
 */
export function Chart({ title, at, lines, unit = "" }) {
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    const box = /** @type {HTMLElement} */ (place.current);
    /** @type {uPlot | null} */
    let plot = null;
    const draw = () => {
      plot?.destroy();
      plot = new uPlot(options(box.clientWidth, lines, at), [at.map((each) => each / 1e6), ...lines.map(({ values }) => values)], box);
    };
    const fit = () => plot?.setSize({ width: box.clientWidth, height: HEIGHT });
    draw();
    const size = new ResizeObserver(fit);
    size.observe(box);
    const dress = new MutationObserver(draw); // another theme has other colours
    dress.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return () => {
      size.disconnect();
      dress.disconnect();
      plot?.destroy();
    };
  }, [title, at, lines]);
  const columns = [{ name: say("when") }, ...lines.map(({ name }) => ({ name, number: true }))];
  const newest = [...at.keys()].reverse();
  const written = (/** @type {number | null} */ value) => (value === null ? "–" : value.toLocaleString(spoken(), FRACTIONS));
  const rows = () => [["at", ...lines.map(({ name }) => name)], ...newest.map((row) => [new Date(at[row] / 1000).toISOString(), ...lines.map(({ values }) => values[row])])];
  return html`<figure class="chart"><figcaption><h3>${title}${unit ? html` <span class="hint">${unit}</span>` : null}</h3>
      <ul class="key">${lines.map(({ name }, line) => html`<li key=${name}><svg viewBox="0 0 28 8" aria-hidden="true"><line x1="0" x2="28" y1="4" y2="4"
        style=${{ stroke: `var(${INKS[line]})`, strokeDasharray: DASHES[line].join(" ") }} /></svg>${name}</li>`)}</ul></figcaption>
    <div class="plot" ref=${place} aria-hidden="true"></div>
    <details><summary>${say("as table")}</summary>
      <div class="acts"><button type="button" class="quiet" onClick=${() => save("chart.csv", rows())}>${say("csv")}</button></div>
      <${Table} label=${title} columns=${columns}>${newest.map((row) => html`<tr key=${at[row]}><td class="one"><time>${moment(at[row])}</time></td>
        ${lines.map(({ name, values }) => html`<td key=${name} class="number">${written(values[row])}</td>`)}</tr>`)}</${Table}></details>
  </figure>`;
}

/** @param {number} width @param {Line[]} lines @param {number[]} at @returns {import("../vendor/console/uplot.js").uPlot.Options} */
function options(width, lines, at) {
  const isLong = (at.at(-1) ?? 0) - at[0] > 36 * 3600 * 1e6;
  const form = new Intl.DateTimeFormat(spoken(), isLong ? { month: "numeric", day: "numeric" } : { hour: "2-digit", minute: "2-digit" });
  const axis = { stroke: ink("--ink-soft"), grid: { stroke: ink("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
  return {
    width, height: HEIGHT,
    cursor: { show: false },
    legend: { show: false },
    scales: { y: { range: (_, __, most) => [0, Math.max(1, most * 1.1)] } },
    axes: [
      { ...axis, space: 64, size: 34, values: (_, ticks) => ticks.map((tick) => form.format(tick * 1000)) },
      { ...axis, size: 48, values: (_, ticks) => ticks.map((tick) => figure(tick)) },
    ],
    series: [{}, ...lines.map((_, line) => ({ stroke: ink(INKS[line]), width: 2, dash: DASHES[line], points: { show: lines[line].values.filter((value) => value !== null).length < 12 } }))],
  };
}
