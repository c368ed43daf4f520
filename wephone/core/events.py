"""What the application is told of its calls. Each call ends for it exactly once."""

from dataclasses import dataclass

from wephone.protocol.ids import CallId, DeviceId, Peer, UserId
from wephone.protocol.messages import Media, Progress, Refusal, Role
from wephone.protocol.reasons import EndReason, ErrorCode


@dataclass(frozen=True, slots=True)
class Rings:
    """Somebody calls: ring, then Accept or Decline. `forwarded_by`: whom the call was for.

    `replaces`: a call of ours whose other side puts this one through; it ends when this one is answered.
    """

    call: CallId
    peer: Peer
    peer_device: DeviceId
    media: tuple[Media, ...]
    forwarded_by: UserId | None = None
    replaces: CallId | None = None


@dataclass(frozen=True, slots=True)
class Progressed:
    """Our call has come this far; only ever further."""

    call: CallId
    progress: Progress


@dataclass(frozen=True, slots=True)
class Forwarded:
    """Our call goes on to somebody else, by the wish of whom it was for; its progress begins anew."""

    call: CallId
    to: Peer


@dataclass(frozen=True, slots=True)
class EarlySound:
    """The telephone network that our call goes to can be heard before the answer; we cannot.

    `refusal`: the call is refused, and the server says so aloud before it ends. To be shown at once.
    """

    call: CallId
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """Both sides agree that the call is answered: media may flow."""

    call: CallId
    peer_device: DeviceId | None


@dataclass(frozen=True, slots=True)
class SafetyCode:
    """Eight digits in two groups: if both people read the same, nobody sits between them."""

    call: CallId
    code: str


@dataclass(frozen=True, slots=True)
class Changed:
    """What the call carries now, and who holds it."""

    call: CallId
    media: tuple[Media, ...]
    held_here: bool
    held_there: bool


@dataclass(frozen=True, slots=True)
class ChangeDeclined:
    """The change we wished for did not happen. `refusal`: the operator may not offer what it would make."""

    call: CallId
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """The call is no longer permitted: it ends in so many seconds, unless EndingCancelled comes first."""

    call: CallId
    within: float
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class EndingCancelled:
    """The call is permitted again: the end that was announced will not come."""

    call: CallId


@dataclass(frozen=True, slots=True)
class Transferred:
    """The other side hands the call over: call `to` now, in the place of this call, which then ends."""

    call: CallId
    to: str


@dataclass(frozen=True, slots=True)
class TransferFailed:
    """The one whom we wished to hand the call over to was not reached, or by `error` could not be tried: the
    call goes on."""

    call: CallId
    reason: EndReason | None = None
    refusal: Refusal | None = None
    error: ErrorCode | None = None


@dataclass(frozen=True, slots=True)
class KeyHeard:
    """The other side has pressed a key of a telephone: 0-9, *, # or A-D."""

    call: CallId
    key: str


@dataclass(frozen=True, slots=True)
class GoesOn:
    """Both called each other: our call goes on as `survivor`, and its events come under that name."""

    call: CallId
    survivor: CallId


@dataclass(frozen=True, slots=True)
class Ended:
    """The call is over. `error` says more when it could not even be placed.

    `forged`: the caller's nonce does not match its commitment; somebody may sit between the two.
    `fault`: why no sound could pass, in words, where it was this device that found out.
    """

    call: CallId
    reason: EndReason
    by: Role | None = None
    refusal: Refusal | None = None
    error: ErrorCode | None = None
    forged: bool = False
    fault: str = ""


CallEvent = (
    Rings
    | Progressed
    | Forwarded
    | EarlySound
    | Answered
    | SafetyCode
    | Changed
    | ChangeDeclined
    | KeyHeard
    | Transferred
    | TransferFailed
    | GoesOn
    | Ending
    | EndingCancelled
    | Ended
)
