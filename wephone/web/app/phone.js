/**
 * The phone of this browser: one tab has the socket and the sound, the others show the same and ask it.
 *
 * Which tab it is, a lock says (Web Locks): it passes on when that tab closes, and whoever gets it takes the session
 * up where it was, from what the tab before has written down; so does a page that was reloaded.
 *
 * @typedef {import("./state.js").State} State
 * @typedef {import("../core/session.js").Session} Session
 * @typedef {(call: string, input: import("../core/words.js").Input) => void} Tell
 */

import { Client } from "../client.js";
import * as core from "../core/session.js";
import { ask } from "../edge/http.js";
import { connect } from "../edge/socket.js";
import { judge, read } from "./quality.js";
import { begun, callOf, empty, happened, older, withCall, withConversation, withoutCall, written } from "./state.js";

const KEPT = "wephone session"; // in localStorage: the session as the core has it, without any secret
const DEVICE = "wephone device";
const PAGE = 50; // texts at a time
const QUALITY = 2_000; // ms between two looks at how a call sounds

/** @typedef {Readonly<{remote: MediaStream | null, local: MediaStream | null}>} Streams */

/** @type {Streams} */
const NOTHING = { remote: null, local: null };

export class Phone {
  /** @type {State} */
  state = empty;
  /** @type {Set<() => void>} */
  #shown = new Set();
  /** @type {Client | null} of the tab that leads */
  #client = null;
  /** @type {import("../edge/media.js").Calls | null} */
  #calls = null;
  /** @type {Map<string, Streams>} */
  #streams = new Map();
  #others = new BroadcastChannel("wephone");
  #stopped = new AbortController();
  /** @type {RTCIceTransportPolicy} */
  policy = "all";

  /** @param {string} user */
  constructor(user) {
    this.user = user;
    this.state = { ...empty, me: user };
    this.#others.onmessage = ({ data }) => this.#told(data);
    this.#others.postMessage({ ask: "state" });
    void this.#lead();
  }

  /** @param {() => void} shown called after each change @returns {() => void} */
  watch(shown) {
    this.#shown.add(shown);
    return () => this.#shown.delete(shown);
  }

  get leads() {
    return this.#client !== null;
  }

  // What a person does: here, or in the tab that leads

  /** @param {string} to @param {readonly ("audio" | "video")[]} media @param {boolean} [telephone] */
  call(to, media = ["audio"], telephone = false) {
    this.#do({ do: "call", to, media, telephone });
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

  /** @param {string} call @param {readonly ("audio" | "video")[]} media @param {boolean} hold */
  change(call, media, hold) {
    this.#do({ do: "change", call, media, hold });
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

  missedSeen() {
    if (this.state.missed.length) this.#do({ do: "missedSeen" });
  }

  /** The devices that were chosen have changed. */
  async changeDevices() {
    for (const { id } of this.state.calls) await this.#calls?.of(id)?.changeDevices();
  }

  /** Signed out: hang up, forget the session, let go of the socket. */
  leave() {
    this.#client?.close();
    localStorage.removeItem(KEPT);
    this.#stopped.abort();
    this.#others.close();
  }

  /** @param {any} action */
  #do(action) {
    if (this.#client) this.#act(action);
    else this.#others.postMessage(action);
  }

  /** @param {any} message */
  #told(message) {
    if (message.state) {
      if (!this.#client) this.#show(message.state);
    } else if (this.#client && message.ask === "state") this.#others.postMessage({ state: this.state });
    else if (this.#client && message.do) this.#act(message);
  }

  // The tab that leads

  async #lead() {
    try {
      await navigator.locks.request("wephone", { signal: this.#stopped.signal }, () => this.#serve());
    } catch (error) {
      if (!this.#stopped.signal.aborted) throw error;
    }
  }

  /** Until the session or this page is over. */
  async #serve() {
    const media = await import("../edge/media.js");
    const session = kept(this.user) ?? core.begin(device(), known());
    const world = {
      ticket: async () => (await ask("POST", "/api/ticket")).ticket,
      connect,
      media: (/** @type {Tell} */ tell) => this.#media(media, tell),
      now: () => performance.timeOrigin + performance.now(),
      after: (/** @type {number} */ ms, /** @type {() => void} */ then) => {
        const timer = setTimeout(then, ms);
        return () => clearTimeout(timer);
      },
      random: Math.random,
    };
    const client = new Client(world, session, (event) => this.#happened(event), (value) => this.#keep(value));
    this.#client = client;
    this.#takeUp(session);
    void client.open();
    addEventListener("online", () => client.retry());
    setInterval(() => void this.#listen(), QUALITY);
    await /** @type {Promise<void>} */ (new Promise((over) => this.#stopped.signal.addEventListener("abort", () => over())));
  }

  /** Calls of the page before: their sound was that page's, so they get a fresh connection. @param {Session} session */
  #takeUp(session) {
    for (const { id, role, peer, phase, change } of session.calls) {
      if (phase !== "active") {
        this.#client?.tell(id, { input: "HangUp" });
        continue;
      }
      const call = begun(id, peer, role, change.media, false);
      const since = Number(sessionStorage.getItem(`since ${id}`)) || Date.now();
      const again = { ...call, stage: /** @type {const} */ ("reconnecting"), since, isCodeStale: true };
      this.#show({ ...this.state, calls: [...this.state.calls.filter((each) => each.id !== id), again] });
      this.#calls?.carryOut({ effect: "StartMedia", call: id });
      this.#client?.tell(id, { input: "Change", media: change.media, hold: change.held_here });
    }
  }

  /** @param {typeof import("../edge/media.js")} media @param {Tell} tell */
  #media(media, tell) {
    const servers = async () => (await ask("GET", "/api/turn")).ice_servers.map(iceServer);
    this.#calls = new media.Calls(tell, servers, {
      remote: (call, remote) => this.#streamed(call, { remote }),
      local: (call, local) => this.#streamed(call, { local }),
      state: (call, state) => this.#connection(call, state),
    }, this.policy);
    return this.#calls;
  }

  /** What there is to hear and see of a call, in the tab that leads. @param {string} call */
  shownStreams(call) {
    return this.#streams.get(call) ?? NOTHING;
  }

  /** @param {string} call @param {Partial<Streams>} found */
  #streamed(call, found) {
    this.#streams.set(call, { ...this.shownStreams(call), ...found });
    this.#show(this.state);
  }

  /** @param {string} call @param {RTCPeerConnectionState} state */
  #connection(call, state) {
    const known = callOf(this.state, call);
    if (!known || known.stage === "ended") return;
    if (state === "connected") {
      const since = known.since ?? Date.now();
      sessionStorage.setItem(`since ${call}`, String(since));
      this.#show(withCall(this.state, call, { stage: "talking", since }));
    } else if (state === "disconnected" || state === "failed") {
      this.#show(withCall(this.state, call, { stage: "reconnecting" }));
      if (state === "failed") this.#renew(call);
    }
  }

  /** The network has changed under a call: a fresh connection takes over. @param {string} call */
  #renew(call) {
    const media = this.#calls?.of(call);
    const known = callOf(this.state, call);
    if (!media || !known) return;
    media.renew();
    this.#client?.tell(call, { input: "Change", media: /** @type {any} */ (known.media), hold: known.heldHere });
    this.#show(withCall(this.state, call, { isCodeStale: true }));
  }

  /** @type {Map<string, ReturnType<typeof read>>} */
  #heard = new Map();

  /** How each call sounds. */
  async #listen() {
    for (const { id, stage, muted, heldHere, heldThere } of this.state.calls) {
      const report = stage === "talking" ? await this.#calls?.of(id)?.stats() : null;
      if (!report) continue;
      const now = read(report);
      const before = this.#heard.get(id);
      this.#heard.set(id, now);
      if (!before) continue;
      const quality = judge(before, now, { muted, held: heldHere || heldThere });
      const known = callOf(this.state, id)?.quality;
      if (known?.bars !== quality.bars || known.cause !== quality.cause) this.#show(withCall(this.state, id, { quality }));
    }
  }

  /** @param {any} action */
  #act(action) {
    const client = /** @type {Client} */ (this.#client);
    switch (action.do) {
      case "call": {
        const id = client.place(action.to, action.media);
        return this.#show({ ...this.state, calls: [...this.state.calls, begun(id, action.to, "caller", action.media, action.telephone)] });
      }
      case "answer":
        client.accept(action.call);
        return this.#show(withCall(this.state, action.call, { stage: "answering" }));
      case "decline": return client.tell(action.call, { input: "Decline", reason: action.reason });
      case "hangUp": return client.tell(action.call, { input: "HangUp" });
      case "mute":
        this.#calls?.of(action.call)?.mute(action.muted);
        return this.#show(withCall(this.state, action.call, { muted: action.muted }));
      case "change": return client.tell(action.call, { input: "Change", media: action.media, hold: action.hold });
      case "dismiss": return this.#show(withoutCall(this.state, action.call));
      case "write": return this.#write(client, action.to, action.text);
      case "read": return this.#read(client, action.peer);
      case "older": return void this.#older(action.peer);
      case "missedSeen":
        client.missedSeen(this.state.missed.map(({ call }) => call));
        return this.#show({ ...this.state, missed: [] });
      default: return undefined;
    }
  }

  /** @param {Client} client @param {string} to @param {string} text */
  #write(client, to, text) {
    const message = client.write(to, text);
    this.#show(written(this.state, message, to, text, Date.now() * 1000));
  }

  /** @param {Client} client @param {string} peer */
  #read(client, peer) {
    const { texts } = this.state.conversations[peer];
    const theirs = texts.filter(({ sender, seq }) => sender === peer && seq !== null);
    if (theirs.length) client.read(peer, Number(theirs[theirs.length - 1].seq));
    this.#show(withConversation(this.state, peer, (known) => ({ ...known, unread: 0 })));
  }

  /** @param {string} peer */
  async #older(peer) {
    const known = this.state.conversations[peer];
    if (known?.isLoaded && known.before === null) return;
    const from = known?.before ? `&before=${known.before}` : "";
    const page = await ask("GET", `/api/history/texts/${encodeURIComponent(peer)}?limit=${PAGE}${from}`);
    this.#show(older(this.state, peer, page.texts, page.before ?? null));
  }

  /** @param {import("../core/words.js").Event} event */
  #happened(event) {
    if (event.event === "Rings") this.#client?.tell(event.call, { input: "Ring" });
    if (event.event === "Ended") {
      this.#streams.delete(event.call);
      sessionStorage.removeItem(`since ${event.call}`);
    }
    this.#show(happened(this.state, event, Date.now()));
  }

  /** @param {Session} session */
  #keep(session) {
    localStorage.setItem(KEPT, JSON.stringify({ user: this.user, session }));
    if (session.link !== this.state.link) this.#show({ ...this.state, link: session.link });
  }

  /** @param {State} state */
  #show(state) {
    this.state = state;
    if (this.#client) this.#others.postMessage({ state });
    for (const shown of this.#shown) shown();
  }
}

/** The session that the tab before has kept, if it was this user's. @param {string} user @returns {Session | null} */
function kept(user) {
  try {
    const found = JSON.parse(localStorage.getItem(KEPT) ?? "null");
    return found?.user === user && found.session.link !== "over" ? { ...found.session, link: "down", failures: 0 } : null;
  } catch {
    return null; // another version of the app wrote it
  }
}

/** This browser's device id: made once, and kept. */
function device() {
  const known = localStorage.getItem(DEVICE) ?? crypto.randomUUID();
  localStorage.setItem(DEVICE, known);
  return known;
}

/** What the server shows of this device. */
function known() {
  const { userAgent } = navigator;
  const browser = /Firefox|Edg|Chrome|Safari/.exec(userAgent)?.[0] ?? "browser";
  const system = /Android|iPhone|iPad|Windows|Mac OS|Linux/.exec(userAgent)?.[0] ?? "";
  return {
    device_name: `${browser === "Edg" ? "Edge" : browser} ${system}`.trim(),
    client: "WePhone web",
    features: ["hold", "texts", "receipts", "safety-code"],
  };
}

/** @param {{urls: string[], username: string | null, credential: string | null}} server @returns {RTCIceServer} */
function iceServer({ urls, username, credential }) {
  return username && credential ? { urls, username, credential } : { urls };
}
