/**
 * What a device knows of one of its calls, and what it says of it more than once.
 *
 * The same machine as wephone/core, over the same words: inputs are `{input: "Accept", ...}`, effects
 * `{effect: "Send", ...}`, events `{event: "Rings", ...}`, the server's messages as they come. Times are
 * milliseconds of a monotonic clock. A test replays what Python's half was told and did.
 *
 * @typedef {import("./words.js").Input} Input
 * @typedef {import("./words.js").Effect} Effect
 * @typedef {import("./words.js").CallEvent} CallEvent
 * @typedef {import("../protocol.js").Candidate} Candidate
 * @typedef {import("./negotiation.js").Negotiation} Negotiation
 */

export const SECOND = 1000;
export const GRACE = 5 * SECOND; // for the server's own end to arrive before ours
export const INVITE = 90 * SECOND; // the server rings no longer
export const ANSWER = 30 * SECOND; // for the server's word after our answer, or after glare
export const ENDING = 5 * SECOND; // the person waits no longer to see a call end
export const MAX_CANDIDATES = 64;

/**
 * How far a call has come, as this device knows it: preparing (ours: the media describes it), calling (the
 * invite is out), awaited (by glare our call became this one), ringing (theirs), accepted (the media
 * describes our answer), answered (our answer is out), active, ending (our last word is out), ended.
 *
 * @typedef {"preparing" | "calling" | "awaited" | "ringing" | "accepted" | "answered" | "active" | "ending"
 *   | "ended"} Phase
 *
 * @typedef {Readonly<{
 *   id: string, role: "caller" | "callee", peer: string, phase: Phase, change: Negotiation,
 *   replaces: string | null, nonce: string, ours: string, theirs: string, early: string, commitment: string, their_nonce: string,
 *   peer_device: string | null, progress: string | null, forwarded_to: string | null, alerted: boolean,
 *   found: readonly Candidate[], found_all: boolean, heard: readonly Candidate[], heard_all: boolean,
 *   connected: boolean, handing_over: boolean, last_word: import("../protocol.js").ClientMessage | null, fault: string,
 *   ending: import("./words.js").Ending | null, over: import("./words.js").Ended | null,
 * }>} Call
 *
 * @typedef {readonly [Call, readonly Effect[]]} Step
 */

/**
 * A call of which nothing more is known yet.
 *
 * @param {string} id @param {"caller" | "callee"} role @param {string} peer
 * @param {Phase} phase @param {Negotiation} change
 * @returns {Call}
 */
export function fresh(id, role, peer, phase, change) {
  return {
    id, role, peer, phase, change,
    replaces: null, nonce: "", ours: "", theirs: "", early: "", commitment: "", their_nonce: "",
    peer_device: null, progress: null, forwarded_to: null, alerted: false,
    found: [], found_all: false, heard: [], heard_all: false,
    connected: false, handing_over: false, last_word: null, fault: "", ending: null, over: null,
  };
}

/** @param {import("../protocol.js").ClientMessage} message @returns {Effect} */
export const send = (message) => ({ effect: "Send", message });

/** @param {CallEvent} event @returns {Effect} */
export const tell = (event) => ({ effect: "Tell", event });

/**
 * @param {string} call @param {import("./words.js").Timer} timer @param {number} deadline
 * @returns {Effect}
 */
export const startTimer = (call, timer, deadline) => ({ effect: "StartTimer", call, timer, deadline });

/** @param {string} call @param {import("./words.js").Timer} timer @returns {Effect} */
export const stopTimer = (call, timer) => ({ effect: "StopTimer", call, timer });

/**
 * The invite; sent again after a broken link, it starts no second call.
 *
 * @param {Call} call
 */
export function invite(call) {
  const { id, peer: to, ours: sdp, commitment, replaces, change: { media } } = call;
  return send({ type: "invite", call: id, to, sdp, media, commitment, replaces });
}

/**
 * Our answer; said again it is the same.
 *
 * @param {Call} call
 */
export function answer(call) {
  return send({ type: "answer", call: call.id, sdp: call.ours, nonce: call.nonce });
}

/**
 * All our candidates so far, in one frame.
 *
 * @param {Call} call @returns {Effect[]}
 */
export function trickled(call) {
  if (!call.found.length && !call.found_all) return [];
  return [send({ type: "candidates", call: call.id, candidates: call.found, end: call.found_all })];
}

/**
 * Those of the second list that the first does not have.
 *
 * @param {readonly Candidate[]} known @param {readonly Candidate[]} found
 */
export function unknown(known, found) {
  const have = new Set(known.map((each) => JSON.stringify(each)));
  return found.filter((each) => !have.has(JSON.stringify(each)));
}
