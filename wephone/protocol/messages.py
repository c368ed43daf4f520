"""Every message of `wephone.v1`, one frozen model each, told apart by "type".

A message is what a peer claims. The server refuses fields it does not know, clients ignore them
(`codec.py`). Client messages are verbs a person or device does; server messages are what happened.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from wephone.protocol.ids import CallId, DeviceId, MessageId, Peer, SessionId, UserId
from wephone.protocol.reasons import EndReason, ErrorCode

SUBPROTOCOL = "wephone.v1"
MAX_FRAME = 64 * 1024  # bytes
MAX_SDP = 32 * 1024  # characters
MAX_CANDIDATES = 64  # per party and call, and so per frame
MAX_TEXT = 4096  # characters
MAX_PACKETS = 100_000_000  # of one call: three days of 2.5 ms each
MAX_LATE = 60_000_000  # microseconds that a packet's way may take or vary

ONE_LINE = r"^[\x20-\x7e]*$"  # of SDP, in which it may be put as it is

CONTROL = frozenset(chr(c) for c in [*range(9), 11, 12, *range(14, 32), 127])


def without_control_characters(text: str) -> str:
    """The text, or ValueError: NUL, escapes and the like have no place in what people write."""
    if not CONTROL.isdisjoint(text):
        raise ValueError("control characters are not allowed")
    return text


Sdp = Annotated[str, StringConstraints(min_length=1, max_length=MAX_SDP)]
Text = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_TEXT), AfterValidator(without_control_characters)
]
Address = Annotated[
    str, StringConstraints(min_length=1, max_length=256), AfterValidator(without_control_characters)
]
Label = Annotated[str, StringConstraints(max_length=64), AfterValidator(without_control_characters)]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]  # SHA-256, hex
Nonce = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]  # 256 random bits, hex
# The offerer counts its offers of a call, an answer repeats the number: a late answer finds its offer.
Round = Annotated[int, Field(ge=0, le=2**31 - 1)]
Microseconds = Annotated[int, Field(ge=0, le=2**63 - 1)]  # since 1970-01-01T00:00Z


class Media(StrEnum):
    """What a call carries (W3C MediaStreamTrack.kind)."""

    AUDIO = "audio"
    VIDEO = "video"


class Role(StrEnum):
    """A party's part in a call."""

    CALLER = "caller"
    CALLEE = "callee"


class Progress(StrEnum):
    """How far a call has come; each is true when it is said."""

    SENT = "sent"  # the server has recorded the call and offered it
    DELIVERED = "delivered"  # a device of the callee has it
    ALERTING = "alerting"  # a device of the callee really rings


class Model(BaseModel):
    """Frozen, and strict about fields; clients read with extra="ignore"."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class ClientMessage(Model):
    """What a client sends. `ref` comes back in the answer or error it causes."""

    ref: Annotated[int, Field(ge=0, le=2**53 - 1)] | None = None


class ServerMessage(Model):
    """What the server sends. `n` counts the events of a session; none on answers outside the count."""

    n: Annotated[int, Field(ge=1)] | None = None


class Candidate(Model):
    """One ICE candidate (RFC 8839 §5.1; W3C RTCIceCandidateInit)."""

    candidate: Annotated[str, StringConstraints(max_length=512, pattern=ONE_LINE)]
    sdp_mid: Annotated[str, StringConstraints(max_length=32, pattern=ONE_LINE)] | None = None
    sdp_mline_index: Annotated[int, Field(ge=0, le=32)] | None = None
    username_fragment: Annotated[str, StringConstraints(max_length=256, pattern=ONE_LINE)] | None = None


class Resume(Model):
    """Which session a device wants back, and the last event it saw of it."""

    session: SessionId
    n: Annotated[int, Field(ge=0)]


# Client messages


class Hello(ClientMessage):
    """Sign in: the first frame, within 10 s of the upgrade."""

    type: Literal["hello"] = "hello"
    ticket: Annotated[str, StringConstraints(min_length=16, max_length=128)]
    device: DeviceId
    device_name: Label = ""
    client: Label = ""
    features: Annotated[tuple[Label, ...], Field(max_length=32)] = ()
    resume: Resume | None = None
    calls: Annotated[tuple[CallId, ...], Field(max_length=64)] = ()  # still alive on this device


class Ack(ClientMessage):
    """All events up to `n` have reached the application."""

    type: Literal["ack"] = "ack"
    n: Annotated[int, Field(ge=1)]


class Invite(ClientMessage):
    """Call a user, or a telephone number: the server decides which by the address alone."""

    type: Literal["invite"] = "invite"
    call: CallId
    to: Address
    sdp: Sdp
    media: Annotated[tuple[Media, ...], Field(min_length=1, max_length=2)] = (Media.AUDIO,)
    commitment: Digest  # SHA-256 of the caller's nonce (RFC 6189 §4.4 in spirit)
    replaces: CallId | None = None  # the call of which the other side has asked for this one


class Delivered(ClientMessage):
    """This device has the call; nobody has been told yet."""

    type: Literal["delivered"] = "delivered"
    call: CallId


class Alerting(ClientMessage):
    """This device really rings."""

    type: Literal["alerting"] = "alerting"
    call: CallId


class Answer(ClientMessage):
    """Accept a call on this device. Media may flow only after `select_answer`."""

    type: Literal["answer"] = "answer"
    call: CallId
    sdp: Sdp
    nonce: Nonce


class Reject(ClientMessage):
    """Turn a call down, on all devices of this user."""

    type: Literal["reject"] = "reject"
    call: CallId
    reason: Literal[EndReason.DECLINED, EndReason.BUSY, EndReason.DO_NOT_DISTURB] = EndReason.DECLINED


class SendCandidates(ClientMessage):
    """Trickled ICE candidates, batched; `end` says that no more follow (RFC 8838 §8.2)."""

    type: Literal["candidates"] = "candidates"
    call: CallId
    candidates: Annotated[tuple[Candidate, ...], Field(max_length=MAX_CANDIDATES)] = ()
    end: bool = False


class SendReveal(ClientMessage):
    """The caller opens its commitment, so that both ends can show the safety code."""

    type: Literal["reveal"] = "reveal"
    call: CallId
    nonce: Nonce


class SendNegotiate(ClientMessage):
    """Offer a change of a running call (hold, resume, video), or answer or decline one."""

    type: Literal["negotiate"] = "negotiate"
    call: CallId
    kind: Literal["offer", "answer", "decline"]
    round: Round = 0
    sdp: Sdp | None = None  # none in a decline
    media: Annotated[tuple[Media, ...], Field(min_length=1, max_length=2)] = (Media.AUDIO,)
    hold: bool = False  # the sender's music-free hold: it neither plays nor sends


class Hangup(ClientMessage):
    """End a call, at any moment of its life."""

    type: Literal["hangup"] = "hangup"
    call: CallId
    reason: Literal[EndReason.HANGUP, EndReason.MEDIA_FAILED] = EndReason.HANGUP


class Heard(ClientMessage):
    """What came of a call's sound here since it began, said once when it is over for this device; and before
    that, now and then, as `so_far`. Nobody is answered.

    Packets that came and that the network lost, and the jitter of their arrival (RFC 3550 §6.4.1).
    """

    type: Literal["heard"] = "heard"
    call: CallId
    packets: Annotated[int, Field(ge=0, le=MAX_PACKETS)]
    lost: Annotated[int, Field(ge=0, le=MAX_PACKETS)]
    jitter_us: Annotated[int, Field(ge=0, le=MAX_LATE)]
    rtt_us: Annotated[int, Field(ge=0, le=MAX_LATE)] | None = None  # to the other device and back
    so_far: bool = False  # the call runs on, and more will be said


class SendTransfer(ClientMessage):
    """Ask that the other side of a running call calls somebody else; this call ends when they answer.

    Either `to`, or `to_call`: another call of this device, whose other side they are put through to. Both
    calls end then.
    """

    type: Literal["transfer"] = "transfer"
    call: CallId
    to: Address | None = None
    to_call: CallId | None = None


class MissedSeen(ClientMessage):
    """The person has seen that these calls were missed."""

    type: Literal["missed_seen"] = "missed_seen"
    calls: Annotated[tuple[CallId, ...], Field(min_length=1, max_length=64)]


class SendText(ClientMessage):
    """Write to a user, who may be offline."""

    type: Literal["text"] = "text"
    message: MessageId
    to: Address
    text: Text


class Received(ClientMessage):
    """All texts up to this sequence number have reached the application of this device."""

    type: Literal["received"] = "received"
    seq: Annotated[int, Field(ge=1, le=2**63 - 1)]


class Read(ClientMessage):
    """The person has read a conversation up to this sequence number."""

    type: Literal["read"] = "read"
    peer: UserId
    seq: Annotated[int, Field(ge=1, le=2**63 - 1)]


# Server messages


class Welcome(ServerMessage):
    """You are signed in. When not resumed, a `resync` follows, then what is durable."""

    type: Literal["welcome"] = "welcome"
    user: UserId
    device: DeviceId
    session: SessionId
    resumed: bool
    now: Microseconds
    heartbeat: float  # seconds between pings; two unanswered ones end the connection
    resume_for: float  # seconds a lost connection can be resumed
    features: tuple[str, ...] = ()


class RefusalText(Model):
    """A refusal in words, for a person."""

    en: str
    zh_cn: str = Field(alias="zh-CN")

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)


class Refusal(Model):
    """Why the operator may not offer this, as `licensing` decided it and wrote down."""

    code: str
    text: RefusalText
    decision: str | None = None  # the decision's id, D-..., in the operator's journal
    permit_needed: str | None = None
    alternative: RefusalText | None = None  # what can be done instead, here and now


class Announced(Model):
    """An end to come: the call is no longer permitted, and how many seconds it has left."""

    within: Annotated[float, Field(ge=0)]
    refusal: Refusal


class CallSnapshot(Model):
    """A call of this device as the server holds it."""

    call: CallId
    role: Role
    peer: Peer
    peer_device: DeviceId | None = None  # none until answered
    answered: bool
    media: tuple[Media, ...]
    ending: Announced | None = None


class Resync(ServerMessage):
    """What the server holds for this device; calls not listed are over."""

    type: Literal["resync"] = "resync"
    calls: tuple[CallSnapshot, ...] = ()


class Error(ServerMessage):
    """Something was wrong with a frame; nothing has changed."""

    type: Literal["error"] = "error"
    code: ErrorCode
    text: str
    ref: int | None = None  # of the frame that caused it
    field: str | None = None
    call: CallId | None = None
    message: MessageId | None = None
    retry_after: float | None = None  # seconds
    refusal: Refusal | None = None


class CallProgress(ServerMessage):
    """To the caller: how far the call has come; `forwarded_to`: with whom, if not with whom it was for."""

    type: Literal["progress"] = "progress"
    call: CallId
    progress: Progress
    forwarded_to: Peer | None = None


class Incoming(ServerMessage):
    """A call for this device. `answer_now`: by glare it has been answered; only the SDP is missing.

    `forwarded_by`: whom it was for, and by whose rule it came here. `replaces`: a call of this device, whose
    other side puts this caller through; it ends when this one is answered.
    """

    type: Literal["incoming"] = "incoming"
    call: CallId
    peer: Peer
    peer_device: DeviceId
    sdp: Sdp
    media: tuple[Media, ...]
    commitment: Digest
    lifetime: float  # seconds left to answer, by the server's clock
    answer_now: bool = False
    forwarded_by: UserId | None = None
    replaces: CallId | None = None


class Early(ServerMessage):
    """To the caller: a telephone network sends sound before the answer. The call rings on.

    A provisional answer (RFC 9429 §4.1.10.1): what comes is played, and nothing is sent. `refusal`: the call
    is refused; that is told aloud now, and `ended` follows. To be shown at once.
    """

    type: Literal["early"] = "early"
    call: CallId
    sdp: Sdp  # that of the `answered` to come
    refusal: Refusal | None = None


class Answered(ServerMessage):
    """To the caller: this device answered."""

    type: Literal["answered"] = "answered"
    call: CallId
    peer_device: DeviceId
    sdp: Sdp
    nonce: Nonce


class SelectAnswer(ServerMessage):
    """To the device that answered first: the call is yours (MSC2746 m.call.select_answer)."""

    type: Literal["select_answer"] = "select_answer"
    call: CallId


class Candidates(ServerMessage):
    """The other side's ICE candidates."""

    type: Literal["candidates"] = "candidates"
    call: CallId
    candidates: tuple[Candidate, ...] = ()
    end: bool = False


class Reveal(ServerMessage):
    """The caller's nonce; it must hash to the commitment of the call."""

    type: Literal["reveal"] = "reveal"
    call: CallId
    nonce: Nonce


class Negotiate(ServerMessage):
    """The other side's offer of a change, or its answer to ours. `refusal`: the operator may not offer it."""

    type: Literal["negotiate"] = "negotiate"
    call: CallId
    kind: Literal["offer", "answer", "decline"]
    round: Round = 0
    sdp: Sdp | None = None
    media: tuple[Media, ...] = (Media.AUDIO,)
    hold: bool = False
    refusal: Refusal | None = None


class Ending(ServerMessage):
    """The call is no longer permitted: it ends in so many seconds, unless that is taken back."""

    type: Literal["ending"] = "ending"
    call: CallId
    within: Annotated[float, Field(ge=0)]  # seconds
    refusal: Refusal


class EndingCancelled(ServerMessage):
    """The call is permitted again and goes on: the end that was announced will not come."""

    type: Literal["ending_cancelled"] = "ending_cancelled"
    call: CallId
    decision: str | None = None


class Transfer(ServerMessage):
    """The other side hands the call over: `invite` this one, with `replaces`; it ends when they answer."""

    type: Literal["transfer"] = "transfer"
    call: CallId
    to: Address


class TransferFailed(ServerMessage):
    """The transfer that was asked for did not come about; the call goes on."""

    type: Literal["transfer_failed"] = "transfer_failed"
    call: CallId
    reason: EndReason
    refusal: Refusal | None = None


class Ended(ServerMessage):
    """The call is over, once and for all; `survivor` is the call that goes on after glare.

    `forwarded_to`: with whom it was last, if not with whom it was for.
    """

    type: Literal["ended"] = "ended"
    call: CallId
    reason: EndReason
    by: Role | None = None
    refusal: Refusal | None = None
    survivor: CallId | None = None
    forwarded_to: Peer | None = None


class Missed(ServerMessage):
    """A call nobody took; repeated at each sign-in until seen."""

    type: Literal["missed"] = "missed"
    call: CallId
    peer: Peer
    at: Microseconds


class TextAccepted(ServerMessage):
    """The server has stored your text; it will not be lost."""

    type: Literal["text_accepted"] = "text_accepted"
    message: MessageId
    seq: int
    at: Microseconds


class TextMessage(ServerMessage):
    """A text of a conversation: to this user, or by this user from another device."""

    type: Literal["text"] = "text"
    message: MessageId
    seq: int
    sender: UserId
    to: UserId
    text: str
    at: Microseconds


class Receipt(ServerMessage):
    """Your texts to `peer` up to `seq` were delivered, or read."""

    type: Literal["receipt"] = "receipt"
    kind: Literal["delivered", "read"]
    peer: UserId
    seq: int
    at: Microseconds


class Dial(ServerMessage):
    """Your account asks over HTTP that a device of it places this call: ask the person, then `invite`.

    As a telephone is asked by REFER (RFC 3515). Whichever device invites first under this id has it.
    """

    type: Literal["dial"] = "dial"
    call: CallId
    to: Address
    media: tuple[Media, ...]
    lifetime: float  # seconds left to take it


class DialOver(ServerMessage):
    """Another device places the call of that `dial`, or its time is over: ask no longer."""

    type: Literal["dial_over"] = "dial_over"
    call: CallId


class SignedOut(ServerMessage):
    """This session is over; the connection closes. Do not come back with the same token."""

    type: Literal["signed_out"] = "signed_out"
    reason: Literal["revoked", "replaced", "disabled", "expired"]


class Draining(ServerMessage):
    """The server stops soon; place no new calls here, and reconnect when the socket closes."""

    type: Literal["draining"] = "draining"
    within: float  # seconds


AnyClientMessage = Annotated[
    Hello
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
    | Read,
    Field(discriminator="type"),
]

AnyServerMessage = Annotated[
    Welcome
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
    | Draining,
    Field(discriminator="type"),
]
