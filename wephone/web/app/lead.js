/**
 * The tab that leads: it has the socket and the sound, and does what the person asks, here or in another tab.
 *
 * @typedef {import("./state.js").State} State
 * @typedef {import("../core/session.js").Session} Session
 * @typedef {import("../protocol.js").Media} Media
 * @typedef {Readonly<{remote: MediaStream | null, local: MediaStream | null}>} Streams
 * @typedef {(call: string, input: import("../core/words.js").Input) => void} Tell
 */

import { Client } from "../client.js";
import * as core from "../core/session.js";
import { ask } from "../edge/http.js";
import { Calls, chosen } from "../edge/media.js";
import { connect } from "../edge/socket.js";
import { levelOf, moveSound } from "../edge/sounds.js";
import { device, hidesAddress, keep, kept, keptDevices, takenUp, unsent, wakes } from "./kept.js";
import { inAll, judge, read } from "./quality.js";
import { Relays } from "./relays.js";
import { begun, callOf, happened, listed, older, withCall, withConversation, withoutAsked, withoutCall, written } from "./state.js";
import { spoken, watchLanguage } from "./first-words.js";

const PAGE = 50; // texts at a time
const QUALITY = 2_000; // ms between two looks at how a call sounds
const SAID = 5; // of these looks between two that the server is told of
const PATIENCE = 2_000; // ms for a connection that is cut to come back by itself
const AGAIN = 8_000; // ms for a fresh connection to come about, before the next one is tried
const LOUD = 0.08; // of a microphone, 0 to 1: somebody talks
const TALK = 3; // readings, a tenth of a second each, that make it talking and not a cough

/** @type {Streams} */
const NOTHING = { remote: null, local: null };

export class Lead {
  /** @type {Map<string, Streams>} */
  #streams = new Map();
  /** @type {Map<string, ReturnType<typeof read>>} */
  #heard = new Map();
  /** @type {Map<string, () => void>} */
  #renewals = new Map();
  /** @type {Map<string, () => void>} */
  #ears = new Map();
  #looks = 0;
  #over = new AbortController();

  /** @param {{user: string, state: State, show: (state: State) => void}} phone */
  constructor(phone) {
    this.phone = phone;
    Object.assign(chosen, keptDevices());
    const before = kept(phone.user);
    const session = before?.session ?? core.begin(device(), known());
    const now = () => performance.timeOrigin + performance.now();
    this.relays = new Relays(now);
    const world = {
      ticket: async () => (await ask("POST", "/api/ticket")).ticket,
      connect,
      media: (/** @type {Tell} */ tell) => this.#media(tell),
      now,
      after,
      random: Math.random,
    };
    this.client = new Client(world, session, (event) => this.#happened(event), (value) => this.#keep(value));
    this.calls = /** @type {Calls} */ (this.client.media);
    this.#takeUp(session, before?.state ?? null);
    this.#sendAgain();
    this.#over.signal.addEventListener("abort", watchLanguage(() => this.#keepWaking()));
    addEventListener("online", () => this.#networkIsBack(), { signal: this.#over.signal });
    navigator.mediaDevices?.addEventListener("devicechange", () => this.#microphoneIsBack(), { signal: this.#over.signal });
    const timer = setInterval(() => void this.#listen(), QUALITY);
    this.#over.signal.addEventListener("abort", () => clearInterval(timer));
    void this.client.open();
  }

  /** Hang up, and let go of the socket. */
  close() {
    this.client.close();
    this.#over.abort(); // after the calls' ends have been shown
    for (const cancel of [...this.#renewals.values(), ...this.#ears.values()]) cancel();
  }

  /** What there is to hear and see of a call. @param {string} call */
  streams(call) {
    return this.#streams.get(call) ?? NOTHING;
  }

  // What a person does

  /** @param {any} action */
  act(action) {
    const { client, state } = this;
    switch (action.do) {
      case "call": return this.#place(action);
      case "take": return state.asked.filter(({ call }) => call === action.call).forEach((asked) => this.#place(asked));
      case "notNow": return this.show(withoutAsked(state, action.call));
      case "answer": return this.#answer(action.call);
      case "decline": return client.tell(action.call, { input: "Decline", reason: action.reason });
      case "hangUp": return client.tell(action.call, { input: "HangUp" });
      case "mute": return this.#mute(action.call, action.muted);
      case "hold":
        if (!action.held) this.#putAside(action.call);
        return this.#change(action.call, action.held);
      case "handOver": return this.#handOver(action);
      case "press": return void this.calls.of(action.call)?.press(action.digits);
      case "video": return this.#video(action.call, action.on);
      case "devices": return void this.#changeDevices(action.chosen);
      case "dismiss": return this.show(withoutCall(state, action.call));
      case "write": return this.#write(action.to, action.text);
      case "read": return this.#read(action.peer);
      case "older": return void this.#older(action.peer);
      case "moreConversations": return void this.#conversations(state.moreConversations);
      case "contacts": return void this.#contacts();
      case "missedSeen":
        client.missedSeen(state.missed.map(({ call }) => call));
        return this.show({ ...state, missed: [] });
      default: return undefined;
    }
  }

  /** @param {{to: string, media: readonly Media[], replaces?: string | null, call?: string}} wish `call`: its id, if it has one already */
  #place({ to, media, replaces = null, call }) {
    this.#putAside();
    const id = this.client.place(to, media, replaces, call);
    this.calls.make(id).wantsCamera = media.includes("video");
    const state = withoutAsked(this.state, id);
    this.show({ ...state, calls: [...state.calls, { ...begun(id, to, "caller", media), replaces }] });
  }

  /** The other side is to call somebody else, or is put through to the other side of another call. @param {{call: string, to: string, toCall?: string}} wish */
  #handOver({ call, to, toCall }) {
    this.show(withCall(this.state, call, { handedTo: to, handFault: null }));
    this.client.tell(call, toCall ? { input: "Transfer", to_call: toCall } : { input: "Transfer", to });
  }

  /** A call in the place of another that came to nothing: the other goes on. @param {string} call */
  #goBack(call) {
    const known = callOf(this.state, call);
    if (known?.replaces && known.since === null) this.act({ do: "hold", call: known.replaces, held: false });
  }

  /** @param {string} call */
  #answer(call) {
    const known = callOf(this.state, call);
    if (known?.stage !== "ringing" && known?.stage !== "answering") return;
    this.#putAside();
    this.calls.make(call).wantsCamera = known.media.includes("video");
    this.client.accept(call);
    this.show(withCall(this.state, call, { stage: "answering" }));
  }

  /** @param {string} call @param {boolean} muted */
  #mute(call, muted) {
    this.calls.of(call)?.mute(muted);
    this.show(withCall(this.state, call, { muted, talksMuted: false }));
    this.#overhear(call, muted);
  }

  /** Does somebody talk who is muted? @param {string} call @param {boolean} muted */
  #overhear(call, muted) {
    this.#ears.get(call)?.();
    this.#ears.delete(call);
    const stream = muted ? this.calls.of(call)?.overhear() : null;
    if (!stream?.getTracks().length) return;
    let loud = 0;
    const quiet = levelOf(stream, (level) => {
      loud = level > LOUD ? Math.min(loud + 1, 2 * TALK) : Math.max(loud - 0.2, 0);
      const talksMuted = callOf(this.state, call)?.talksMuted ? loud > 0 : loud >= TALK;
      if (callOf(this.state, call)?.talksMuted !== talksMuted) this.show(withCall(this.state, call, { talksMuted }));
    });
    this.#ears.set(call, () => {
      quiet();
      for (const track of stream.getTracks()) track.stop();
    });
  }

  /** A camera here; the call has video while either side shows itself. @param {string} call @param {boolean} on */
  #video(call, on) {
    const known = callOf(this.state, call);
    const media = this.calls.of(call);
    if (!known || !media) return;
    media.wantsCamera = on;
    const shows = on || known.farVideo;
    this.show(withCall(this.state, call, { cameraFault: null }));
    this.client.tell(call, { input: "Change", media: shows ? ["audio", "video"] : ["audio"], hold: known.heldHere });
  }

  /** Nobody talks with two at once: the other calls are held. @param {string} [but] */
  #putAside(but) {
    const isTalkedIn = (/** @type {import("./state.js").Call} */ { id, stage, heldHere }) =>
      id !== but && !heldHere && ["connecting", "talking", "reconnecting"].includes(stage);
    for (const { id } of this.state.calls.filter(isTalkedIn)) this.#change(id, true);
  }

  /** @param {string} call @param {boolean} hold */
  #change(call, hold) {
    const known = callOf(this.state, call);
    if (known) this.client.tell(call, { input: "Change", media: /** @type {Media[]} */ (known.media), hold });
  }

  /** @param {import("./kept.js").Chosen} picked */
  async #changeDevices({ microphone, speaker, camera }) {
    Object.assign(chosen, { microphone, speaker, camera });
    moveSound();
    for (const { id, muted } of this.state.calls) {
      // One that cannot be opened leaves the one that works: the view where it was chosen says why.
      await this.calls.of(id)?.changeDevices().catch(() => {});
      this.#overhear(id, muted);
    }
  }

  /** @param {string} to @param {string} text */
  #write(to, text) {
    const message = this.client.write(to, text);
    this.show(written(this.state, message, to, text, Date.now() * 1000));
  }

  /** What the person wrote in a session that ended before it got through. */
  #sendAgain() {
    const { user } = this.phone;
    for (const text of unsent(user)) {
      if (text.fate === "waiting") this.client.write(text.to, text.text, text.message);
      this.show(withConversation(this.state, text.to, (known) => ({ ...known, texts: [...known.texts, text] })));
    }
    takenUp(user);
  }

  /** @param {string} peer */
  #read(peer) {
    const { texts } = this.state.conversations[peer];
    const theirs = texts.filter(({ sender, seq }) => sender === peer && seq !== null);
    if (theirs.length) this.client.read(peer, Number(theirs[theirs.length - 1].seq));
    this.show(withConversation(this.state, peer, (known) => ({ ...known, unread: 0 })));
  }

  /** @param {string} peer */
  async #older(peer) {
    const known = this.state.conversations[peer];
    if (known?.listing === "had" && known.before === null) return;
    const list = (/** @type {"asked" | "failed"} */ listing) => this.show(withConversation(this.state, peer, (so) => ({ ...so, listing })));
    if (known?.listing === "failed") list("asked");
    const from = known?.before ? `&before=${known.before}` : "";
    const page = await ask("GET", `/api/history/texts/${encodeURIComponent(peer)}?limit=${PAGE}${from}`).catch(() => null);
    if (page) this.show(older(this.state, peer, page.texts, page.before ?? null));
    else if (this.state.conversations[peer]?.listing !== "had") list("failed");
  }

  /** With whom there are texts: the first page, or the one before that seq. @param {number | null} before */
  async #conversations(before) {
    const from = before ? `&before=${before}` : "";
    const page = await ask("GET", `/api/history/conversations?limit=${PAGE}${from}`).catch(() => null);
    this.show(page ? listed(this.state, page) : { ...this.state, listing: "failed" });
  }

  /** What this person calls people. */
  async #contacts() {
    const found = await ask("GET", "/api/contacts").catch(() => null);
    const pairs = found?.contacts.map((/** @type {{user: string, name: string}} */ { user, name }) => [user, name]);
    if (pairs) this.show({ ...this.state, names: Object.fromEntries(pairs) });
  }

  // The session

  get state() {
    return this.phone.state;
  }

  /** @param {State} state */
  show(state) {
    if (this.#over.signal.aborted) return; // signed out: nothing stays behind
    const before = this.state;
    this.phone.show(state);
    if (state.calls !== before.calls) void this.#beside(before.calls, state.calls);
    const isNew = state.calls !== before.calls || state.conversations !== before.conversations;
    if (isNew && this.client) keep(this.phone.user, this.client.session, state);
  }

  /** @param {State["calls"]} before @param {State["calls"]} now */
  async #beside(before, now) {
    const { changed } = await import("./beside.js");
    await changed(before, now, (action) => this.act(action)).catch(() => {}); // a call goes on without all that
  }

  /** @param {Session} session */
  #keep(session) {
    if (this.#over.signal.aborted) return;
    keep(this.phone.user, session, this.state);
    if (session.link === this.state.link) return;
    this.show({ ...this.state, link: session.link });
    if (session.link === "up") this.#linkIsBack();
  }

  /**
   * Calls of the page before: their sound was that page's, so they get a fresh connection, once there is a link.
   *
   * @param {Session} session @param {State | null} shown what it showed last
   */
  #takeUp(session, shown) {
    const before = shown ?? this.state;
    this.show({ ...this.state, conversations: before.conversations, missed: before.missed, names: before.names ?? {}, calls: [] });
    for (const { id, role, peer, phase, change } of session.calls) {
      if (phase !== "active") {
        this.client.tell(id, { input: "HangUp" });
        continue;
      }
      const known = callOf(before, id) ?? begun(id, peer, role, change.media);
      const again = { ...known, stage: /** @type {const} */ ("reconnecting"), quality: null, talksMuted: false };
      this.show({ ...this.state, calls: [...this.state.calls, again] });
      const media = this.calls.make(id);
      media.wantsCamera = known.camera;
      media.muted = known.muted;
      this.calls.carryOut({ effect: "StartMedia", call: id });
    }
  }

  /** @param {import("../core/words.js").Event} event */
  #happened(event) {
    if (event.event === "Rings") this.relays.prepare();
    if (event.event === "Ended") {
      this.#forget(event.call);
      this.#goBack(event.call);
    }
    const isOurs = event.event === "ChangeDeclined" && callOf(this.state, event.call)?.stage === "reconnecting";
    if (isOurs && !event.refusal) return this.calls.of(event.call)?.renewKey(); // a fresh connection that did not come about: it is tried again
    this.show(happened(this.state, event, Date.now()));
    if (event.event === "Rings") this.#rings(event.call);
    // Whoever hands the call over pays for this one, and theirs ends when it is answered.
    if (event.event === "Transferred") this.#place({ to: event.to, media: ["audio"], replaces: event.call });
  }

  /** It rings; or somebody is put through, and there is nothing to ask. @param {string} call */
  #rings(call) {
    if (callOf(this.state, call)?.stage === "answering") this.#answer(call);
    else this.client.tell(call, { input: "Ring" });
  }

  /** @param {string} call */
  #forget(call) {
    this.#streams.delete(call);
    this.#heard.delete(call);
    for (const kept of [this.#renewals, this.#ears]) {
      kept.get(call)?.();
      kept.delete(call);
    }
  }

  // Media, and the network under it

  /** To the server, what is heard of a call. @param {string} call @param {RTCStatsReport[]} counted @param {{so_far?: boolean}} [more] */
  #say(call, counted, more) {
    const said = inAll(call, counted);
    if (said) this.client.report({ ...said, ...more });
  }

  /** @param {Tell} tell */
  #media(tell) {
    return new Calls(tell, () => this.relays.servers(), {
      remote: (call, remote) => this.#streamed(call, { remote }),
      local: (call, local) => this.#streamed(call, { local }),
      camera: (call, camera, cameraFault) => this.show(withCall(this.state, call, { camera, cameraFault })),
      microphone: (call, microphoneFault) => this.show(withCall(this.state, call, { microphoneFault })),
      sees: (call, farVideo) => this.show(withCall(this.state, call, { farVideo })),
      early: (call) => { if (callOf(this.state, call)?.early) this.show(withCall(this.state, call, { early: "heard" })); },
      renewed: (call, ours, theirs) => {
        this.#heard.delete(call); // what the connection before had counted says nothing of this one
        this.show(withCall(this.state, call, { isCodeStale: !this.client.hasKeys(call, ours, theirs) }));
      },
      state: (call, state) => this.#connection(call, state),
      heard: (call, counted) => this.#say(call, counted),
    }, () => (hidesAddress() ? "relay" : "all"), (call) => callOf(this.state, call)?.telephone ?? false);
  }

  /** @param {string} call @param {Partial<Streams>} found */
  #streamed(call, found) {
    this.#streams.set(call, { ...this.streams(call), ...found });
    this.show(this.state);
  }

  /** @param {string} call @param {RTCPeerConnectionState} state */
  #connection(call, state) {
    const known = callOf(this.state, call);
    if (!known || known.stage === "ended") return;
    if (state === "connected") {
      this.#renewals.get(call)?.();
      this.#renewals.delete(call);
      this.show(withCall(this.state, call, { stage: "talking", since: known.since ?? Date.now() }));
      this.#overhear(call, known.muted);
    } else if (known.since !== null && (state === "disconnected" || state === "failed")) {
      this.show(withCall(this.state, call, { stage: "reconnecting", quality: null }));
      if (state === "failed") this.#renew(call);
      else if (!this.#renewals.has(call)) this.#renewIn(call, PATIENCE);
    }
  }

  /** @param {string} call @param {number} ms */
  #renewIn(call, ms) {
    this.#renewals.get(call)?.();
    this.#renewals.set(call, after(ms, () => this.#renew(call)));
  }

  /** The network has changed under a call: a fresh connection takes over, as often as it takes. @param {string} call */
  #renew(call) {
    const media = this.calls.of(call);
    const known = callOf(this.state, call);
    if (!media || known?.stage !== "reconnecting") return;
    this.#renewIn(call, AGAIN);
    if (this.state.link !== "up") return; // nobody would hear the offer: as soon as the link is back
    media.renew();
    this.#change(call, known.heldHere);
  }

  #linkIsBack() {
    void this.#conversations(null);
    void this.#contacts();
    this.#keepWaking();
    this.relays.prepare();
    for (const { id } of this.state.calls.filter(({ stage }) => stage === "reconnecting")) {
      if (this.calls.of(id)?.way) this.#renewIn(id, PATIENCE);
      else this.#renew(id); // taken up from another page; what is found before there is a link would be lost
    }
  }

  #keepWaking() {
    if (wakes(this.phone.user)) void import("./waking.js").then(({ keepWaking }) => keepWaking(this.phone.user));
  }

  #networkIsBack() {
    this.client.retry();
    for (const { id, stage } of this.state.calls) if (stage === "reconnecting") this.#renew(id);
  }

  /** Another microphone, perhaps, for whoever has none in a call that runs. */
  #microphoneIsBack() {
    if (this.state.calls.some(({ microphoneFault }) => microphoneFault)) void this.#changeDevices(chosen);
  }

  /** How each call sounds. */
  async #listen() {
    const isTold = ++this.#looks % SAID === 0;
    for (const { id, stage, muted, heldHere, heldThere, telephone } of this.state.calls) {
      const counted = (stage === "talking" && await this.calls.of(id)?.counted()) || [];
      if (!counted.length) continue;
      if (isTold && !telephone) this.#say(id, counted, { so_far: true }); // of a telephone call the bridge counts
      const now = read(counted[counted.length - 1]);
      const before = this.#heard.get(id);
      this.#heard.set(id, now);
      if (!before) continue;
      const quality = judge(before, now, { muted, held: heldHere || heldThere });
      const shown = callOf(this.state, id)?.quality;
      if (shown?.bars !== quality.bars || shown.cause !== quality.cause) this.show(withCall(this.state, id, { quality }));
    }
  }
}

/** @param {number} ms @param {() => void} then @returns {() => void} what takes it back */
function after(ms, then) {
  const timer = setTimeout(then, ms);
  return () => clearTimeout(timer);
}

/** What the server shows of this device. */
function known() {
  const { userAgent } = navigator;
  const browser = /Firefox|Edg|Chrome|Safari/.exec(userAgent)?.[0] ?? "browser";
  const system = /Android|iPhone|iPad|Windows|Mac OS|Linux/.exec(userAgent)?.[0] ?? "";
  return {
    device_name: `${browser === "Edg" ? "Edge" : browser} ${system}`.trim(),
    client: "WePhone web",
    features: ["hold", "texts", "receipts", "safety-code", "transfer", "dial", `speak-${spoken()}`],
  };
}
