/** The STUN and TURN servers of the next connection: asked for before they are needed, so that no call waits for them. */

import { ask } from "../edge/http.js";

const UNLIMITED = 600; // seconds for which servers without credentials are taken to stay

export class Relays {
  /** @type {RTCIceServer[]} */
  #known = [];
  #freshUntil = 0;
  #goodUntil = 0;
  /** @type {Promise<void> | null} */
  #asking = null;

  /** @param {() => number} now milliseconds */
  constructor(now) {
    this.now = now;
  }

  /** Ask, if what is known is no longer young; what is known is used meanwhile. Refused or Unreachable if there is none. */
  async servers() {
    const asking = this.now() < this.#freshUntil ? null : this.#ask();
    if (this.now() >= this.#goodUntil) await asking;
    else asking?.catch(() => {}); // the next one asks again
    return this.#known;
  }

  /** A call may come soon. */
  prepare() {
    void this.servers().catch(() => {});
  }

  async #ask() {
    this.#asking ??= this.#askOnce().finally(() => (this.#asking = null));
    return this.#asking;
  }

  async #askOnce() {
    const at = this.now();
    const { ice_servers, lifetime } = await ask("GET", "/api/turn");
    const seconds = lifetime ?? UNLIMITED;
    this.#known = ice_servers.map(iceServer);
    this.#freshUntil = at + seconds * 500; // half of the time: a call that begins then still has the other half
    this.#goodUntil = at + seconds * 900;
  }
}

/** @param {{urls: string[], username: string | null, credential: string | null}} server @returns {RTCIceServer} */
function iceServer({ urls, username, credential }) {
  return username && credential ? { urls, username, credential } : { urls };
}
