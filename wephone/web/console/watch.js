/**
 * The state of everything, as the server last told it, for all views at once: asked again as soon as it has answered.
 *
 * The server answers when the register changes, within half a second when an alarm or calls that come to an end do, or after
 * two seconds; so a change by anybody shows at once.
 *
 * @typedef {{name: string, role: "operator" | "auditor", epoch: number, at: number, node: string, version: string,
 *   draining: boolean, permits: Record<string, number>, next_expiry: {permit: string, on: string, days_left: number} | null,
 *   toggles_off: number, telephone_on: boolean, waiting: number, calls: number, winding_down: number,
 *   telephone_legs: number, devices: number, alarms: {alarm: string, text: string}[]}} Overview
 */

import { Refused, ask } from "../edge/http.js";

const AGAIN = 1000; // ms, after an answer that did not come

export class Watch {
  /** @type {Overview | null} */
  overview = null;
  isUp = true;
  /** The session is over: somebody has to sign in, and may go on where they were. */
  isOver = false;
  /** @type {Set<() => void>} */
  #told = new Set();
  #isRunning = false;

  /** @param {() => void} told @returns {() => void} */
  on(told) {
    this.#told.add(told);
    return () => this.#told.delete(told);
  }

  /** Ask until the session is over. */
  async run() {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.isOver = false;
    while (!this.isOver) {
      try {
        const known = this.overview ? `?epoch=${this.overview.epoch}&winding=${this.overview.winding_down}&alarms=${this.overview.alarms.length}` : "";
        this.#show(await ask("GET", `/api/operator/overview${known}`), true);
      } catch (error) {
        if (error instanceof Refused && error.status === 401) this.over();
        else {
          this.#show(this.overview, false);
          await new Promise((then) => setTimeout(then, AGAIN));
        }
      }
    }
    this.#isRunning = false;
  }

  /** The server knows this session no more. */
  over() {
    this.isOver = true;
    this.#show(this.overview, true);
  }

  /** Somebody else may sign in now: nothing of the last one is shown. */
  forget() {
    this.overview = null;
    this.over();
  }

  /** @param {Overview | null} overview @param {boolean} isUp */
  #show(overview, isUp) {
    this.overview = overview;
    this.isUp = isUp;
    for (const told of this.#told) told();
  }
}

/** The one of this page. */
export const watch = new Watch();

/**
 * Ask the server; if the session is over, all of the page hears of it.
 *
 * @param {string} method @param {string} path @param {unknown} [body] @param {Record<string, string>} [headers]
 * @returns {Promise<any>}
 */
export async function asked(method, path, body, headers) {
  try {
    return await ask(method, path, body, headers);
  } catch (error) {
    if (error instanceof Refused && error.code === "not_signed_in") watch.over();
    throw error;
  }
}
