/**
 * The client's half of a session: one device's stay on a server, over connections that break.
 *
 * Told what arrives and what the application wants, it answers with effects and its next value: see
 * wephone/core/session.py. Everything an application hears, it hears once: events have numbers, texts have
 * sequence numbers. Each function here gives `[session, effects]`.
 *
 * @typedef {import("./state.js").Call} Call
 * @typedef {import("./words.js").Effect} Effect
 * @typedef {import("../protocol.js").ClientMessage} ClientMessage
 * @typedef {import("../protocol.js").ServerMessage} ServerMessage
 * @typedef {Extract<ClientMessage, {type: "text" | "read" | "missed_seen"}>} Asked
 *
 * Link: down; greeting (hello is out); catching_up (welcome without our old session); up; over for good.
 *
 * @typedef {Readonly<{
 *   device: string, device_name: string, client: string, features: readonly string[], text_seq: number,
 *   user: string | null, session: string | null, seen: number, acked: number,
 *   link: "down" | "greeting" | "catching_up" | "up" | "over", failures: number, next_ref: number,
 *   calls: readonly Call[], requests: readonly Readonly<{ref: number, message: Asked}>[], asks: boolean,
 *   asks_on: boolean,
 * }>} Session
 *
 * @typedef {readonly [Session, readonly Effect[]]} Step
 */

import * as calls from "./call.js";
import { ended } from "./ending.js";
import { ANSWER, INVITE, send, startTimer, stopTimer, tell } from "./state.js";

const HEARD = "heard"; // a server that lists it among its features asks what calls came to
const SO_FAR = "heard-so-far"; // and this, what those that run have come to by now
const ACK_EVERY = 8; // events: the server keeps at most 64 for us
const FIRST_DELAY = 100; // ms
const LONGEST_DELAY = 10_000; // ms
const MAX_CALLS = 64; // as many as a hello may name

// The server's word on one call goes to that call.
const OF_A_CALL = new Set([
  "progress", "early", "answered", "select_answer", "candidates", "reveal", "negotiate", "ending", "ending_cancelled",
  "transfer", "transfer_failed",
]);
const FINAL = new Set(["unsupported_version"]);

/**
 * @param {string} device @param {{device_name?: string, client?: string, features?: readonly string[],
 *   text_seq?: number}} known
 * @returns {Session}
 */
export function begin(device, known = {}) {
  return {
    device, device_name: "", client: "", features: [], text_seq: 0,
    user: null, session: null, seen: 0, acked: 0,
    link: "down", failures: 0, next_ref: 1, calls: [], requests: [], asks: false, asks_on: false,
    ...known,
  };
}

/** @param {Session} session @param {string} id */
export function callOf(session, id) {
  return session.calls.find((call) => call.id === id);
}

// The link

/**
 * A connection is open: say who we are, what we saw last and which calls we have.
 *
 * @param {Session} session @param {string} ticket @returns {Step}
 */
export function opened(session, ticket) {
  const alive = session.calls.filter((call) => call.phase !== "preparing").map((call) => call.id);
  /** @type {ClientMessage} */
  const hello = {
    type: "hello",
    ticket,
    device: session.device,
    device_name: session.device_name,
    client: session.client,
    features: session.features,
    ...(session.session ? { resume: { session: session.session, n: session.seen } } : {}),
    calls: alive.slice(0, MAX_CALLS),
  };
  return [{ ...session, link: "greeting" }, [send(hello)]];
}

/**
 * The connection is gone, or none could be opened.
 *
 * @param {Session} session @param {number} jitter 0 to 1, spreads who comes back @returns {Step}
 */
export function closed(session, jitter) {
  if (session.link === "over") return [session, []];
  /** @type {Effect[]} */
  const lost = session.link === "down" ? [] : [tell(/** @type {any} */ ({ event: "LinkLost" }))];
  const after = delay(session.failures, jitter);
  return [{ ...session, link: "down", failures: session.failures + 1 }, [...lost, { effect: "Reconnect", after }]];
}

/**
 * Milliseconds before the next try: 0.1 s, doubled up to 10 s, of which half is left to chance.
 *
 * @param {number} failures @param {number} jitter
 */
function delay(failures, jitter) {
  const longest = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** Math.min(failures, 10));
  return longest / 2 + (longest / 2) * jitter;
}

/** The application leaves: its calls end here and now. @param {Session} session @param {number} now */
export function left(session, now) {
  return over(session, now);
}

// The server

/**
 * One frame from the server. What was seen is dropped; a gap costs the connection.
 *
 * @param {Session} session @param {ServerMessage} message @param {number} now @returns {Step}
 */
export function received(session, message, now) {
  if (session.link === "over") return [session, []];
  const n = message.n ?? null;
  if (n === null) return outsideTheCount(session, message, now);
  if (session.link === "greeting") return [session, [{ effect: "Drop" }]]; // which session it counts in, only a welcome says
  if (n <= session.seen) return [session, []];
  if (n !== session.seen + 1) return [session, [{ effect: "Drop" }]];
  const [after, effects] = happened({ ...session, seen: n }, message, now);
  if (after.seen - after.acked >= ACK_EVERY && after.link !== "over") {
    return [{ ...after, acked: after.seen }, [...effects, send({ type: "ack", n: after.seen })]];
  }
  return [after, effects];
}

/**
 * When all is quiet: what arrived need not be kept by the server any longer.
 *
 * @param {Session} session @returns {Step}
 */
export function acknowledge(session) {
  if (session.seen === session.acked || session.link !== "up") return [session, []];
  return [{ ...session, acked: session.seen }, [send({ type: "ack", n: session.seen })]];
}

// The application

/**
 * Call somebody; both id and nonce are new and random.
 *
 * @param {Session} session @param {string} id @param {string} to
 * @param {readonly import("../protocol.js").Media[]} media @param {string} nonce
 * @param {string | null} replaces the call whose other side asked for this one
 * @returns {Step}
 */
export function place(session, id, to, media, nonce, replaces = null) {
  const [call, effects] = calls.place(id, to, media, nonce, replaces);
  return [{ ...session, calls: [...session.calls, call] }, effects];
}

/**
 * What a person, the media or a clock says of one call; nothing if that call is over.
 *
 * @param {Session} session @param {string} id @param {import("./words.js").Input} input @param {number} now
 * @returns {Step}
 */
export function tellCall(session, id, input, now) {
  return toCall(session, id, input, now);
}

/**
 * Send a text; `text_accepted`, or an error that names it, says what became of it.
 *
 * @param {Session} session @param {string} message @param {string} to @param {string} text @returns {Step}
 */
export function write(session, message, to, text) {
  return request(session, { type: "text", message, to, text });
}

/**
 * The person has read the conversation so far. Only the furthest is kept for later.
 *
 * @param {Session} session @param {string} peer @param {number} seq @returns {Step}
 */
export function read(session, peer, seq) {
  const requests = session.requests.filter(({ message }) => !(message.type === "read" && message.peer === peer));
  return request({ ...session, requests }, { type: "read", peer, seq });
}

/**
 * The person has seen that these were missed.
 *
 * @param {Session} session @param {readonly string[]} missed @returns {Step}
 */
export function missedSeen(session, missed) {
  return request(session, { type: "missed_seen", calls: missed });
}

/**
 * What was heard of a call, in all once it is over here. Lost with the link if that is down.
 *
 * @param {Session} session @param {Extract<ClientMessage, {type: "heard"}>} message @returns {Step}
 */
export function report(session, message) {
  const asks = message.so_far ? session.asks_on : session.asks;
  return [session, asks && session.link === "up" ? [send(message)] : []];
}

/**
 * Ask now if the link is up, and again on each new one until answered.
 *
 * @param {Session} session @param {Asked} asked @returns {Step}
 */
function request(session, asked) {
  const ref = session.next_ref;
  const message = { ...asked, ref };
  const up = session.link === "up";
  const after = { ...session, next_ref: ref + 1 };
  if (up && message.type === "missed_seen") return [after, [send(message)]]; // if it is lost, the server asks again
  return [{ ...after, requests: [...session.requests, { ref, message }] }, up ? [send(message)] : []];
}

// Outside the count: welcome and what is lost with the connection

/** @param {Session} session @param {ServerMessage} message @param {number} now @returns {Step} */
function outsideTheCount(session, message, now) {
  if (message.type === "welcome") return welcomed(session, message, now);
  if (message.type !== "error") return happened(session, message, now);
  if (message.call && callOf(session, message.call)) return toCall(session, message.call, message, now);
  if (FINAL.has(message.code)) {
    const [after, effects] = over(session, now);
    return [after, [heard(message), ...effects]];
  }
  const requests = session.requests.filter(({ ref }) => message.ref == null || ref !== message.ref);
  return [{ ...session, requests }, [heard(message)]];
}

/**
 * Signed in. With our old session nothing was missed; else the resync says what there is.
 *
 * @param {Session} session @param {Extract<ServerMessage, {type: "welcome"}>} message @param {number} now
 * @returns {Step}
 */
function welcomed(session, message, now) {
  const [asks, asks_on] = [HEARD, SO_FAR].map((each) => (message.features ?? []).includes(each));
  const known = { ...session, user: message.user, session: message.session, failures: 0, asks, asks_on };
  if (!message.resumed) return [{ ...known, link: "catching_up", seen: 0, acked: 0 }, [heard(message)]];
  const [after, effects] = saidAgain({ ...known, link: "up" }, now);
  return [after, [heard(message), ...effects]];
}

/**
 * Each call and each request says again what may have been lost with the old link.
 *
 * @param {Session} session @param {number} now @returns {Step}
 */
function saidAgain(session, now) {
  /** @type {Effect[]} */
  const effects = session.requests.map(({ message }) => send(message));
  for (const call of session.calls) {
    const [after, more] = into(session, call, { input: "Reconnected" }, now);
    session = after;
    effects.push(...more);
  }
  // A read mark or a missed call is never answered: once on a link that works is all there can be.
  return [{ ...session, requests: session.requests.filter(({ message }) => message.type === "text") }, effects];
}

// In the count: events

/** One event, for the first time. @param {Session} session @param {any} message @param {number} now @returns {Step} */
function happened(session, message, now) {
  switch (message.type) {
    case "resync": return resynced(session, message, now);
    case "incoming": return incoming(session, message, now);
    case "ended":
      if (message.reason === "glare" && message.survivor) return lostGlare(session, message, now);
      return toCall(session, message.call, message, now);
    case "text": return text(session, message);
    case "text_accepted": {
      const requests = session.requests.filter(
        (each) => !(each.message.type === "text" && each.message.message === message.message),
      );
      return [{ ...session, requests }, [heard(message)]];
    }
    case "signed_out": {
      const [after, effects] = over(session, now);
      return [after, [heard(message), ...effects]];
    }
    case "missed": case "receipt": case "draining": case "error": return [session, [heard(message)]];
    case "dial": case "dial_over": return [session, [heard(message)]];
    default: return OF_A_CALL.has(message.type) ? toCall(session, message.call, message, now) : [session, []];
  }
}

/**
 * What is listed goes on, what is not is over there; what we never had we hang up.
 *
 * @param {Session} session @param {Extract<ServerMessage, {type: "resync"}>} message @param {number} now
 * @returns {Step}
 */
function resynced(session, message, now) {
  const listed = new Set((message.calls ?? []).map((snapshot) => snapshot.call));
  const unlisted = session.calls.filter((call) => !listed.has(call.id));
  const kept = session.calls.filter((call) => listed.has(call.id));
  const [back, said] = saidAgain({ ...session, link: "up", calls: kept }, now);
  const effects = [...said];
  session = { ...back, calls: [...back.calls, ...unlisted] };
  for (const call of unlisted) {
    const [after, more] = into(session, call, { input: "Unlisted" }, now);
    session = after;
    effects.push(...more);
  }
  for (const snapshot of message.calls ?? []) {
    const [after, more] = toCall(session, snapshot.call, howItStands(snapshot), now);
    session = after;
    effects.push(...more);
  }
  const foreign = [...listed].filter((id) => !callOf(session, id)).sort();
  effects.push(...foreign.map((call) => send({ type: "hangup", call, reason: "hangup" })));
  return [session, effects];
}

/**
 * The notice that this device may have missed, or that it was taken back.
 *
 * @param {import("../protocol.js").CallSnapshot} snapshot
 */
function howItStands({ call, ending }) {
  return ending ? { type: "ending", call, ...ending } : { type: "ending_cancelled", call };
}

/**
 * A call: a new one, one that we have, or the one our own became by glare.
 *
 * @param {Session} session @param {Extract<ServerMessage, {type: "incoming"}>} message @param {number} now
 * @returns {Step}
 */
function incoming(session, message, now) {
  const known = callOf(session, message.call);
  if (known) return into(session, known, message, now);
  if (message.answer_now) {
    // Nobody here placed the call that this one is said to answer: no microphone opens for it.
    return [session, [send({ type: "reject", call: message.call, reason: "declined" })]];
  }
  const [call, effects] = calls.ring(message, now);
  return [{ ...session, calls: [...session.calls, call] }, effects];
}

/**
 * Ours gives way to theirs. If the person still wants it, it goes on under the other name.
 *
 * @param {Session} session @param {any} message `ended` by glare @param {number} now @returns {Step}
 */
function lostGlare(session, message, now) {
  const { survivor } = message;
  const ours = callOf(session, message.call);
  if (!ours) return [session, []];
  if (ours.role !== "caller" || ours.phase !== "calling") {
    // It rang here and gave way to a call of another device of this user, or we had hung it up.
    const [after, effects] = toCall(session, message.call, message, now);
    if (ours.phase !== "ending" || ours.role !== "caller") return [after, effects];
    const [last, more] = unwanted(after, survivor, ours.peer, now);
    return [last, [...effects, ...more]];
  }
  const known = callOf(session, survivor) ?? calls.awaited(survivor, ours.peer, ours.nonce, ours.change.media);
  const goesOn = known.phase === "ringing" ? { ...known, nonce: ours.nonce } : known;
  const others = session.calls.filter((call) => call.id !== message.call && call.id !== survivor);
  return [{ ...session, calls: [...others, goesOn] }, [
    stopTimer(message.call, "ring"),
    { effect: "StopMedia", call: message.call },
    startTimer(survivor, "answer", now + ANSWER + INVITE),
    tell({ event: "GoesOn", call: message.call, survivor }),
  ]];
}

/**
 * The person had hung up before our call became this one: hang this one up too.
 *
 * @param {Session} session @param {string} survivor @param {string} peer @param {number} now @returns {Step}
 */
function unwanted(session, survivor, peer, now) {
  let known = callOf(session, survivor) ?? calls.awaited(survivor, peer, "", ["audio"]);
  const others = session.calls.filter((call) => call.id !== survivor);
  // The application never heard of it.
  if (known.phase === "awaited") known = { ...known, over: ended(survivor, "cancelled") };
  return into({ ...session, calls: [...others, known] }, known, { input: "HangUp" }, now);
}

/**
 * Once to the application, in order; and the server learns that it arrived.
 *
 * @param {Session} session @param {Extract<ServerMessage, {type: "text"}>} message @returns {Step}
 */
function text(session, message) {
  const seq = Math.max(message.seq, session.text_seq);
  const arrived = send({ type: "received", seq });
  if (message.seq <= session.text_seq) return [session, [arrived]];
  return [{ ...session, text_seq: message.seq }, [heard(message), arrived]];
}

// Calls

/** @param {Session} session @param {string} id @param {any} event @param {number} now @returns {Step} */
function toCall(session, id, event, now) {
  const known = callOf(session, id);
  return known ? into(session, known, event, now) : [session, []];
}

/**
 * The call takes it in; an ended one is forgotten. Frames leave only while the link is up.
 *
 * @param {Session} session @param {Call} call @param {any} event @param {number} now @returns {Step}
 */
function into(session, call, event, now) {
  const [after, effects] = calls.receive(call, event, now);
  const kept = session.calls.flatMap((each) => {
    if (each.id !== call.id) return [each];
    return after.phase === "ended" ? [] : [after];
  });
  // Without the frames if there is no link: each call says them again when there is.
  const sendable = session.link === "up" ? effects : effects.filter(({ effect }) => effect !== "Send");
  return [{ ...session, calls: kept }, sendable];
}

/** No more of this session: every call ends, for want of a server. @param {Session} session @param {number} now @returns {Step} */
function over(session, now) {
  session = { ...session, link: "over" };
  /** @type {Effect[]} */
  const effects = [];
  for (const call of session.calls) {
    const [after, more] = into(session, call, { input: "LinkGone" }, now);
    session = after;
    effects.push(...more);
  }
  return [session, [...effects, { effect: "Drop" }]];
}

/** What the server says to the application. @param {any} message @returns {Effect} */
function heard(message) {
  return tell(/** @type {any} */ ({ event: "Message", message }));
}
