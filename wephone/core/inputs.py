"""What the application, the media and the clock tell a call; the server's messages come as they are."""

from dataclasses import dataclass
from typing import Literal

from wephone.protocol.ids import CallId
from wephone.protocol.messages import Candidate, Media
from wephone.protocol.reasons import EndReason

Timer = Literal["ring", "answer", "negotiate", "ending", "notice"]


@dataclass(frozen=True, slots=True)
class Ring:
    """The device really rings now."""


@dataclass(frozen=True, slots=True)
class Accept:
    """The person answers. `nonce`: 256 random bits, hex, never used before."""

    nonce: str


@dataclass(frozen=True, slots=True)
class Decline:
    """The person turns the call down, or is busy, or not to be disturbed."""

    reason: Literal[EndReason.DECLINED, EndReason.BUSY, EndReason.DO_NOT_DISTURB] = EndReason.DECLINED


@dataclass(frozen=True, slots=True)
class HangUp:
    """The person ends the call, at any moment of its life."""


@dataclass(frozen=True, slots=True)
class Change:
    """Hold, resume, or carry other media from now on."""

    media: tuple[Media, ...]
    hold: bool = False


@dataclass(frozen=True, slots=True)
class Transfer:
    """The person hands the call over: the other side is to talk with this one instead.

    Or `to_call`, with the other side of another call of this device.
    """

    to: str | None
    to_call: CallId | None = None


@dataclass(frozen=True, slots=True)
class OfferCreated:
    """The media answers CreateOffer."""

    sdp: str


@dataclass(frozen=True, slots=True)
class AnswerCreated:
    """The media answers CreateAnswer."""

    sdp: str


@dataclass(frozen=True, slots=True)
class CandidatesFound:
    """ICE found ways to reach this device; `end`: no more follow."""

    candidates: tuple[Candidate, ...]
    end: bool = False


@dataclass(frozen=True, slots=True)
class MediaConnected:
    """Sound can pass: what was said to get here need not be said again."""


@dataclass(frozen=True, slots=True)
class MediaFailed:
    """No sound can pass, or the remote answer made no sense: the call is of no use. `why` is for people."""

    why: str = ""


@dataclass(frozen=True, slots=True)
class DescriptionFailed:
    """The media could not make what CreateOffer or CreateAnswer asked; the call itself may go on."""

    why: str = ""


@dataclass(frozen=True, slots=True)
class TimedOut:
    """A timer that the call started has run out."""

    timer: Timer


@dataclass(frozen=True, slots=True)
class Reconnected:
    """The link is back: whatever was said when it broke may be lost, so it is said again."""


@dataclass(frozen=True, slots=True)
class Unlisted:
    """The server's resync does not know this call."""


@dataclass(frozen=True, slots=True)
class LinkGone:
    """The session is over for good: signed out, or refused."""


CallInput = (
    Ring
    | Accept
    | Decline
    | HangUp
    | Change
    | Transfer
    | OfferCreated
    | AnswerCreated
    | CandidatesFound
    | MediaConnected
    | MediaFailed
    | DescriptionFailed
    | TimedOut
    | Reconnected
    | Unlisted
    | LinkGone
)
