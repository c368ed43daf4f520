/**
 * How a call ends on a device: by our last word and the server's, once for the application.
 *
 * @typedef {import("./state.js").Call} Call
 * @typedef {import("./state.js").Step} Step
 * @typedef {import("./words.js").Ended} Ended
 * @typedef {import("./words.js").Effect} Effect
 */

import { ENDING, GRACE, SECOND, send, startTimer, stopTimer, tell } from "./state.js";

// Errors that leave the call as it was.
const HARMLESS = new Set(["out_of_place", "too_many", "negotiation_pending", "slow_down"]);

// The clocks of a call that goes on; none of them matters once it ends.
/** @type {import("./words.js").Timer[]} */
const WAITS = ["ring", "answer", "negotiate", "notice"];

/**
 * @param {string} call @param {import("./words.js").EndReason} reason @param {Partial<Ended>} more
 * @returns {Ended}
 */
export function ended(call, reason, more = {}) {
  return { event: "Ended", call, reason, by: null, refusal: null, error: null, forged: false, fault: "", ...more };
}

/** End it; before an answer of ours this declines theirs. @type {import("./call.js").Transition} */
export function hangUp(call, event, now) {
  if (call.phase === "ringing") return decline(call, { input: "Decline", reason: "declined" }, now);
  return sayLastWord(call, { type: "hangup", call: call.id, reason: "hangup" }, now);
}

/** Turn it down, on all devices of this person. @type {import("./call.js").Transition} */
export function decline(call, event, now) {
  return sayLastWord(call, { type: "reject", call: call.id, reason: event.reason }, now);
}

/** No sound can pass. @type {import("./call.js").Transition} */
export function fail(call, event, now) {
  return sayLastWord(faulty(call, event), { type: "hangup", call: call.id, reason: "media_failed" }, now);
}

/** The server never heard of it, so it need not hear of its end. @type {import("./call.js").Transition} */
export function withdraw(call, event) {
  const reason = event.input === "HangUp" ? "cancelled" : "media_failed";
  return finish(faulty(call, event), ended(call.id, reason, { by: "caller" }));
}

/** @param {Call} call @param {any} event @returns {Call} */
function faulty(call, event) {
  const failed = event.input === "MediaFailed" || event.input === "DescriptionFailed";
  return failed ? { ...call, fault: event.why } : call;
}

/**
 * Silence at once; how it ended is the server's to say, since somebody may have been quicker.
 *
 * @param {Call} call @param {import("../protocol.js").ClientMessage} message @param {number} now
 * @returns {Step}
 */
export function sayLastWord(call, message, now) {
  return [
    { ...call, phase: "ending", last_word: message },
    [
      ...WAITS.map((timer) => stopTimer(call.id, timer)),
      send(message),
      { effect: "StopMedia", call: call.id },
      startTimer(call.id, "ending", now + ENDING),
    ],
  ];
}

/** It may have been lost with the link. @type {import("./call.js").Transition} */
export function sayItAgain(call) {
  return [call, call.last_word ? [send(call.last_word)] : []];
}

/**
 * The person need not wait for the server; our last word is said until it is confirmed.
 *
 * @type {import("./call.js").Transition}
 */
export function waitNoLonger(call, event, now) {
  if (event.timer !== "ending" || !call.last_word) return [call, []];
  const again = [send(call.last_word), startTimer(call.id, "ending", now + ENDING)];
  if (call.over) return [call, again];
  const over = explained(call, ended(call.id, localReason(call), { by: call.role }));
  return [{ ...call, over }, [...again, tell(over)]];
}

/** What our last word means, if nobody was quicker. @param {Call} call */
function localReason(call) {
  const word = call.last_word;
  if (word?.type !== "reject" && word?.type !== "hangup") return "connection_lost";
  const cancelled = word.reason === "hangup" && call.role === "caller" && !call.theirs;
  return cancelled ? "cancelled" : (word.reason ?? "hangup");
}

/** The server's word on how it ended, the same for both sides. @type {import("./call.js").Transition} */
export function beEnded(call, event) {
  const { reason, by = null, refusal = null, forwarded_to: to } = event;
  const [after, effects] = finish(call, ended(call.id, reason, { by, refusal }));
  if (call.role === "callee" || call.over || !to || to === call.forwarded_to) return [after, effects];
  return [after, [tell({ event: "Forwarded", call: call.id, to }), ...effects]];
}

/**
 * An error that ends a call: it could not be placed or answered, or the server forgot it.
 *
 * @type {import("./call.js").Transition}
 */
export function beRefused(call, event, now) {
  const unplaced = call.phase === "calling" && call.progress === null;
  if (call.handing_over && event.code !== "unknown_call" && event.code !== "negotiation_pending") {
    const failed = /** @type {const} */ ({ event: "TransferFailed", call: call.id, reason: null, refusal: null });
    return [{ ...call, handing_over: false }, [tell({ ...failed, error: event.code })]];
  }
  if (HARMLESS.has(event.code) && !unplaced) return [call, []];
  if (event.code === "unknown_call") {
    return finish(call, ended(call.id, call.phase === "ending" ? localReason(call) : "unknown_call"));
  }
  if (unplaced) return finish(call, ended(call.id, "unreachable", { error: event.code }));
  return call.phase === "answered" ? fail(call, event, now) : [call, []];
}

/**
 * The server should have ended it by now: it is gone, or its word is lost.
 *
 * @type {import("./call.js").Transition}
 */
export function runOut(call, event, now) {
  const over = cutOff(call, event.timer);
  if (!over) return [call, []];
  const [after, effects] = sayLastWord(call, { type: "hangup", call: call.id, reason: "hangup" }, now);
  return [{ ...after, over }, [...effects, tell(over)]];
}

/** How it ends when this clock has run out, if it does. @param {Call} call @param {string} timer */
function cutOff(call, timer) {
  if (timer === "ring") return ended(call.id, "no_answer");
  if (timer === "answer") return ended(call.id, "connection_lost");
  if (timer !== "notice" || !call.ending) return null;
  return ended(call.id, "licence_withdrawn", { refusal: call.ending.refusal });
}

/**
 * It may not go on for long. If the server falls silent the call ends here when its time is over.
 *
 * @type {import("./call.js").Transition}
 */
export function announce(call, event, now) {
  const { within, refusal } = event;
  const timer = startTimer(call.id, "notice", now + Math.trunc(within * SECOND) + GRACE);
  if (call.ending && JSON.stringify(call.ending.refusal) === JSON.stringify(refusal)) return [call, [timer]];
  /** @type {import("./words.js").Ending} */
  const ending = { event: "Ending", call: call.id, within, refusal };
  return [{ ...call, ending }, [timer, tell(ending)]];
}

/** It goes on after all. @type {import("./call.js").Transition} */
export function takeBack(call) {
  if (!call.ending) return [call, []];
  return [{ ...call, ending: null }, [stopTimer(call.id, "notice"), tell({ event: "EndingCancelled", call: call.id })]];
}

/**
 * Over for good, told once.
 *
 * @param {Call} call @param {Ended} how @returns {Step}
 */
export function finish(call, how) {
  const over = call.over ?? explained(call, how);
  /** @type {Effect[]} */
  const stops = [
    ...WAITS.map((timer) => stopTimer(call.id, timer)),
    stopTimer(call.id, "ending"),
    { effect: "StopMedia", call: call.id },
  ];
  return [{ ...call, phase: "ended", over }, call.over ? stops : [...stops, tell(over)]];
}

/**
 * An end by failed media, with what we know of it; before an answer the server says `declined`.
 *
 * @param {Call} call @param {Ended} how @returns {Ended}
 */
function explained(call, how) {
  return how.reason === "media_failed" || how.by === call.role ? { ...how, fault: call.fault } : how;
}

/**
 * The server holds no such call. It may still know how it ended: a hang-up is answered with that.
 *
 * @type {import("./call.js").Transition}
 */
export function askHowItEnded(call, event, now) {
  return sayLastWord(call, { type: "hangup", call: call.id, reason: "hangup" }, now);
}

/** There is no server any more to end it for us. @type {import("./call.js").Transition} */
export function loseLink(call) {
  return finish(call, ended(call.id, "connection_lost"));
}
