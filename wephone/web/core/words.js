/**
 * What goes in and out of the call machine. Types alone: see wephone/core/{inputs,effects,events}.py.
 *
 * @typedef {import("../protocol.js").Candidate} Candidate
 * @typedef {import("../protocol.js").Media} Media
 * @typedef {import("../protocol.js").ClientMessage} ClientMessage
 * @typedef {import("../protocol.js").ServerMessage} ServerMessage
 * @typedef {import("../protocol.js").Refusal} Refusal
 * @typedef {import("../protocol.js").EndReason} EndReason
 * @typedef {import("../protocol.js").ErrorCode} ErrorCode
 *
 * @typedef {"ring" | "answer" | "negotiate" | "ending" | "notice"} Timer
 *
 * @typedef {{input: "Ring"}
 *   | {input: "Accept", nonce: string}
 *   | {input: "Decline", reason: "declined" | "busy" | "do_not_disturb"}
 *   | {input: "HangUp"}
 *   | {input: "Change", media: readonly Media[], hold: boolean}
 *   | {input: "Transfer", to?: string, to_call?: string}
 *   | {input: "OfferCreated", sdp: string}
 *   | {input: "AnswerCreated", sdp: string}
 *   | {input: "CandidatesFound", candidates: readonly Candidate[], end: boolean}
 *   | {input: "MediaConnected"}
 *   | {input: "MediaFailed", why: string}
 *   | {input: "DescriptionFailed", why: string}
 *   | {input: "TimedOut", timer: Timer}
 *   | {input: "Reconnected"}
 *   | {input: "Unlisted"}
 *   | {input: "LinkGone"}} Input
 *
 * @typedef {{event: "Ended", call: string, reason: EndReason, by: "caller" | "callee" | null,
 *   refusal: Refusal | null, error: ErrorCode | null, forged: boolean, fault: string}} Ended
 *
 * @typedef {{event: "Ending", call: string, within: number, refusal: Refusal}} Ending
 *
 * @typedef {{event: "Rings", call: string, peer: string, peer_device: string, media: readonly Media[],
 *     forwarded_by: string | null, replaces: string | null}
 *   | {event: "Progressed", call: string, progress: string}
 *   | {event: "Forwarded", call: string, to: string}
 *   | {event: "EarlySound", call: string, refusal: Refusal | null}
 *   | {event: "Answered", call: string, peer_device: string | null}
 *   | {event: "SafetyCode", call: string, code: string}
 *   | {event: "Changed", call: string, media: readonly Media[], held_here: boolean, held_there: boolean}
 *   | {event: "ChangeDeclined", call: string, refusal: Refusal | null}
 *   | {event: "Transferred", call: string, to: string}
 *   | {event: "TransferFailed", call: string, reason: EndReason | null, refusal: Refusal | null,
 *     error: ErrorCode | null}
 *   | {event: "GoesOn", call: string, survivor: string}
 *   | Ending
 *   | {event: "EndingCancelled", call: string}
 *   | Ended} CallEvent
 *
 * @typedef {CallEvent | {event: "LinkLost"} | {event: "Message", message: ServerMessage}} Event
 *
 * @typedef {{effect: "Send", message: ClientMessage}
 *   | {effect: "CreateOffer", call: string, media: readonly Media[], hold: boolean}
 *   | {effect: "CreateAnswer", call: string, offer: string, media: readonly Media[], hold: boolean}
 *   | {effect: "ApplyAnswer", call: string, sdp: string}
 *   | {effect: "HearEarly", call: string, sdp: string}
 *   | {effect: "RollBack", call: string}
 *   | {effect: "AddCandidates", call: string, candidates: readonly Candidate[], end: boolean}
 *   | {effect: "StartMedia", call: string}
 *   | {effect: "StopMedia", call: string}
 *   | {effect: "StartTimer", call: string, timer: Timer, deadline: number}
 *   | {effect: "StopTimer", call: string, timer: Timer}
 *   | {effect: "Tell", event: Event}
 *   | {effect: "Drop"}
 *   | {effect: "Reconnect", after: number}} Effect
 */

export {};
