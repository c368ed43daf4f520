/**
 * Runs core/session.js: carries out what it says, in order, and tells it what came of that.
 *
 * @typedef {import("./core/session.js").Session} Session
 * @typedef {import("./core/words.js").Effect} Effect
 * @typedef {import("./core/words.js").Input} Input
 * @typedef {import("./edge/socket.js").Line} Line
 *
 * What the client asks of the world, so that a test can stand in for it:
 *
 * @typedef {{
 *   ticket: () => Promise<string>,
 *   connect: (heard: import("./edge/socket.js").Heard) => Promise<Line>,
 *   media: (tell: (call: string, input: Input) => void) => import("./edge/media.js").Media,
 *   now: () => number,
 *   after: (ms: number, then: () => void) => (() => void),
 *   random: () => number,
 * }} World
 */

import * as core from "./core/session.js";
import { fingerprints, hex } from "./core/safety.js";
import { uuid } from "./edge/uuid.js";

const REPLACED = 4001; // the same device connected elsewhere
const QUIET = 1_000; // ms of silence after which what arrived is acknowledged

export class Client {
  /** @type {Map<string, () => void>} */
  #timers = new Map();
  /** @type {Line | null} */
  #line = null;
  /** @type {Effect[]} */
  #waiting = [];
  #busy = false;
  #quiet = () => {};
  #retry = () => {};

  /**
   * @param {World} world @param {Session} session
   * @param {(event: import("./core/words.js").Event) => void} happened told every event, once
   * @param {(session: Session) => void} changed told each new value, to keep it over a reload
   */
  constructor(world, session, happened, changed) {
    this.world = world;
    this.session = session;
    this.happened = happened;
    this.changed = changed;
    this.media = world.media((call, input) => this.tell(call, input));
  }

  // What the application asks

  /** Connect, and stay connected until the session is over. */
  async open() {
    try {
      const ticket = await this.world.ticket();
      this.#line = await this.world.connect({
        frame: (message) => this.#do(core.received(this.session, message, this.world.now())),
        closed: (code) => this.#closed(code),
      });
      this.#do(core.opened(this.session, ticket));
    } catch (error) {
      if (/** @type {any} */ (error)?.status === 401) this.#signedOut("expired");
      else this.#do(core.closed(this.session, this.world.random()));
    }
  }

  /** Try at once, though the pause is not over: the network may be back. */
  retry() {
    this.#retry();
  }

  /** Hang up everything and say goodbye. */
  close() {
    for (const call of this.session.calls) this.tell(call.id, { input: "HangUp" });
    this.#do(core.left(this.session, this.world.now()));
    this.#line?.close(1000);
  }

  /**
   * Call somebody; the id under which its events come.
   *
   * @param {string} to @param {readonly import("./protocol.js").Media[]} media
   * @param {string | null} replaces the call whose other side asked for this one
   */
  place(to, media, replaces = null, id = uuid()) {
    this.#do(core.place(this.session, id, to, media, nonce(), replaces));
    return id;
  }

  /** Take a call that rings. @param {string} call */
  accept(call) {
    this.tell(call, { input: "Accept", nonce: nonce() });
  }

  /** What a person, the media or a clock says of a call. @param {string} call @param {Input} input */
  tell(call, input) {
    this.#do(core.tellCall(this.session, call, input, this.world.now()));
  }

  /** Send a text; the id under which its fate comes, of old if it was tried before. @param {string} to @param {string} text */
  write(to, text, id = uuid()) {
    this.#do(core.write(this.session, id, to, text));
    return id;
  }

  /** The person has read the conversation so far. @param {string} peer @param {number} seq */
  read(peer, seq) {
    this.#do(core.read(this.session, peer, seq));
  }

  /** The person has seen that these were missed. @param {readonly string[]} calls */
  missedSeen(calls) {
    this.#do(core.missedSeen(this.session, calls));
  }

  /** What was heard of a call. @param {Extract<import("./protocol.js").ClientMessage, {type: "heard"}>} message */
  report(message) {
    this.#do(core.report(this.session, message));
  }

  /** Have these descriptions the keys of those that a call began with? Its safety code holds only then. @param {string} call @param {string} ours @param {string} theirs */
  hasKeys(call, ours, theirs) {
    const begun = this.session.calls.find(({ id }) => id === call);
    const of = (/** @type {string[]} */ ...all) => JSON.stringify(all.map(fingerprints));
    return begun !== undefined && of(begun.ours, begun.theirs) === of(ours, theirs);
  }

  // How it is carried out

  /** @param {number} code */
  #closed(code) {
    this.#line = null;
    this.#quiet();
    if (code === REPLACED) this.#signedOut("replaced");
    else this.#do(core.closed(this.session, this.world.random()));
  }

  /** What the server did not say in so many words. @param {"replaced" | "expired"} reason */
  #signedOut(reason) {
    this.#do(core.left(this.session, this.world.now()));
    this.happened({ event: "Message", message: { type: "signed_out", reason } });
  }

  /** @param {core.Step} step */
  #do([session, effects]) {
    const moved = session !== this.session;
    this.session = session;
    this.#waiting.push(...effects);
    if (this.#busy) return; // an effect has led to this: it is carried out after those before it
    this.#busy = true;
    try {
      for (let effect = this.#waiting.shift(); effect; effect = this.#waiting.shift()) this.#carryOut(effect);
    } finally {
      this.#busy = false;
    }
    if (!moved) return;
    this.changed(this.session);
    this.#quiet();
    this.#quiet = this.world.after(QUIET, () => this.#do(core.acknowledge(this.session)));
  }

  /** @param {Effect} effect */
  #carryOut(effect) {
    switch (effect.effect) {
      case "Send": return this.#line?.send(effect.message);
      case "Tell": return this.happened(effect.event);
      case "StartTimer": return this.#startTimer(effect);
      case "StopTimer": return this.#stopTimer(`${effect.call} ${effect.timer}`);
      case "Drop": return this.#line?.close(3000);
      case "Reconnect": return this.#reconnect(effect.after);
      default: return this.media.carryOut(effect);
    }
  }

  /** @param {Extract<Effect, {effect: "StartTimer"}>} timer */
  #startTimer({ call, timer, deadline }) {
    const name = `${call} ${timer}`;
    this.#stopTimer(name);
    const left = Math.max(0, deadline - this.world.now());
    this.#timers.set(name, this.world.after(left, () => {
      this.#timers.delete(name);
      this.tell(call, { input: "TimedOut", timer });
    }));
  }

  /** @param {string} name */
  #stopTimer(name) {
    this.#timers.get(name)?.();
    this.#timers.delete(name);
  }

  /** @param {number} after */
  #reconnect(after) {
    const cancel = this.world.after(after, () => this.#retry());
    this.#retry = () => {
      cancel();
      this.#retry = () => {};
      void this.open();
    };
  }
}

/** 256 random bits, hex. */
export function nonce() {
  return hex(crypto.getRandomValues(new Uint8Array(32)));
}
