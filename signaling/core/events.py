"""What happened to a call. Made by the switch, which knows who speaks and whether they may."""

from dataclasses import dataclass
from typing import Literal

from licensing.instant import Instant
from signaling.core.forwarding import When
from signaling.core.party import Party
from wephone.protocol.ids import CallId, DeviceId
from wephone.protocol.messages import Candidate, Media, Refusal
from wephone.protocol.reasons import EndReason


@dataclass(frozen=True, slots=True)
class Allowed:
    """The gate allows the call, and its offer is durable: it may be shown to the callee.

    `goes_on`: in these cases there is somebody else to call; `ring_ns`: for so long it rings at most.
    """

    goes_on: frozenset[When] = frozenset()
    ring_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The gate does not allow the call. `teller`: as which device of the callee somebody tells that aloud."""

    refusal: Refusal
    teller: DeviceId | None = None


@dataclass(frozen=True, slots=True)
class Unroutable:
    """There is nobody to ring: no such user, one who is not to be disturbed or has blocked the caller."""

    reason: EndReason


@dataclass(frozen=True, slots=True)
class OfferNotRecorded:
    """The store could not keep the offer: the call must not go on."""


@dataclass(frozen=True, slots=True)
class AnswerRecorded:
    """The row "answered by" is durable: the answer may take effect."""


@dataclass(frozen=True, slots=True)
class AnswerNotRecorded:
    """The store could not keep the answer, or another node fenced it."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """A device of the callee has the call."""

    by: Party


@dataclass(frozen=True, slots=True)
class Alerting:
    """A device of the callee rings."""

    by: Party


@dataclass(frozen=True, slots=True)
class EarlySound:
    """A telephone network sends sound before the answer; `sdp` is what its answer will say too.

    Or a refusal is told aloud, and no answer follows.
    """

    by: Party
    sdp: str


@dataclass(frozen=True, slots=True)
class Answered:
    """A device of the callee accepts."""

    by: Party
    sdp: str
    nonce: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """A device of the callee turns the call down for all of them."""

    by: Party
    reason: EndReason


@dataclass(frozen=True, slots=True)
class HungUp:
    """A party ends the call; from the caller before an answer it is a cancel."""

    by: Party
    reason: EndReason = EndReason.HANGUP


@dataclass(frozen=True, slots=True)
class Cut:
    """The operator ends the call, for both."""


@dataclass(frozen=True, slots=True)
class CandidatesFound:
    """A party trickles ICE candidates."""

    by: Party
    candidates: tuple[Candidate, ...]
    end: bool


@dataclass(frozen=True, slots=True)
class Revealed:
    """The caller opens its commitment."""

    by: Party
    nonce: str


@dataclass(frozen=True, slots=True)
class Negotiated:
    """A party offers a change of the running call, or answers or declines one."""

    by: Party
    kind: Literal["offer", "answer", "decline"]
    sdp: str | None
    media: tuple[Media, ...]
    hold: bool
    round: int = 0


@dataclass(frozen=True, slots=True)
class Glared:
    """The callee's device called the caller meanwhile; by that act it has answered this call."""

    by: Party
    loser: CallId


@dataclass(frozen=True, slots=True)
class LostGlare:
    """This call gives way to the other one between the same two users."""

    survivor: CallId


@dataclass(frozen=True, slots=True)
class DeviceArrived:
    """A device of the callee signed in while the call rings."""

    by: Party


@dataclass(frozen=True, slots=True)
class DeviceLost:
    """A device's connection was not resumed in time, or it came back without this call."""

    by: Party


@dataclass(frozen=True, slots=True)
class Returned:
    """A party's device came back with this call alive but without its session: it needs a snapshot."""

    by: Party


@dataclass(frozen=True, slots=True)
class TimedOut:
    """A timer that the call armed has run out."""

    timer: Literal["invite", "ring", "connect", "negotiate", "notice"]


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The call is no longer permitted. One that runs may go on until the deadline, as it is."""

    refusal: Refusal
    deadline: Instant


@dataclass(frozen=True, slots=True)
class Reinstated:
    """The call is permitted again, by this decision."""

    decision: str


@dataclass(frozen=True, slots=True)
class ChangeAllowed:
    """The gate allows the call as it would be after this offer of a change."""

    by: Party
    round: int


@dataclass(frozen=True, slots=True)
class ChangeRefused:
    """The gate does not allow what this offer would make of the call."""

    by: Party
    round: int
    refusal: Refusal


Event = (
    Allowed
    | Refused
    | Unroutable
    | OfferNotRecorded
    | AnswerRecorded
    | AnswerNotRecorded
    | Delivered
    | Alerting
    | EarlySound
    | Answered
    | Rejected
    | HungUp
    | Cut
    | CandidatesFound
    | Revealed
    | Negotiated
    | Glared
    | LostGlare
    | DeviceArrived
    | DeviceLost
    | Returned
    | TimedOut
    | Withdrawn
    | Reinstated
    | ChangeAllowed
    | ChangeRefused
)
