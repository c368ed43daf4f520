/**
 * What the app shows, as one value, and what each event makes of it. Pure: it travels between tabs as JSON.
 *
 * @typedef {import("../protocol.js").Refusal} Refusal
 * @typedef {import("../core/words.js").Event} Event
 *
 * @typedef {"sending" | "sent" | "delivered" | "alerting" | "ringing" | "answering" | "connecting" | "talking"
 *   | "reconnecting" | "ended"} Stage
 *
 * @typedef {Readonly<{
 *   id: string, peer: string, role: "caller" | "callee", stage: Stage, media: readonly string[],
 *   since: number | null, code: string | null, isCodeStale: boolean, heldHere: boolean, heldThere: boolean,
 *   muted: boolean, talksMuted: boolean, camera: boolean, cameraFault: string | null, microphoneFault: string | null,
 *   farVideo: boolean, telephone: boolean, early: "awaited" | "heard" | null, forwardedTo: string | null, forwardedBy: string | null,
 *   refusal: Refusal | null, handedTo: string | null, handFault: TransferFailed | null, replaces: string | null, ending: {until: number, refusal: Refusal} | null,
 *   ended: {reason: string, by: string | null, refusal: Refusal | null, error: string | null, forged: boolean,
 *     fault: string} | null,
 *   declinedChange: Refusal | true | null, quality: Quality | null,
 * }>} Call
 *
 * `early`: the telephone network has said that it is to be heard before the answer, and then: it is. `refusal`: what is told so, of a call that was refused. `handedTo`: whom the other side has been asked to talk with instead. `replaces`: the call that asked for this one.
 *
 * @typedef {Extract<Event, {event: "TransferFailed"}>} TransferFailed
 *
 * @typedef {Readonly<{bars: 0 | 1 | 2 | 3, cause: "none" | "muted" | "no_packets" | "unsent" | "no_energy"
 *   | "loss" | "lost_there" | "delay" | "relay"}>} Quality
 *
 * @typedef {Readonly<{message: string, seq: number | null, sender: string, to: string, text: string, at: number,
 *   fate: "waiting" | "sent" | "delivered" | "read" | "failed", fault: string | null}>} Text
 *
 * @typedef {Readonly<{texts: readonly Text[], unread: number, before: number | null,
 *   listing: "asked" | "had" | "failed"}>} Conversation
 *
 * @typedef {Readonly<{
 *   me: string | null, link: "down" | "greeting" | "catching_up" | "up" | "over", over: string | null,
 *   draining: boolean, calls: readonly Call[], missed: readonly {call: string, peer: string, at: number}[],
 *   conversations: Readonly<Record<string, Conversation>>, moreConversations: number | null,
 *   listing: "asked" | "had" | "failed", names: Readonly<Record<string, string>>,
 *   asked: readonly Asked[],
 * }>} State
 *
 * @typedef {Readonly<{call: string, to: string, media: readonly import("../protocol.js").Media[]}>} Asked
 *
 * `asked`: calls that the account asks for by a click elsewhere, until this device or another places them.
 * `listing`: whether the server's list of conversations, or of the texts of one, is there. `names`: what this person calls their contacts.
 * `moreConversations`: where the next page of them begins; null if there is none.
 */

/** @type {State} */
export const empty = {
  me: null, link: "down", over: null, draining: false, calls: [], missed: [], conversations: {}, moreConversations: null,
  listing: "asked", names: {}, asked: [],
};

/** People's names begin with a letter; telephones have numbers, or do not say theirs. @param {string} peer */
export const isTelephone = (peer) => !/^[a-z]/i.test(peer);

/**
 * A call that has just begun to be.
 *
 * @param {string} id @param {string} peer @param {"caller" | "callee"} role @param {readonly string[]} media
 * @returns {Call}
 */
export function begun(id, peer, role, media) {
  return {
    id, peer, role, media, telephone: isTelephone(peer), early: null, forwardedTo: null, forwardedBy: null, refusal: null,
    handedTo: null, handFault: null, replaces: null,
    stage: role === "caller" ? "sending" : "ringing",
    since: null, code: null, isCodeStale: false, heldHere: false, heldThere: false, muted: false,
    talksMuted: false, camera: false, cameraFault: null, microphoneFault: null, farVideo: false,
    ending: null, ended: null, declinedChange: null, quality: null,
  };
}

/** @param {State} state @param {string} id */
export const callOf = (state, id) => state.calls.find((call) => call.id === id);

/** @param {State} state @param {string} id @param {Partial<Call>} change @returns {State} */
export function withCall(state, id, change) {
  return { ...state, calls: state.calls.map((call) => (call.id === id ? { ...call, ...change } : call)) };
}

/** A call that is over and has been seen to be. @param {State} state @param {string} id @returns {State} */
export function withoutCall(state, id) {
  return { ...state, calls: state.calls.filter((call) => call.id !== id) };
}

/** One that is placed, here or elsewhere, or not wanted. @param {State} state @param {string} id @returns {State} */
export function withoutAsked(state, id) {
  return { ...state, asked: state.asked.filter(({ call }) => call !== id) };
}

/**
 * The state after this event.
 *
 * @param {State} state @param {Event} event @param {number} now milliseconds since 1970 @returns {State}
 */
export function happened(state, event, now) {
  switch (event.event) {
    case "Rings": {
      const rings = { ...begun(event.call, event.peer, "callee", event.media), forwardedBy: event.forwarded_by };
      const through = isPutThrough(state, event) ? { stage: /** @type {const} */ ("answering"), replaces: event.replaces } : {};
      return { ...state, calls: [...state.calls, { ...rings, ...through }] };
    }
    case "TransferFailed": return withCall(state, event.call, { handedTo: null, handFault: event });
    case "Forwarded": return withCall(state, event.call, { forwardedTo: event.to, telephone: isTelephone(event.to) });
    case "Progressed": return withCall(state, event.call, { stage: /** @type {Stage} */ (event.progress) });
    case "EarlySound": return withCall(state, event.call, { early: "awaited", refusal: event.refusal });
    case "Answered": return withCall(state, event.call, { stage: "connecting", early: null });
    case "SafetyCode": return withCall(state, event.call, { code: event.code });
    case "Changed": return withCall(state, event.call, {
      media: event.media, heldHere: event.held_here, heldThere: event.held_there, declinedChange: null,
    });
    case "ChangeDeclined": return withCall(state, event.call, { declinedChange: event.refusal ?? true });
    case "GoesOn": return goesOn(state, event);
    case "Ending": return withCall(state, event.call, {
      ending: { until: now + event.within * 1000, refusal: event.refusal },
    });
    case "EndingCancelled": return withCall(state, event.call, { ending: null });
    case "Ended": return withCall(state, event.call, { stage: "ended", ended: event, ending: null, handedTo: null });
    case "LinkLost": return state;
    case "Message": return said(state, event.message);
    default: return state;
  }
}

/** Those who talk stay in a call when its other side puts somebody through. @param {State} state @param {{replaces: string | null}} event */
function isPutThrough(state, { replaces }) {
  const call = replaces && callOf(state, replaces);
  return call && !call.heldHere && ["connecting", "talking", "reconnecting"].includes(call.stage);
}

/** @param {State} state @param {{call: string, survivor: string}} event @returns {State} */
function goesOn(state, { call, survivor }) {
  const others = state.calls.filter((each) => each.id !== survivor);
  return { ...state, calls: others.map((each) => (each.id === call ? { ...each, id: survivor } : each)) };
}

/** @param {State} state @param {any} message @returns {State} */
function said(state, message) {
  switch (message.type) {
    case "welcome": return { ...state, me: message.user, draining: false, asked: message.resumed ? state.asked : [] };
    case "dial": return { ...state, asked: [...state.asked, { call: message.call, to: message.to, media: message.media }] };
    case "dial_over": return withoutAsked(state, message.call);
    case "draining": return { ...state, draining: true };
    case "signed_out": return { ...state, over: message.reason };
    case "missed": {
      if (state.missed.some((each) => each.call === message.call)) return state;
      return { ...state, missed: [...state.missed, { call: message.call, peer: message.peer, at: message.at }] };
    }
    case "text": return heard(state, message);
    case "text_accepted": return withText(state, message.message, { seq: message.seq, at: message.at, fate: "sent" });
    case "receipt": return receipt(state, message);
    case "error": {
      return message.message ? withText(state, message.message, { fate: "failed", fault: message.code }) : state;
    }
    default: return state;
  }
}

const nobody = { texts: [], unread: 0, before: null, listing: /** @type {const} */ ("asked") };

/** @param {State} state @param {string} peer @param {(known: Conversation) => Conversation} change @returns {State} */
export function withConversation(state, peer, change) {
  const known = state.conversations[peer] ?? nobody;
  return { ...state, conversations: { ...state.conversations, [peer]: change(known) } };
}

/**
 * A text of ours, before the server has it.
 *
 * @param {State} state @param {string} message @param {string} to @param {string} text @param {number} at
 * @returns {State}
 */
export function written(state, message, to, text, at) {
  /** @type {Text} */
  const mine = { message, seq: null, sender: state.me ?? "", to, text, at, fate: "waiting", fault: null };
  return withConversation(state, to, (known) => ({ ...known, texts: [...known.texts, mine] }));
}

/** @param {State} state @param {any} message @returns {State} */
function heard(state, message) {
  const isMine = message.sender === state.me;
  const peer = isMine ? message.to : message.sender;
  return withConversation(state, peer, (known) => {
    const old = known.texts.find((each) => each.message === message.message);
    /** @type {Text} */
    const text = {
      message: message.message, seq: message.seq, sender: message.sender, to: message.to, text: message.text,
      at: message.at, fate: old && old.fate !== "waiting" ? old.fate : "sent", fault: null,
    };
    const texts = inOrder([...known.texts.filter((each) => each !== old), text]);
    return { ...known, texts, unread: known.unread + (isMine || old ? 0 : 1) };
  });
}

/** @param {State} state @param {string} message @param {Partial<Text>} change @returns {State} */
function withText(state, message, change) {
  const found = Object.entries(state.conversations).find(([, { texts }]) => texts.some((each) => each.message === message));
  if (!found) return state;
  return withConversation(state, found[0], (known) => ({
    ...known,
    texts: inOrder(known.texts.map((each) => (each.message === message ? { ...each, ...change } : each))),
  }));
}

const FATES = ["failed", "waiting", "sent", "delivered", "read"];

/** @param {State} state @param {{kind: "delivered" | "read", peer: string, seq: number}} message @returns {State} */
function receipt(state, { kind, peer, seq }) {
  return withConversation(state, peer, (known) => ({
    ...known,
    texts: known.texts.map((each) => {
      const covered = each.sender === state.me && each.seq !== null && each.seq <= seq;
      return covered && FATES.indexOf(each.fate) < FATES.indexOf(kind) ? { ...each, fate: kind } : each;
    }),
  }));
}

/**
 * A page of older texts, as the server has them.
 *
 * @param {State} state @param {string} peer @param {readonly any[]} texts newest first @param {number | null} before
 * @returns {State}
 */
export function older(state, peer, texts, before) {
  return withConversation(state, peer, (known) => {
    const have = new Set(known.texts.map((each) => each.message));
    const found = texts.filter((each) => !have.has(each.message)).map(asKept);
    return { ...known, texts: inOrder([...found, ...known.texts]), before, listing: "had" };
  });
}

/**
 * A page of the list of conversations, as the server has it: the last text of each, and how many are unread.
 *
 * @param {State} state @param {{conversations: readonly any[], before: number | null}} page @returns {State}
 */
export function listed(state, { conversations, before }) {
  const all = conversations.reduce((so, { peer, text, unread }) => withConversation(so, peer, (known) => {
    const others = known.texts.filter((each) => each.message !== text.message);
    return { ...known, unread, texts: inOrder([...others, asKept(text)]) };
  }), state);
  return { ...all, moreConversations: before, listing: "had" };
}

/** A text that the server has stored. @param {any} text @returns {Text} */
function asKept({ message, seq, sender, to, text, at, read_at, delivered_at }) {
  return { message, seq, sender, to, text, at, fate: read_at ? "read" : delivered_at ? "delivered" : "sent", fault: null };
}

/** The server's order; what it has not taken yet comes last. @param {readonly Text[]} texts */
function inOrder(texts) {
  return [...texts].sort((one, other) => (one.seq ?? Infinity) - (other.seq ?? Infinity) || one.at - other.at);
}

/** The call that the person is in, or that rings: what the screen shows first; one they have put aside comes last. @param {State} state */
export function foremost(state) {
  const rank = (/** @type {Call} */ call) => (call.stage === "ringing" ? 1 : call.stage === "ended" ? 2 : call.heldHere ? 3 : 0);
  return [...state.calls].sort((one, other) => rank(one) - rank(other))[0] ?? null;
}
