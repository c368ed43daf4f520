"""The rows of telephone legs, and who is entitled to them."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Protocol

from licensing.grant import Attempt
from licensing.reasons import Obligation
from wephone.protocol.ids import CallId, UserId

Duties = tuple[tuple[Obligation, bool], ...]  # what the law asks for a leg, and whether its trunk does that


def leg_of(attempt: Attempt) -> str:
    """The id of a telephone leg: of its row, and of its sound."""
    return f"{attempt.call}:{attempt.leg}"


@dataclass(frozen=True, slots=True)
class BegunLeg:
    """One attempt at one trunk, or one call that a trunk brings: durable before its first message leaves."""

    leg: str  # its id; several may be of one call, one after another
    call: CallId
    trunk: str
    account: UserId  # whose calls it counts with
    outgoing: bool
    decision: str
    most_seconds: int | None  # that it may last; none for a call for help
    at: int
    duties: Duties = ()


@dataclass(frozen=True, slots=True)
class LegSound:
    """What came of a leg's sound from both sides: packets, how many were lost on the way, jitter (µs)."""

    packets: int
    lost: int
    jitter: int


@dataclass(frozen=True, slots=True)
class LegEnd:
    """How a leg ended: in words, by Q.850, by SIP. `doubt`: why the carrier may still charge, in words; none
    if it has confirmed the end."""

    at: int
    words: str
    q850: int | None
    status: int | None
    doubt: str | None = None
    sound: LegSound | None = None  # none if it had none

    @property
    def confirmed(self) -> bool:
        """Is there nothing to ask the carrier?"""
        return self.doubt is None

    @property
    def cause(self) -> str:
        """The words of the record."""
        return self.words if self.doubt is None else f"{self.words}; {self.doubt}"


@dataclass(frozen=True, slots=True)
class LegRow:
    """A telephone leg as it stands. `dialog` is JSON (`signaling.pstn.kept`)."""

    leg: str
    call: CallId
    trunk: str
    account: UserId
    outgoing: bool
    decision: str
    begun_at: int
    answered_at: int | None
    ended_at: int | None
    dialog: str | None
    words: str | None
    q850: int | None
    status: int | None
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Usage:
    """Outgoing telephone calls: alive now, of the last hour, and seconds of the last 24 hours, in which those
    that are alive count with all that they may take."""

    calls: int = 0
    attempts: int = 0
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class Entitlement:
    """That an account may call telephones, and how much. Countries that are not named are closed."""

    countries: frozenset[str]
    by: UserId  # the operator who granted it
    at: int
    concurrent_calls: int = 2
    calls_per_hour: int = 20
    minutes_per_day: int = 60
    call_minutes: int = 60


class TelephoneRows(Protocol):
    """Telephone legs, and who may have any. StoreError when something is not durable."""

    def begin_leg(self, row: BegunLeg) -> Awaitable[None]:
        """Its call's record names its trunk from now on."""
        ...

    def keep_leg(self, leg: str, dialog: str, at: int) -> Awaitable[None]:
        """It is answered; with this dialog it can be ended after a restart."""
        ...

    def end_leg(self, leg: str, end: LegEnd) -> Awaitable[None]:
        """It is over; said again when the carrier confirms that late."""
        ...

    def open_legs(self) -> Awaitable[Sequence[LegRow]]:
        """At start: what the last server of this node did not end."""
        ...

    def unconfirmed_legs(self, limit: int) -> Awaitable[Sequence[LegRow]]:
        """Those whose end no carrier has confirmed, newest first."""
        ...

    def unconfirmed_leg(self, leg: str) -> Awaitable[LegRow | None]:
        """One of these; none if it is not."""
        ...

    def settle_leg(self, leg: str) -> Awaitable[None]:
        """An operator has the carrier's word: it is over, and unconfirmed no more."""
        ...

    def legs_of_call(self, call: CallId) -> Awaitable[Sequence[LegRow]]:
        """All attempts of one call, oldest first."""
        ...

    def used_by_account(self, account: UserId, at: int) -> Awaitable[Usage]: ...

    def used_by_trunk(self, trunk: str, at: int) -> Awaitable[Usage]: ...

    def entitle(self, user: UserId, entitlement: Entitlement) -> Awaitable[bool]:
        """From now on, in place of what was granted before; False if there is no such account."""
        ...

    def unentitle(self, user: UserId) -> Awaitable[bool]:
        """It may call no telephone any more; False if it might not."""
        ...

    def entitlement(self, user: UserId) -> Awaitable[Entitlement | None]: ...
