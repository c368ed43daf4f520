"""What a call wants done. The switch carries effects out in order."""

from dataclasses import dataclass
from typing import Literal

from licensing.instant import Instant
from signaling.core.forwarding import When
from signaling.core.party import Party
from wephone.protocol.ids import CallId
from wephone.protocol.messages import Media, ServerMessage
from wephone.protocol.reasons import EndReason, ErrorCode

Timer = Literal["invite", "ring", "connect", "negotiate", "notice"]


@dataclass(frozen=True, slots=True)
class Send:
    """A message to one device."""

    to: Party
    message: ServerMessage


@dataclass(frozen=True, slots=True)
class Complain:
    """A typed error to the device whose event had no place here; nothing has changed."""

    to: Party
    code: ErrorCode


@dataclass(frozen=True, slots=True)
class AskGate:
    """Decide, record the offer durably; the outcome returns as Allowed, Refused or OfferNotRecorded."""

    call: CallId


@dataclass(frozen=True, slots=True)
class GoOn:
    """Nobody took the call here: call whom the callee has named for this case, or end it."""

    call: CallId
    when: When


@dataclass(frozen=True, slots=True)
class Announce:
    """The call is refused: tell its caller so aloud; returns as EarlySound, and HungUp once it is told."""

    call: CallId


@dataclass(frozen=True, slots=True)
class AskChange:
    """Decide about the call as it would be with this media; returns as ChangeAllowed or ChangeRefused."""

    call: CallId
    by: Party
    round: int
    media: tuple[Media, ...]


@dataclass(frozen=True, slots=True)
class RecordAnswer:
    """Make "answered by" durable, fenced; returns as AnswerRecorded or AnswerNotRecorded."""

    call: CallId
    by: Party
    at: Instant


@dataclass(frozen=True, slots=True)
class RecordCourse:
    """Note for the next server what the call carries now and, if it winds down, when it has to end."""

    call: CallId
    media: tuple[Media, ...]
    ends_by: Instant | None


@dataclass(frozen=True, slots=True)
class StartTimer:
    """Arm a timer, replacing one of the same name; it returns as TimedOut."""

    timer: Timer
    deadline: Instant


@dataclass(frozen=True, slots=True)
class StopTimer:
    """Disarm a timer."""

    timer: Timer


@dataclass(frozen=True, slots=True)
class RecordEnd:
    """Write the call's one record; `missed` if the callee is to be told later."""

    call: CallId
    reason: EndReason
    missed: bool
    at: Instant


Effect = (
    Send
    | Complain
    | AskGate
    | GoOn
    | Announce
    | AskChange
    | RecordAnswer
    | RecordCourse
    | StartTimer
    | StopTimer
    | RecordEnd
)
