/**
 * The phone of this browser: one tab has the socket and the sound, the others show the same and ask it.
 *
 * Which tab it is, a lock says (Web Locks): it passes on when that tab closes, and whoever gets it takes the session
 * up where it was, from what the tab before has written down; so does a page that was reloaded.
 *
 * @typedef {import("./state.js").State} State
 * @typedef {import("./lead.js").Lead} Lead
 */

import { uuid } from "../edge/uuid.js";
import { forget, keepDevices } from "./kept.js";
import { callThem } from "./names.js";
import { empty } from "./state.js";

/** @type {import("./lead.js").Streams} */
const NOTHING = { remote: null, local: null };

export class Phone {
  /** @type {State} */
  state = empty;
  /** @type {Set<() => void>} */
  #shown = new Set();
  /** @type {Lead | null} of the tab that leads */
  #lead = null;
  /** @type {Map<string, any>} what the person did here and no tab has taken up yet: it may still be loading, or just closed */
  #asked = new Map();
  /** @type {Set<string>} what this tab has taken up of that, here and elsewhere */
  #taken = new Set();
  #others = new BroadcastChannel("wephone");
  #stopped = new AbortController();

  /** @param {string} user @param {() => void} left told when the person has signed out, in whichever tab */
  constructor(user, left) {
    this.user = user;
    this.left = left;
    this.state = { ...empty, me: user };
    this.#others.onmessage = ({ data }) => this.#told(data);
    this.#say({ ask: "state" });
    void this.#wait();
  }

  /** @param {() => void} shown called after each change @returns {() => void} */
  watch(shown) {
    this.#shown.add(shown);
    return () => this.#shown.delete(shown);
  }

  get leads() {
    return this.#lead !== null;
  }

  /** What there is to hear and see of a call, in the tab that leads. @param {string} call */
  shownStreams(call) {
    return this.#lead?.streams(call) ?? NOTHING;
  }

  // What a person does: here, or in the tab that leads

  /** @param {string} to @param {readonly ("audio" | "video")[]} media */
  call(to, media = ["audio"]) {
    this.#do({ do: "call", to, media });
  }

  /** Place a call that the account has asked for elsewhere. @param {string} call */
  take(call) {
    this.#do({ do: "take", call });
  }

  /** Not from here. @param {string} call */
  notNow(call) {
    this.#do({ do: "notNow", call });
  }

  /** @param {string} call */
  answer(call) {
    this.#do({ do: "answer", call });
  }

  /** @param {string} call @param {"declined" | "busy"} [reason] */
  decline(call, reason = "declined") {
    this.#do({ do: "decline", call, reason });
  }

  /** @param {string} call */
  hangUp(call) {
    this.#do({ do: "hangUp", call });
  }

  /** @param {string} call @param {boolean} muted */
  mute(call, muted) {
    this.#do({ do: "mute", call, muted });
  }

  /** @param {string} call @param {boolean} held */
  hold(call, held) {
    this.#do({ do: "hold", call, held });
  }

  /** Keys, to the telephone that is called. @param {string} call @param {string} digits */
  press(call, digits) {
    this.#do({ do: "press", call, digits });
  }

  /** The other side is to talk with somebody else instead. @param {string} call @param {string} to */
  handOver(call, to) {
    this.#do({ do: "handOver", call, to });
  }

  /** The other sides of two calls are to talk with each other. @param {import("./state.js").Call} call @param {import("./state.js").Call} other */
  connect(call, other) {
    this.#do({ do: "handOver", call: call.id, to: other.peer, toCall: other.id });
  }

  /** Show oneself, or no longer. @param {string} call @param {boolean} on */
  video(call, on) {
    this.#do({ do: "video", call, on });
  }

  /** The person has seen how it ended. @param {string} call */
  dismiss(call) {
    this.#do({ do: "dismiss", call });
  }

  /** @param {string} to @param {string} text */
  write(to, text) {
    this.#do({ do: "write", to, text });
  }

  /** @param {string} peer */
  read(peer) {
    if (this.state.conversations[peer]?.unread) this.#do({ do: "read", peer });
  }

  /** @param {string} peer */
  older(peer) {
    this.#do({ do: "older", peer });
  }

  /** Conversations that are further down the list. */
  moreConversations() {
    this.#do({ do: "moreConversations" });
  }

  /** A contact has been added, has another name, or is none any more. */
  contactsChanged() {
    this.#do({ do: "contacts" });
  }

  missedSeen() {
    if (this.state.missed.length) this.#do({ do: "missedSeen" });
  }

  /** Other devices, for the calls that run and those to come. @param {import("./kept.js").Chosen} chosen */
  changeDevices(chosen) {
    keepDevices(chosen);
    this.#do({ do: "devices", chosen });
  }

  /**
   * In every tab: hang up, and let go of the socket; unless the session was over by itself, nothing of the person stays.
   *
   * @param {boolean} isOver
   */
  leave(isOver) {
    this.#say({ left: true, isOver });
    this.#leave(isOver);
  }

  /** Somebody else has signed in, in another tab. */
  makeWay() {
    this.#leave(true);
  }

  /** @param {boolean} keeps what they have written */
  #leave(keeps) {
    this.#lead?.close();
    if (!keeps) forget(this.user);
    this.#stopped.abort();
    this.#others.close();
  }

  /** @param {any} action */
  #do(action) {
    if (this.#lead) return this.#lead.act(action);
    const id = uuid();
    this.#asked.set(id, action);
    return this.#say({ do: action, id });
  }

  /** Another tab may ask twice, if this one began to lead in between. @param {string} id @param {any} action */
  #take(id, action) {
    this.#say({ took: id });
    if (this.#taken.has(id)) return;
    this.#taken.add(id);
    this.#lead?.act(action);
  }

  /** @param {any} message */
  #say(message) {
    this.#others.postMessage({ ...message, of: this.user });
  }

  /** @param {any} message */
  #told(message) {
    if (message.of !== this.user) return;
    if (message.left) {
      this.#leave(message.isOver);
      this.left();
    } else if (message.state) {
      if (!this.#lead) this.#draw(message.state);
    } else if (message.took) this.#asked.delete(message.took);
    else if (message.leads) for (const [id, action] of this.#asked) this.#say({ do: action, id });
    else if (this.#lead && message.ask === "state") this.#say({ state: this.state });
    else if (this.#lead && message.do) this.#take(message.id, message.do);
  }

  /** Until this tab leads; and then until the session or this page is over. */
  async #wait() {
    const { signal } = this.#stopped;
    if (!navigator.locks) return this.#serve(); // a page without HTTPS: each tab is alone
    try {
      await navigator.locks.request("wephone", { signal }, () => this.#serve());
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #serve() {
    const { Lead } = await import("./lead.js");
    if (this.#stopped.signal.aborted) return;
    const { user } = this;
    const phone = this;
    const lead = new Lead({
      user,
      get state() {
        return phone.state;
      },
      show: (state) => {
        this.#draw(state);
        this.#say({ state });
      },
    });
    this.#lead = lead;
    this.#draw(this.state);
    this.#say({ leads: true });
    for (const action of this.#asked.values()) lead.act(action);
    this.#asked.clear();
    await /** @type {Promise<void>} */ (new Promise((over) => this.#stopped.signal.addEventListener("abort", () => over())));
  }

  /** @param {State} state */
  #draw(state) {
    this.state = state;
    callThem(state.names);
    for (const shown of this.#shown) shown();
  }
}
