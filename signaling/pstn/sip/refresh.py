"""Session timers: a call whose other end died without a word does not live for ever (RFC 4028)."""

from dataclasses import dataclass
from typing import Literal

from licensing.instant import SECOND
from signaling.pstn.sip.headers import parse_number
from signaling.pstn.sip.message import Message, Request, Response
from signaling.pstn.sip.problem import SipError, bad
from signaling.pstn.sip.requirements import header_parameters
from signaling.pstn.sip.values import quick

MIN_SE = 90  # seconds; the RFC's own floor (§4)
USUAL = 1800  # seconds; what the RFC recommends (§4)
LONGEST = 2**32

Refresher = Literal["uac", "uas"]


@quick
@dataclass(frozen=True, slots=True)
class Expiry:
    """A Session-Expires header: seconds, and who refreshes, if it says so."""

    seconds: int
    refresher: Refresher | None = None

    def __str__(self) -> str:
        return f"{self.seconds};refresher={self.refresher}" if self.refresher else str(self.seconds)


@quick
@dataclass(frozen=True, slots=True)
class Watch:
    """What was agreed: how long a session lasts without a refresh, and whether the refresh is ours."""

    seconds: int
    ours: bool

    @property
    def half(self) -> int:
        """From one refresh of ours to the next, in nanoseconds (§7.4)."""
        return self.seconds * SECOND // 2

    @property
    def end(self) -> int:
        """From the last refresh to our BYE, in nanoseconds: a little before the interval is over (§10)."""
        return (self.seconds - min(32, self.seconds // 3)) * SECOND


def expiry(message: Message) -> Expiry | None:
    """The message's Session-Expires; SipError(400) if it cannot be read."""
    value = message.get("Session-Expires")
    if value is None:
        return None
    seconds, parameters = header_parameters(value)
    refresher = dict(parameters).get("refresher")
    match (refresher or "").lower():
        case "uac":
            return Expiry(parse_number(seconds, LONGEST), "uac")
        case "uas":
            return Expiry(parse_number(seconds, LONGEST), "uas")
        case "":
            return Expiry(parse_number(seconds, LONGEST))
        case _:
            raise bad("not a refresher", value)


def agreed(response: Response) -> Watch | None:
    """What a 2xx to our INVITE or UPDATE sets; none when the peer does not want a timer (§7.2).

    One that can't be read is no reason to lose the call, nor to watch it less: we refresh.
    """
    try:
        found = expiry(response)
    except SipError:
        found = Expiry(USUAL, "uac")
    if found is None:
        return None
    return Watch(max(found.seconds, MIN_SE), ours=found.refresher != "uas")


def accepted(request: Request, wanted: int = USUAL) -> tuple[Expiry, Watch]:
    """What our 2xx says, and what we then do (§9). SipError(422) when the peer's interval is too short: the
    answer carries Min-SE. `wanted` is ours when it asks for none."""
    asked = expiry(request)
    if asked is not None and asked.seconds < MIN_SE:
        raise SipError(422, f"a session interval of {asked.seconds} s, at least {MIN_SE}")
    knows = "timer" in request.options("Supported")
    seconds = min(asked.seconds, wanted) if asked else wanted
    seconds = max(seconds, minimum(request))
    refresher: Refresher = (asked.refresher if asked else None) or "uac" if knows else "uas"
    return Expiry(seconds, refresher), Watch(seconds, ours=refresher == "uas")


def minimum(message: Message) -> int:
    """Its Min-SE, or the RFC's floor: what to ask for after a 422. Nonsense asks for nothing more."""
    value = message.get("Min-SE")
    try:
        return max(MIN_SE, parse_number(header_parameters(value)[0], LONGEST)) if value else MIN_SE
    except SipError:
        return MIN_SE
