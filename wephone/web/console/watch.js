/**
 * The state of everything, as the server tells it, for all views at once: all of it, then over a socket whatever is otherwise.
 *
 * A change by anybody shows at once; what changes all the time, such as the number of calls, within half a second.
 *
 * @typedef {{name: string, role: "operator" | "auditor", epoch: number, at: number, node: string, version: string,
 *   draining: boolean, permits: Record<string, number>, next_expiry: {permit: string, on: string, days_left: number} | null,
 *   toggles_off: number, telephone_on: boolean, waiting: number, calls: number, talking: number, winding_down: number,
 *   telephone_legs: number, devices: number, decided: number, alarms: {alarm: string, text: string}[]}} Overview
 */

import { Refused, ask } from "../edge/http.js";
import { overhear } from "../edge/socket.js";

const AGAIN = 1000; // ms, after a socket that broke or did not open
const SILENT = 15_000; // ms without a word: the server says something every five seconds

export const OVERVIEW = "/api/operator/overview";
const WATCH = "/api/operator/watch";
const NOT_SIGNED_IN = 1008; // the server's word when somebody has been signed out, or is another than they were

export class Watch {
  /** @type {Overview | null} */
  overview = null;
  isUp = true;
  /** The session is over: somebody has to sign in, and may go on where they were. */
  isOver = false;
  /** @type {Set<() => void>} */
  #told = new Set();
  #run = 0;
  #isRunning = false;
  #ahead = 0; // ms by which the server's clock is ahead of ours

  /** @param {() => void} told @returns {() => void} */
  on(told) {
    this.#told.add(told);
    return () => this.#told.delete(told);
  }

  /** This moment by the server's clock, in microseconds. */
  now() {
    return (Date.now() + this.#ahead) * 1000;
  }

  /** Listen until the session is over. @param {Overview} [overview] if somebody has just asked for it */
  async run(overview) {
    if (this.#isRunning && !this.isOver) return;
    const mine = ++this.#run; // an earlier one that has not yet seen that it is over stops
    this.#isRunning = true;
    this.isOver = false;
    if (overview) this.#show(overview, true);
    for (let isFirst = Boolean(overview); mine === this.#run && !this.isOver; isFirst = false) {
      try {
        if (!isFirst) this.#show(await ask("GET", OVERVIEW), true); // it says why a socket does not open
        if ((await this.#listen()) === NOT_SIGNED_IN) continue;
      } catch (error) {
        if (error instanceof Refused && error.status === 401) this.over();
      }
      if (this.isOver || mine !== this.#run) break;
      this.#show(this.overview, false);
      await new Promise((then) => setTimeout(then, AGAIN));
    }
    if (mine === this.#run) this.#isRunning = false;
  }

  /** Hear what changes, until the socket is closed; with which code. */
  #listen() {
    return /** @type {Promise<number>} */ (new Promise((closed) => {
      let patience = 0;
      const close = overhear(WATCH, {
        frame: (news) => {
          wait();
          if (!this.isOver) this.#show({ ...this.overview, ...news }, true);
        },
        closed: (code) => {
          clearTimeout(patience);
          stop();
          closed(code);
        },
      });
      const wait = () => {
        clearTimeout(patience);
        patience = setTimeout(close, SILENT);
      };
      const stop = this.on(() => {
        if (!this.isOver) return;
        close();
        closed(NOT_SIGNED_IN);
      });
      wait();
    }));
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
    if (overview && overview.at !== this.overview?.at) this.#ahead = overview.at / 1000 - Date.now();
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
