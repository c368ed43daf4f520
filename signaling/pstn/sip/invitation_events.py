"""What happens to an INVITE of ours, and what is to be done for it (`invitation.py`)."""

from dataclasses import dataclass
from typing import Literal

from signaling.pstn.sip.dialog import Dialog
from signaling.pstn.sip.message import Request, Response
from signaling.pstn.sip.table import Failure, Provisional, Success
from signaling.pstn.sip.transaction import Failed
from signaling.pstn.sip.values import quick

# --- what happens: responses as `table.py` has them, the transaction's Failed, and these -------------------


@dataclass(frozen=True, slots=True)
class HungUp:
    """The caller, or whoever watches over the lease, does not want it any more."""


@dataclass(frozen=True, slots=True)
class CancelUnanswered:
    """32 s after the CANCEL: the RFC lets us take the INVITE as cancelled (§9.1)."""


@dataclass(frozen=True, slots=True)
class AskedAgain:
    """A request within an early dialog went out once more, under a later number: it was challenged."""

    request: Request


@dataclass(frozen=True, slots=True)
class Kept:
    """What must be before the answer is acknowledged is so, or is waited for no longer."""


@dataclass(frozen=True, slots=True)
class KeptBeside:
    """The same of another phone that was answered: the one with this tag."""

    tag: str | None


@dataclass(frozen=True, slots=True)
class Unfit:
    """A 2xx whose media cannot be used: nobody is to be left in such a call."""

    response: Response


Event = (
    Provisional
    | Success
    | Unfit
    | AskedAgain
    | Kept
    | KeptBeside
    | Failure
    | Failed
    | HungUp
    | CancelUnanswered
)


# --- what is to be done -----------------------------------------------------------------------------------


@quick
@dataclass(frozen=True, slots=True)
class SendAck:
    """Give this ACK to the transport, once; it has no transaction."""

    request: Request


@quick
@dataclass(frozen=True, slots=True)
class Ask:
    """Start a client transaction: PRACK, CANCEL or BYE, never an INVITE."""

    request: Request


@dataclass(frozen=True, slots=True)
class WaitForCancel:
    """Say CancelUnanswered at that moment of the monotonic clock."""

    at: int


@quick
@dataclass(frozen=True, slots=True)
class Progressed:
    """It rings, or has early media."""

    response: Response


@quick
@dataclass(frozen=True, slots=True)
class Accepted:
    """Answered: the dialog is to be made durable, and charged from here on. Its ACK waits, where the
    invitation `holds` it, for `Kept`."""

    dialog: Dialog
    response: Response


@quick
@dataclass(frozen=True, slots=True)
class Refused:
    """A final answer that is no yes: also a challenge or a 422, after which the user agent may try again."""

    response: Response


@dataclass(frozen=True, slots=True)
class Lost:
    """No final answer that counts: nobody there, not sendable, cancelled (with or without the far end's
    word), or a 2xx without a Contact."""

    cause: Literal["timeout", "transport", "cancelled", "not_cancelled", "unusable"]


@dataclass(frozen=True, slots=True)
class Stray:
    """A 2xx that nobody wanted any more: acknowledged and ended, where acknowledgements are held after
    `KeptBeside`. It goes into the record until its BYE is confirmed: the carrier may charge it."""

    dialog: Dialog


Effect = SendAck | Ask | WaitForCancel | Progressed | Accepted | Refused | Lost | Stray
