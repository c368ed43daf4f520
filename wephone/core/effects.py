"""What a call or session wants done; carried out in order. Times are monotonic nanoseconds."""

from dataclasses import dataclass

from wephone.core.events import CallEvent
from wephone.core.inputs import Timer
from wephone.protocol.ids import CallId
from wephone.protocol.messages import (
    Candidate,
    ClientMessage,
    Dial,
    DialOver,
    Draining,
    Error,
    Media,
    Missed,
    Receipt,
    SignedOut,
    TextAccepted,
    TextMessage,
    Welcome,
)


@dataclass(frozen=True, slots=True)
class Send:
    """A frame to the server. Lost with a broken link: who sent it says it again when the link is back."""

    message: ClientMessage


@dataclass(frozen=True, slots=True)
class CreateOffer:
    """Describe what this call is to carry; returns as OfferCreated or MediaFailed."""

    call: CallId
    media: tuple[Media, ...]
    hold: bool = False


@dataclass(frozen=True, slots=True)
class CreateAnswer:
    """Apply this remote offer and answer it; returns as AnswerCreated or MediaFailed."""

    call: CallId
    offer: str
    media: tuple[Media, ...]
    hold: bool = False


@dataclass(frozen=True, slots=True)
class ApplyAnswer:
    """The remote answer to the last offer created."""

    call: CallId
    sdp: str


@dataclass(frozen=True, slots=True)
class HearEarly:
    """A provisional answer to the last offer created: play what comes, and send nothing yet."""

    call: CallId
    sdp: str


@dataclass(frozen=True, slots=True)
class RollBack:
    """Forget the last offer created: it will not be answered (RFC 8829 §4.1.10.2)."""

    call: CallId


@dataclass(frozen=True, slots=True)
class AddCandidates:
    """The other side's ICE candidates, after its description."""

    call: CallId
    candidates: tuple[Candidate, ...]
    end: bool


@dataclass(frozen=True, slots=True)
class StartMedia:
    """Open the microphone: from here sound may leave."""

    call: CallId


@dataclass(frozen=True, slots=True)
class StopMedia:
    """Close what this call holds of media, if anything."""

    call: CallId


@dataclass(frozen=True, slots=True)
class StartTimer:
    """Arm a timer of this call, replacing one of the same name."""

    call: CallId
    timer: Timer
    deadline: int


@dataclass(frozen=True, slots=True)
class StopTimer:
    """Disarm a timer of this call."""

    call: CallId
    timer: Timer


@dataclass(frozen=True, slots=True)
class LinkLost:
    """To the application: the server is out of reach; running calls talk on."""


SessionEvent = (
    Welcome
    | Error
    | Missed
    | TextAccepted
    | TextMessage
    | Receipt
    | Dial
    | DialOver
    | SignedOut
    | Draining
    | LinkLost
)


@dataclass(frozen=True, slots=True)
class Tell:
    """An event for the application."""

    event: CallEvent | SessionEvent


@dataclass(frozen=True, slots=True)
class Drop:
    """Close this connection: what came over it cannot be trusted; Closed follows."""


@dataclass(frozen=True, slots=True)
class Reconnect:
    """Open a new connection after so many nanoseconds; returns as Opened or Closed."""

    after: int


CallEffect = (
    Send
    | CreateOffer
    | CreateAnswer
    | ApplyAnswer
    | HearEarly
    | RollBack
    | AddCandidates
    | StartMedia
    | StopMedia
    | StartTimer
    | StopTimer
    | Tell
)
Effect = CallEffect | Drop | Reconnect
