"""The telephone network, as calls to numbers and from them ask for it."""

from collections.abc import Awaitable, Set
from dataclasses import dataclass
from typing import Protocol

from signaling.core.events import Refused, Unroutable
from signaling.core.holder import Person
from signaling.core.party import Party
from wephone.protocol.ids import CallId, UserId
from wephone.protocol.messages import Media, ServerMessage


class Phone(Protocol):
    """A telephone as a party of a call: like a device, it hears what the call's machine sends to it, and what
    it says comes back as events."""

    def hear(self, message: ServerMessage) -> None: ...


class Teller(Phone, Protocol):
    """Tells a caller aloud that the call is refused: a party in the telephone's place, that is heard and
    hears nobody. It hangs up once it has told it, or cannot."""

    def announce(self, offer: str) -> None:
        """The caller described its sound so."""
        ...


@dataclass(frozen=True, slots=True)
class Reached:
    """Whether a telephone may reach somebody else, by which decision, and who that is as records show it."""

    callee: str
    decision: str
    refused: Refused | None = None


class CallingPhone(Phone, Protocol):
    """A telephone that calls: of whomever else its call goes on to, the gate is asked anew."""

    def may_reach(self, callee: UserId) -> Awaitable[Reached]:
        """This user in the place of the one before, from now on under a grant of its own."""
        ...

    def may_be_bridged(self, dialled: str, payer: Person) -> Awaitable[Reached]:
        """A number that `payer` would answer for. Decided on, and refused: nothing joins two telephones."""
        ...


@dataclass(frozen=True, slots=True)
class Dialled:
    """What came of dialling: a phone that may be called now, or why there is none.

    `callee` is the number as records show it. `for_help`: no trouble with the store keeps the call.
    """

    callee: str
    decision: str | None
    outcome: Phone | Refused | Unroutable
    trunk: str | None = None
    for_help: bool = False


class Telephones(Protocol):
    """The telephone network, as calls to numbers ask for it."""

    def dial(
        self,
        call: CallId,
        phone: Party,
        caller: Person,
        dialled: str,
        media: tuple[Media, ...],
        payer: Person | None = None,
    ) -> Awaitable[Dialled]:
        """For `caller`, at the cost and by the number of `payer`, who is the caller if it is none.

        Read the number, ask the gate and whatever else may refuse, choose a trunk. Nothing is sent yet:
        that is done when `phone`, the party that the telephone is of the call, hears of the call."""
        ...

    def teller(self, call: CallId, phone: Party, features: Set[str]) -> Teller | None:
        """Who tells aloud, as this party of the call, that it is refused; none if nobody does.

        `features`: of the caller's client, in whose language it is told.
        """
        ...

    def forget(self, call: CallId) -> None:
        """The call is over, and its record written: what was granted for it is worth nothing any more."""
        ...


@dataclass(frozen=True, slots=True)
class TrunkState:
    """One carrier's line as it stands. `health`: "up", "unknown" or "down"; `trouble` says why, in words."""

    name: str
    uri: str
    health: str
    trouble: str | None
    calls: int
    most_calls: int
    priority: int
    numbers: tuple[str, ...]  # of ours, by which it brings calls
    duties: tuple[str, ...]
    emergency_in: tuple[str, ...]
