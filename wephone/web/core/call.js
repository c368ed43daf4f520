/**
 * The client's half of one call: a value, told what happened, that says what to do.
 *
 * It drops what is late or repeated, says again after a broken link what may have been lost, and has clocks of
 * its own, so that no call rings for ever though the server is gone. The table is wephone/core/call.py's.
 *
 * @typedef {import("./state.js").Call} Call
 * @typedef {import("./state.js").Step} Step
 * @typedef {import("./words.js").Effect} Effect
 * @typedef {(call: Call, event: any, now: number) => Step} Transition
 */

import {
  announce, askHowItEnded, beEnded, beRefused, decline, ended, fail, hangUp, loseLink, runOut, sayItAgain,
  sayLastWord, takeBack, waitNoLonger, withdraw,
} from "./ending.js";
import * as negotiation from "./negotiation.js";
import { commitment, safetyCode } from "./safety.js";
import {
  ANSWER, GRACE, INVITE, MAX_CANDIDATES, SECOND, answer, fresh, invite, send, startTimer, stopTimer, tell, trickled,
  unknown,
} from "./state.js";

const PROGRESS = ["sent", "delivered", "alerting"];

/**
 * The call after this input or server message, and what to do. Late ones change nothing.
 *
 * @param {Call} call @param {any} event @param {number} now @returns {Step}
 */
export function receive(call, event, now) {
  const step = TRANSITIONS[call.phase][event.input ?? event.type];
  return step ? step(call, event, now) : [call, []];
}

/**
 * Call somebody. The invite follows the offer.
 *
 * @param {string} id @param {string} to @param {readonly import("../protocol.js").Media[]} media
 * @param {string} nonce 256 random bits, hex, never used before
 * @param {string | null} replaces a call of ours, whose other side has asked for this one
 * @returns {Step}
 */
export function place(id, to, media, nonce, replaces = null) {
  const call = { ...fresh(id, "caller", to, "preparing", negotiation.settled(media)), nonce, replaces };
  return [call, [{ effect: "CreateOffer", call: id, media, hold: false }]];
}

/**
 * Somebody calls: say that we have it, and tell the application.
 *
 * @param {Extract<import("../protocol.js").ServerMessage, {type: "incoming"}>} incoming @param {number} now
 * @returns {Step}
 */
export function ring(incoming, now) {
  const { call: id, peer, peer_device, media = ["audio"], sdp, lifetime, forwarded_by = null, replaces = null } = incoming;
  /** @type {Call} */
  const call = {
    ...awaited(id, peer, "", media), phase: "ringing", theirs: sdp, commitment: incoming.commitment, peer_device,
  };
  return [call, [
    send({ type: "delivered", call: id }),
    startTimer(id, "ring", now + Math.trunc(lifetime * SECOND) + GRACE),
    tell({ event: "Rings", call: id, peer, peer_device, media, forwarded_by, replaces }),
  ]];
}

/**
 * The call that survives glare, on the device whose own call it replaces.
 *
 * @param {string} id @param {string} peer @param {string} nonce
 * @param {readonly import("../protocol.js").Media[]} media
 * @returns {Call}
 */
export function awaited(id, peer, nonce, media) {
  return { ...fresh(id, "callee", peer, "awaited", negotiation.settled(media)), nonce };
}

// Our own call

/** The description is ready: call. @type {Transition} */
function sendInvite(call, event, now) {
  call = { ...call, phase: "calling", ours: event.sdp, commitment: commitment(call.nonce) };
  return [call, [startTimer(call.id, "ring", now + INVITE + GRACE), invite(call), ...trickled(call)]];
}

/** Only ever further: what comes again after a break is known. With somebody else it begins anew. @type {Transition} */
function progress(call, event, now) {
  const { progress, forwarded_to: to } = event;
  if (to && to !== call.forwarded_to) return goOn(call, to, progress, now);
  if (call.progress !== null && PROGRESS.indexOf(event.progress) <= PROGRESS.indexOf(call.progress)) return [call, []];
  return [{ ...call, progress: event.progress }, [tell({ event: "Progressed", call: call.id, progress: event.progress })]];
}

/**
 * Forwarded: it rings somewhere else now, for as long as a call may.
 *
 * @param {Call} call @param {string} to @param {string} progress @param {number} now @returns {Step}
 */
function goOn(call, to, progress, now) {
  return [{ ...call, progress, forwarded_to: to }, [
    startTimer(call.id, "ring", now + INVITE + GRACE),
    tell({ event: "Forwarded", call: call.id, to }),
    tell({ event: "Progressed", call: call.id, progress }),
  ]];
}

/**
 * A telephone network speaks before the answer, or a refusal is told: listen. What comes again after a break is known.
 *
 * Whose call was handed over talks in that one until this one is answered.
 *
 * @type {Transition}
 */
function hearEarly(call, { sdp, refusal = null }) {
  if (call.early || call.replaces !== null) return [call, []];
  return [{ ...call, early: sdp }, [
    { effect: "HearEarly", call: call.id, sdp },
    tell({ event: "EarlySound", call: call.id, refusal }),
  ]];
}

/** Answered: take their description, open our commitment, talk. @type {Transition} */
function beAnswered(call, event) {
  const { sdp, nonce, peer_device } = event;
  const code = safetyCode(call.ours, sdp, call.nonce, nonce);
  return [{ ...call, phase: "active", theirs: sdp, their_nonce: nonce, peer_device }, [
    stopTimer(call.id, "ring"),
    { effect: "ApplyAnswer", call: call.id, sdp },
    { effect: "StartMedia", call: call.id },
    send({ type: "reveal", call: call.id, nonce: call.nonce }),
    tell({ event: "Answered", call: call.id, peer_device }),
    tell({ event: "SafetyCode", call: call.id, code }),
  ]];
}

/** The other side was not sure that we heard, so it may lack our nonce too. @type {Transition} */
function revealAgain(call) {
  if (call.role === "callee") return [call, []];
  return [call, [send({ type: "reveal", call: call.id, nonce: call.nonce })]];
}

// Their call

/** It rings. @type {Transition} */
function alert(call) {
  return [{ ...call, alerted: true }, [send({ type: "alerting", call: call.id })]];
}

/**
 * The server asks anew, after a break; or tells that our own call the other way has answered it.
 *
 * @type {Transition}
 */
function rungAgain(call, event, now) {
  return event.answer_now && call.nonce ? answerNow(call, event, now) : ringAgain(call, event, now);
}

/** The person answers: the media describes what it can do. @type {Transition} */
function accept(call, event) {
  const { media } = call.change;
  return [{ ...call, phase: "accepted", nonce: event.nonce }, [
    { effect: "CreateAnswer", call: call.id, offer: call.theirs, media, hold: false },
    ...useHeard(call),
  ]];
}

/** By glare: the person wanted to talk to this one, and called. The nonce is that call's. @type {Transition} */
function answerNow(call, event) {
  const { sdp, commitment: theirs, peer_device, media = ["audio"] } = event;
  return [
    {
      ...call, phase: "accepted", theirs: sdp, commitment: theirs, peer_device, change: negotiation.settled(media),
    },
    [{ effect: "CreateAnswer", call: call.id, offer: sdp, media, hold: false }, ...useHeard(call)],
  ];
}

/** Their candidates, kept until there was somewhere to put them. @param {Call} call @returns {Effect[]} */
function useHeard(call) {
  if (!call.heard.length && !call.heard_all) return [];
  return [{ effect: "AddCandidates", call: call.id, candidates: call.heard, end: call.heard_all }];
}

/** Our answer is out; whether it is the one that counts, the server says. @type {Transition} */
function sendAnswer(call, event, now) {
  call = { ...call, phase: "answered", ours: event.sdp };
  return [call, [
    stopTimer(call.id, "ring"),
    startTimer(call.id, "answer", now + ANSWER + GRACE),
    answer(call),
    ...trickled(call),
  ]];
}

/** Asked anew, or not sure that we were heard. @type {Transition} */
function answerAgain(call) {
  return [call, [answer(call), ...trickled(call)]];
}

/** The call is ours: talk. @type {Transition} */
function beSelected(call) {
  return [{ ...call, phase: "active" }, [
    stopTimer(call.id, "answer"),
    { effect: "StartMedia", call: call.id },
    tell({ event: "Answered", call: call.id, peer_device: call.peer_device }),
  ]];
}

/** After a break: if no sound passes yet, our answer may never have arrived. @type {Transition} */
function selectedAgain(call, event, now) {
  return call.connected || call.role === "caller" ? [call, []] : answerAgain(call, event, now);
}

/**
 * The caller opens its commitment. If it does not match, somebody may sit between: hang up.
 *
 * @type {Transition}
 */
function beRevealed(call, event, now) {
  if (call.role === "caller" || call.their_nonce === event.nonce) return [call, []];
  if (commitment(event.nonce) !== call.commitment || call.their_nonce) {
    const over = ended(call.id, "media_failed", { by: "callee", forged: true });
    const [after, effects] = sayLastWord(call, { type: "hangup", call: call.id, reason: "media_failed" }, now);
    return [{ ...after, over }, [...effects, tell(over)]];
  }
  const code = safetyCode(call.theirs, call.ours, event.nonce, call.nonce);
  return [{ ...call, their_nonce: event.nonce }, [tell({ event: "SafetyCode", call: call.id, code })]];
}

// Candidates

/** Kept until our description is out, and after it for as long as they may get lost. @type {Transition} */
function find(call, event) {
  const found = unknown(call.found, event.candidates).slice(0, MAX_CANDIDATES - call.found.length);
  if (!found.length && (call.found_all || !event.end)) return [call, []];
  call = { ...call, found: [...call.found, ...found], found_all: call.found_all || event.end };
  if (!call.ours) return [call, []];
  return [call, [send({ type: "candidates", call: call.id, candidates: found, end: event.end })]];
}

/**
 * A new description of ours, which may restart ICE, starts a new count of candidates, as at the server.
 * Until sound passes, those of the one before may still be needed.
 *
 * @param {Call} call @returns {Call}
 */
function recounted(call) {
  return call.connected ? { ...call, found: [], found_all: false } : call;
}

/** Too early to use: the person has not answered. @type {Transition} */
function keep(call, event) {
  const { candidates = [], end = false } = event;
  const heard = [...call.heard, ...unknown(call.heard, candidates)].slice(0, MAX_CANDIDATES);
  return [{ ...call, heard, heard_all: call.heard_all || end }, []];
}

/** For the media, which ignores what it has. @type {Transition} */
function use(call, event) {
  const { candidates = [], end = false } = event;
  return [call, [{ effect: "AddCandidates", call: call.id, candidates, end }]];
}

/** Of whoever is heard before the answer; with the answer they come again. @type {Transition} */
function useEarly(call, event, now) {
  return call.early ? use(call, event, now) : [call, []];
}

// The link

/**
 * The server may not have heard of it yet; if it has, this starts no second call.
 *
 * @type {Transition}
 */
function inviteAgain(call) {
  return [call, [invite(call), ...trickled(call)]];
}

/** Say again that we have it, and that we ring. @type {Transition} */
function ringAgain(call) {
  const said = [send({ type: "delivered", call: call.id })];
  return [call, call.alerted ? [...said, send({ type: "alerting", call: call.id })] : said];
}

/** Whatever the other side may lack. @type {Transition} */
function talkAgain(call) {
  /** @type {Effect[]} */
  const effects = [];
  if (!call.connected && call.role === "callee") effects.push(answer(call));
  if (call.role === "caller") effects.push(send({ type: "reveal", call: call.id, nonce: call.nonce }));
  const changed = negotiation.saidAgain(call.change);
  const found = changed.length || !call.connected ? trickled(call) : [];
  return [call, [...effects, ...changed, ...found]];
}

/** Sound passes: our answer and candidates did their work. @type {Transition} */
function connect(call) {
  return [{ ...call, connected: true }, []];
}

// Handing over

/** The server asks the other side to call somebody else. @type {Transition} */
function handOver(call, event) {
  return [{ ...call, handing_over: true }, [send({ type: "transfer", call: call.id, to: event.to, to_call: event.to_call })]];
}

/** It is for the application to call them. @type {Transition} */
function beHandedOver(call, event) {
  return [call, [tell({ event: "Transferred", call: call.id, to: event.to })]];
}

/** They were not reached. @type {Transition} */
function keepOn(call, event) {
  const { reason, refusal = null } = event;
  return [
    { ...call, handing_over: false },
    [tell({ event: "TransferFailed", call: call.id, reason, refusal, error: null })],
  ];
}

// Changes

/** Hold, resume, other media: see negotiation.js. @type {Transition} */
function renegotiate(call, event, now) {
  if (event.input === "TimedOut" && event.timer === "notice") return runOut(call, event, now);
  const [change, effects] = renegotiated(call, event, now);
  const isDescribed = event.input === "OfferCreated" || event.input === "AnswerCreated";
  return [{ ...(isDescribed ? recounted(call) : call), change }, effects];
}

/** @param {Call} call @param {any} event @param {number} now @returns {negotiation.Step} */
function renegotiated(call, event, now) {
  const { change, id } = call;
  switch (event.input ?? event.type) {
    case "Change": return negotiation.wish(change, id, event);
    case "OfferCreated": return negotiation.offerCreated(change, id, event.sdp, now);
    case "AnswerCreated": return negotiation.answerCreated(change, id, event.sdp);
    case "DescriptionFailed": return negotiation.failed(change, id);
    case "TimedOut": return event.timer === "negotiate" ? negotiation.declined(change, id) : [change, []];
    case "negotiate": return negotiation.received(change, event);
    default: return [change, []];
  }
}

/** @type {Record<string, Transition>} */
const LIFE = {
  HangUp: hangUp,
  MediaFailed: fail,
  DescriptionFailed: fail,
  TimedOut: runOut,
  LinkGone: loseLink,
  CandidatesFound: find,
  ended: beEnded,
  error: beRefused,
};

// Of an answered call; after a break a device may hear of its notice before it hears of the answer.
/** @type {Record<string, Transition>} */
const NOTICE = { ending: announce, ending_cancelled: takeBack };

/** @type {Record<import("./state.js").Phase, Record<string, Transition>>} */
export const TRANSITIONS = {
  preparing: {
    OfferCreated: sendInvite,
    CandidatesFound: find,
    HangUp: withdraw,
    MediaFailed: withdraw,
    DescriptionFailed: withdraw,
    LinkGone: loseLink,
  },
  calling: {
    ...LIFE,
    ...NOTICE,
    MediaConnected: connect,
    Reconnected: inviteAgain,
    Unlisted: inviteAgain,
    progress,
    early: hearEarly,
    candidates: useEarly,
    answered: beAnswered,
  },
  awaited: { ...LIFE, Unlisted: askHowItEnded, incoming: answerNow, candidates: keep },
  ringing: {
    ...LIFE,
    Ring: alert,
    Accept: accept,
    Decline: decline,
    Reconnected: ringAgain,
    Unlisted: askHowItEnded,
    incoming: rungAgain,
    candidates: keep,
  },
  accepted: { ...LIFE, AnswerCreated: sendAnswer, Unlisted: askHowItEnded, candidates: use },
  answered: {
    ...LIFE,
    ...NOTICE,
    MediaConnected: connect,
    Reconnected: answerAgain,
    Unlisted: askHowItEnded,
    incoming: answerAgain,
    candidates: use,
    select_answer: beSelected,
  },
  active: {
    ...LIFE,
    ...NOTICE,
    Change: renegotiate,
    Transfer: handOver,
    OfferCreated: renegotiate,
    AnswerCreated: renegotiate,
    DescriptionFailed: renegotiate,
    TimedOut: renegotiate,
    MediaConnected: connect,
    Reconnected: talkAgain,
    Unlisted: askHowItEnded,
    answered: revealAgain,
    select_answer: selectedAgain,
    candidates: use,
    reveal: beRevealed,
    negotiate: renegotiate,
    transfer: beHandedOver,
    transfer_failed: keepOn,
  },
  ending: {
    TimedOut: waitNoLonger,
    Reconnected: sayItAgain,
    Unlisted: sayItAgain,
    LinkGone: loseLink,
    incoming: sayItAgain,
    answered: sayItAgain,
    select_answer: sayItAgain,
    ended: beEnded,
    error: beRefused,
  },
  ended: {},
};
