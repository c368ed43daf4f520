/**
 * Changes of a running call: hold, resume, other media. One at a time; the server says whose is first.
 *
 * @typedef {import("./words.js").Effect} Effect
 * @typedef {import("./words.js").Media} Media
 * @typedef {{media: readonly Media[], hold: boolean}} Change
 * @typedef {Extract<import("../protocol.js").ClientMessage, {type: "negotiate"}>} SendNegotiate
 * @typedef {Extract<import("../protocol.js").ServerMessage, {type: "negotiate"}>} Negotiate
 *
 * @typedef {Readonly<{
 *   media: readonly Media[], held_here: boolean, held_there: boolean,
 *   round: number, wish: Change | null, creating: boolean,
 *   offered: SendNegotiate | null, answering: Negotiate | null, answered: SendNegotiate | null,
 * }>} Negotiation
 *
 * @typedef {readonly [Negotiation, readonly Effect[]]} Step
 */

const NEGOTIATE = 35_000; // ms: the server's 30 s, and time for its word to arrive

/** @param {readonly Media[]} media @returns {Negotiation} */
export function settled(media) {
  return {
    media, held_here: false, held_there: false,
    round: 0, wish: null, creating: false, offered: null, answering: null, answered: null,
  };
}

/**
 * Offer this change now, or as soon as the one that runs is settled.
 *
 * @param {Negotiation} state @param {string} call @param {Change} change @returns {Step}
 */
export function wish(state, call, change) {
  state = { ...state, wish: { media: change.media, hold: change.hold } };
  return state.offered || state.creating || state.answering ? [state, []] : begin(state, call);
}

/** @param {Negotiation} state @param {string} call @returns {Step} */
function begin(state, call) {
  if (!state.wish) return [state, []];
  const { media, hold } = state.wish;
  return [{ ...state, creating: true }, [{ effect: "CreateOffer", call, media, hold }]];
}

/**
 * Our description is ready; unless their offer came first and it is no longer wanted.
 *
 * @param {Negotiation} state @param {string} call @param {string} sdp @param {number} now @returns {Step}
 */
export function offerCreated(state, call, sdp, now) {
  if (!state.creating || !state.wish) return [state, []];
  const round = state.round + 1;
  const { media, hold } = state.wish;
  /** @type {SendNegotiate} */
  const offered = { type: "negotiate", call, kind: "offer", round, sdp, media, hold };
  return [
    { ...state, creating: false, round, offered },
    [{ effect: "StartTimer", call, timer: "negotiate", deadline: now + NEGOTIATE }, { effect: "Send", message: offered }],
  ];
}

/**
 * Their offer, or their word on ours.
 *
 * @param {Negotiation} state @param {Negotiate} message @returns {Step}
 */
export function received(state, message) {
  if (message.kind === "offer") return receivedOffer(state, message);
  const { call } = message;
  const ours = state.offered;
  if (!ours || ours.round !== message.round) return [state, []]; // late: that offer is settled
  if (message.kind === "decline" || message.sdp == null) return declined(state, call, message.refusal);
  const met = state.wish && same(state.wish, { media: ours.media ?? [], hold: ours.hold ?? false });
  const [after, effects] = thenBegin(
    {
      ...state, media: ours.media ?? [], held_here: ours.hold ?? false, held_there: message.hold ?? false,
      offered: null, wish: met ? null : state.wish,
    },
    call,
    (settledNow) => [changed(settledNow, call)],
  );
  const { sdp } = message;
  return [after, [{ effect: "StopTimer", call, timer: "negotiate" }, { effect: "ApplyAnswer", call, sdp }, ...effects]];
}

/** @param {Change} one @param {Change} other */
function same(one, other) {
  return one.hold === other.hold && one.media.join() === other.media.join();
}

/**
 * Theirs reached the server first if ours waits: take ours back, answer, and offer ours after.
 *
 * @param {Negotiation} state @param {Negotiate} message @returns {Step}
 */
function receivedOffer(state, message) {
  const { call } = message;
  if (state.answering || message.sdp == null) return [state, []];
  const last = state.answered;
  const round = message.round ?? 0;
  if (last && last.round === round && round > 0) return [state, [{ effect: "Send", message: last }]];
  /** @type {Effect[]} */
  const effects = [];
  if (state.offered || state.creating) {
    effects.push({ effect: "StopTimer", call, timer: "negotiate" }, { effect: "RollBack", call });
  }
  const media = message.media ?? [];
  effects.push({ effect: "CreateAnswer", call, offer: message.sdp, media, hold: state.held_here });
  return [{ ...state, offered: null, creating: false, answering: message }, effects];
}

/**
 * What they offered is so from now on.
 *
 * @param {Negotiation} state @param {string} call @param {string} sdp @returns {Step}
 */
export function answerCreated(state, call, sdp) {
  const theirs = state.answering;
  if (!theirs) return [state, []];
  const media = theirs.media ?? [];
  /** @type {SendNegotiate} */
  const answered = { type: "negotiate", call, kind: "answer", round: theirs.round, sdp, media, hold: state.held_here };
  const after = { ...state, answering: null, answered, media, held_there: theirs.hold ?? false };
  return thenBegin(after, call, (now) => [{ effect: "Send", message: answered }, changed(now, call)]);
}

/**
 * The media could not: decline theirs, or give up ours.
 *
 * @param {Negotiation} state @param {string} call @returns {Step}
 */
export function failed(state, call) {
  if (!state.answering) return declined(state, call);
  /** @type {SendNegotiate} */
  const no = { type: "negotiate", call, kind: "decline", round: state.answering.round, media: ["audio"], hold: false };
  return thenBegin({ ...state, answering: null, answered: no }, call, () => [{ effect: "Send", message: no }]);
}

/**
 * Ours will not be: as before.
 *
 * @param {Negotiation} state @param {string} call @param {import("../protocol.js").Refusal | null} [refusal]
 * @returns {Step}
 */
export function declined(state, call, refusal = null) {
  if (!state.offered && !state.creating) return [state, []];
  return [
    { ...state, offered: null, creating: false, wish: null },
    [
      { effect: "StopTimer", call, timer: "negotiate" },
      { effect: "RollBack", call },
      { effect: "Tell", event: { event: "ChangeDeclined", call, refusal } },
    ],
  ];
}

/**
 * What may have been lost with a link; the rounds tell the server what it knows already.
 *
 * @param {Negotiation} state @returns {Effect[]}
 */
export function saidAgain(state) {
  return [state.answered, state.offered].flatMap((message) => (message ? [{ effect: "Send", message }] : []));
}

/** @param {Negotiation} state @param {string} call @returns {Effect} */
function changed(state, call) {
  const { media, held_here, held_there } = state;
  return { effect: "Tell", event: { event: "Changed", call, media, held_here, held_there } };
}

/**
 * And now our own wish, if one waited.
 *
 * @param {Negotiation} state @param {string} call @param {(state: Negotiation) => Effect[]} first
 * @returns {Step}
 */
function thenBegin(state, call, first) {
  const [after, more] = begin(state, call);
  return [after, [...first(state), ...more]];
}
