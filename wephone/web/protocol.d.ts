// Made by `python -m tests.web.generated` from the models in wephone/protocol. Not to be edited.

export interface Ack {
  readonly ref?: number | null;
  readonly type: "ack";
  readonly n: number;
}

export interface Alerting {
  readonly ref?: number | null;
  readonly type: "alerting";
  readonly call: string;
}

export interface Announced {
  readonly within: number;
  readonly refusal: Refusal;
}

export interface Answer {
  readonly ref?: number | null;
  readonly type: "answer";
  readonly call: string;
  readonly sdp: string;
  readonly nonce: string;
}

export interface Answered {
  readonly n?: number | null;
  readonly type: "answered";
  readonly call: string;
  readonly peer_device: string;
  readonly sdp: string;
  readonly nonce: string;
}

export interface CallProgress {
  readonly n?: number | null;
  readonly type: "progress";
  readonly call: string;
  readonly progress: Progress;
  readonly forwarded_to?: string | null;
}

export interface CallSnapshot {
  readonly call: string;
  readonly role: Role;
  readonly peer: string;
  readonly peer_device?: string | null;
  readonly answered: boolean;
  readonly media: readonly (Media)[];
  readonly ending?: Announced | null;
}

export interface Candidate {
  readonly candidate: string;
  readonly sdp_mid?: string | null;
  readonly sdp_mline_index?: number | null;
  readonly username_fragment?: string | null;
}

export interface Candidates {
  readonly n?: number | null;
  readonly type: "candidates";
  readonly call: string;
  readonly candidates?: readonly (Candidate)[];
  readonly end?: boolean;
}

export type ClientMessage =
  | Hello
  | Ack
  | Invite
  | Delivered
  | Alerting
  | Answer
  | Reject
  | SendCandidates
  | SendReveal
  | SendNegotiate
  | Hangup
  | Heard
  | SendTransfer
  | MissedSeen
  | SendText
  | Received
  | Read;

export interface Delivered {
  readonly ref?: number | null;
  readonly type: "delivered";
  readonly call: string;
}

export interface Dial {
  readonly n?: number | null;
  readonly type: "dial";
  readonly call: string;
  readonly to: string;
  readonly media: readonly (Media)[];
  readonly lifetime: number;
}

export interface DialOver {
  readonly n?: number | null;
  readonly type: "dial_over";
  readonly call: string;
}

export interface Draining {
  readonly n?: number | null;
  readonly type: "draining";
  readonly within: number;
}

export interface Early {
  readonly n?: number | null;
  readonly type: "early";
  readonly call: string;
  readonly sdp: string;
  readonly refusal?: Refusal | null;
}

export type EndReason = "hangup" | "cancelled" | "declined" | "busy" | "do_not_disturb" | "no_answer" | "unreachable" | "refused" | "glare" | "answered_elsewhere" | "declined_elsewhere" | "connection_lost" | "media_failed" | "server_restarted" | "not_recorded" | "licence_withdrawn" | "unknown_user" | "unknown_call" | "no_route" | "unknown_number" | "lines_busy" | "carrier_failed" | "help_not_reached" | "time_limit" | "transferred";

export interface Ended {
  readonly n?: number | null;
  readonly type: "ended";
  readonly call: string;
  readonly reason: EndReason;
  readonly by?: Role | null;
  readonly refusal?: Refusal | null;
  readonly survivor?: string | null;
  readonly forwarded_to?: string | null;
}

export interface Ending {
  readonly n?: number | null;
  readonly type: "ending";
  readonly call: string;
  readonly within: number;
  readonly refusal: Refusal;
}

export interface EndingCancelled {
  readonly n?: number | null;
  readonly type: "ending_cancelled";
  readonly call: string;
  readonly decision?: string | null;
}

export interface Error {
  readonly n?: number | null;
  readonly type: "error";
  readonly code: ErrorCode;
  readonly text: string;
  readonly ref?: number | null;
  readonly field?: string | null;
  readonly call?: string | null;
  readonly message?: string | null;
  readonly retry_after?: number | null;
  readonly refusal?: Refusal | null;
}

export type ErrorCode = "malformed" | "unknown_type" | "unknown_field" | "bad_value" | "too_large" | "too_many" | "bad_sdp" | "not_signed_in" | "unsupported_version" | "out_of_place" | "unknown_call" | "id_taken" | "negotiation_pending" | "slow_down" | "unknown_user" | "unreachable" | "bad_address" | "yourself" | "not_stored" | "refused" | "draining" | "internal";

export interface Hangup {
  readonly ref?: number | null;
  readonly type: "hangup";
  readonly call: string;
  readonly reason?: "hangup" | "media_failed";
}

export interface Heard {
  readonly ref?: number | null;
  readonly type: "heard";
  readonly call: string;
  readonly packets: number;
  readonly lost: number;
  readonly jitter_us: number;
  readonly rtt_us?: number | null;
  readonly so_far?: boolean;
}

export interface Hello {
  readonly ref?: number | null;
  readonly type: "hello";
  readonly ticket: string;
  readonly device: string;
  readonly device_name?: string;
  readonly client?: string;
  readonly features?: readonly (string)[];
  readonly resume?: Resume | null;
  readonly calls?: readonly (string)[];
}

export interface Incoming {
  readonly n?: number | null;
  readonly type: "incoming";
  readonly call: string;
  readonly peer: string;
  readonly peer_device: string;
  readonly sdp: string;
  readonly media: readonly (Media)[];
  readonly commitment: string;
  readonly lifetime: number;
  readonly answer_now?: boolean;
  readonly forwarded_by?: string | null;
  readonly replaces?: string | null;
}

export interface Invite {
  readonly ref?: number | null;
  readonly type: "invite";
  readonly call: string;
  readonly to: string;
  readonly sdp: string;
  readonly media?: readonly (Media)[];
  readonly commitment: string;
  readonly replaces?: string | null;
}

export type Media = "audio" | "video";

export interface Missed {
  readonly n?: number | null;
  readonly type: "missed";
  readonly call: string;
  readonly peer: string;
  readonly at: number;
}

export interface MissedSeen {
  readonly ref?: number | null;
  readonly type: "missed_seen";
  readonly calls: readonly (string)[];
}

export interface Negotiate {
  readonly n?: number | null;
  readonly type: "negotiate";
  readonly call: string;
  readonly kind: "offer" | "answer" | "decline";
  readonly round?: number;
  readonly sdp?: string | null;
  readonly media?: readonly (Media)[];
  readonly hold?: boolean;
  readonly refusal?: Refusal | null;
}

export type Progress = "sent" | "delivered" | "alerting";

export interface Read {
  readonly ref?: number | null;
  readonly type: "read";
  readonly peer: string;
  readonly seq: number;
}

export interface Receipt {
  readonly n?: number | null;
  readonly type: "receipt";
  readonly kind: "delivered" | "read";
  readonly peer: string;
  readonly seq: number;
  readonly at: number;
}

export interface Received {
  readonly ref?: number | null;
  readonly type: "received";
  readonly seq: number;
}

export interface Refusal {
  readonly code: string;
  readonly text: RefusalText;
  readonly decision?: string | null;
  readonly permit_needed?: string | null;
  readonly alternative?: RefusalText | null;
}

export interface RefusalText {
  readonly en: string;
  readonly "zh-CN": string;
}

export interface Reject {
  readonly ref?: number | null;
  readonly type: "reject";
  readonly call: string;
  readonly reason?: "declined" | "busy" | "do_not_disturb";
}

export interface Resume {
  readonly session: string;
  readonly n: number;
}

export interface Resync {
  readonly n?: number | null;
  readonly type: "resync";
  readonly calls?: readonly (CallSnapshot)[];
}

export interface Reveal {
  readonly n?: number | null;
  readonly type: "reveal";
  readonly call: string;
  readonly nonce: string;
}

export type Role = "caller" | "callee";

export interface SelectAnswer {
  readonly n?: number | null;
  readonly type: "select_answer";
  readonly call: string;
}

export interface SendCandidates {
  readonly ref?: number | null;
  readonly type: "candidates";
  readonly call: string;
  readonly candidates?: readonly (Candidate)[];
  readonly end?: boolean;
}

export interface SendNegotiate {
  readonly ref?: number | null;
  readonly type: "negotiate";
  readonly call: string;
  readonly kind: "offer" | "answer" | "decline";
  readonly round?: number;
  readonly sdp?: string | null;
  readonly media?: readonly (Media)[];
  readonly hold?: boolean;
}

export interface SendReveal {
  readonly ref?: number | null;
  readonly type: "reveal";
  readonly call: string;
  readonly nonce: string;
}

export interface SendText {
  readonly ref?: number | null;
  readonly type: "text";
  readonly message: string;
  readonly to: string;
  readonly text: string;
}

export interface SendTransfer {
  readonly ref?: number | null;
  readonly type: "transfer";
  readonly call: string;
  readonly to?: string | null;
  readonly to_call?: string | null;
}

export type ServerMessage =
  | Welcome
  | Resync
  | Error
  | CallProgress
  | Incoming
  | Early
  | Answered
  | SelectAnswer
  | Candidates
  | Reveal
  | Negotiate
  | Ending
  | EndingCancelled
  | Transfer
  | TransferFailed
  | Ended
  | Missed
  | TextAccepted
  | TextMessage
  | Receipt
  | Dial
  | DialOver
  | SignedOut
  | Draining;

export interface SignedOut {
  readonly n?: number | null;
  readonly type: "signed_out";
  readonly reason: "revoked" | "replaced" | "disabled" | "expired";
}

export interface TextAccepted {
  readonly n?: number | null;
  readonly type: "text_accepted";
  readonly message: string;
  readonly seq: number;
  readonly at: number;
}

export interface TextMessage {
  readonly n?: number | null;
  readonly type: "text";
  readonly message: string;
  readonly seq: number;
  readonly sender: string;
  readonly to: string;
  readonly text: string;
  readonly at: number;
}

export interface Transfer {
  readonly n?: number | null;
  readonly type: "transfer";
  readonly call: string;
  readonly to: string;
}

export interface TransferFailed {
  readonly n?: number | null;
  readonly type: "transfer_failed";
  readonly call: string;
  readonly reason: EndReason;
  readonly refusal?: Refusal | null;
}

export interface Welcome {
  readonly n?: number | null;
  readonly type: "welcome";
  readonly user: string;
  readonly device: string;
  readonly session: string;
  readonly resumed: boolean;
  readonly now: number;
  readonly heartbeat: number;
  readonly resume_for: number;
  readonly features?: readonly (string)[];
}
