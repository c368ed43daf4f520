"""What whoever made or took a telephone call hears of it (`outgoing.py`, `incoming.py`).

A description of media is not shown by `repr`: it may hold keys.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from signaling.pstn.sip.cause import Cause
from signaling.pstn.sip.dialog import Dialog
from signaling.pstn.sip.values import quick


@quick
@dataclass(frozen=True, slots=True)
class Trying:
    """The carrier has it."""


@quick
@dataclass(frozen=True, slots=True)
class Ringing:
    """180 to 189. `sdp` is there when the carrier sends sound already (early media)."""

    status: int
    sdp: bytes | None = field(default=None, repr=False)


@quick
@dataclass(frozen=True, slots=True)
class Answered:
    """A 2xx: it is charged from here on. `dialog` is to be made durable: the BYE after a crash needs it."""

    dialog: Dialog
    sdp: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class AnsweredBeside:
    """A 2xx of another phone, after that of the one that the call is with. Its dialog is to be made durable
    beside the other; then it is ended, by `OutgoingCall.part`."""

    dialog: Dialog


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The ACK of our 2xx came; `sdp` is its answer where our 2xx made the offer."""

    sdp: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Failed:
    """It never was answered. `retry_after`: seconds for which this carrier asks to be left alone. `doubt`:
    why it may still be answered at the far end, and charged; none if that has said that it is over."""

    cause: Cause
    retry_after: int | None = None
    doubt: str | None = None

    @property
    def confirmed(self) -> bool:
        """Has the far end said so, as far as that is needed?"""
        return self.doubt is None


@dataclass(frozen=True, slots=True)
class Offered:
    """The far end wants to change the media (hold, codec, address): `Leg.answer` or `Leg.refuse` it."""

    sdp: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Changed:
    """Our change was accepted with this answer; refused without: the media is as it was."""

    sdp: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Keyed:
    """The far end pressed a key (`0` to `9`, `*`, `#`, `A` to `D`), and said so by INFO, not in its sound."""

    digit: str
    milliseconds: int


@quick
@dataclass(frozen=True, slots=True)
class Ended:
    """It was answered, and is over. `doubt`: why it may go on at the far end, and charge; none if that has
    confirmed the end."""

    cause: Cause
    doubt: str | None = None
    by_peer: bool = False

    @property
    def confirmed(self) -> bool:
        """Has the far end said so, as far as that is needed?"""
        return self.doubt is None


Event = Trying | Ringing | Answered | AnsweredBeside | Confirmed | Failed | Offered | Changed | Keyed | Ended
Tell = Callable[[Event], None]
