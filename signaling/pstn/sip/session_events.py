"""What happens to an answered call on its SIP leg, and what is to be done for it (`session.py`)."""

from dataclasses import dataclass, field
from typing import Literal

from signaling.pstn.sip.info import Key
from signaling.pstn.sip.message import Fields, Request, Response
from signaling.pstn.sip.refresh import Watch
from signaling.pstn.sip.values import quick

Timer = Literal["repeat", "no_ack", "watch", "retry", "expire"]
OurEnd = Literal["bye", "expired", "no_ack", "lost", "silent"]  # why we end it


# --- what happens -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Came:
    """A request of the peer within the dialog, or an ACK."""

    request: Request


@quick
@dataclass(frozen=True, slots=True)
class Heard:
    """A final response to a request of ours; `dice` from 0 to 1 spreads the retry after a 491."""

    request: Request
    response: Response
    dice: float = 0.5


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A request of ours, other than BYE, got no final response in time; `unsent`: no connection took it."""

    request: Request
    unsent: bool = False


@quick
@dataclass(frozen=True, slots=True)
class Parted:
    """What became of our BYE (`farewell.py`): it is confirmed, or why the call may go on, in words."""

    doubt: str | None = None


@dataclass(frozen=True, slots=True)
class Say:
    """Our answer to the peer's offer, or to its first INVITE; a 2xx only under a grant."""

    response: Response
    watch: Watch | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """Offer a change by re-INVITE; under a grant when it adds media."""

    body: bytes = field(repr=False)
    fields: Fields = ()


@quick
@dataclass(frozen=True, slots=True)
class HungUp:
    """End it: a party, a lease, the policy. `fields` may hold the Reason."""

    fields: Fields = ()


@quick
@dataclass(frozen=True, slots=True)
class TimedOut:
    """A timer has run out; `at` is the deadline it was started with."""

    timer: Timer
    at: int


Event = Came | Heard | Unanswered | Parted | Say | Change | HungUp | TimedOut


# --- what is to be done -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reply:
    """Answer this request by its server transaction; a repeated 2xx too."""

    response: Response


@dataclass(frozen=True, slots=True)
class SendAck:
    """Give this ACK to the transport, once."""

    request: Request


@quick
@dataclass(frozen=True, slots=True)
class Ask:
    """Start a client transaction for this request within the dialog; a BYE is kept at until `Parted`."""

    request: Request


@quick
@dataclass(frozen=True, slots=True)
class StartTimer:
    """Say `TimedOut(timer, at)` at that moment of the monotonic clock."""

    timer: Timer
    at: int


@dataclass(frozen=True, slots=True)
class Offered:
    """The peer wants to change the call (hold, codec, address), or asks something that we leave to the user
    agent: it says `Say`."""

    request: Request


@dataclass(frozen=True, slots=True)
class Keyed:
    """The peer pressed a key, and said so by INFO."""

    key: Key


@dataclass(frozen=True, slots=True)
class Changed:
    """Our re-INVITE was answered: the media is as the response says, or, when refused, as it was."""

    response: Response


@dataclass(frozen=True, slots=True)
class WantRefresh:
    """The peer knows no UPDATE: refresh by a `Change` with the description that stands."""


@quick
@dataclass(frozen=True, slots=True)
class Ended:
    """It is over. With a `doubt` the far end never said so: it is listed, alarmed, kept in the record."""

    cause: OurEnd | Literal["peer"]
    doubt: str | None = None


Effect = Reply | SendAck | Ask | StartTimer | Offered | Keyed | Changed | WantRefresh | Ended
