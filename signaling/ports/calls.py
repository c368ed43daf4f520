"""The rows of calls: records, what is live, and what charts are drawn of."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Protocol

from signaling.core.party import Party
from wephone.protocol.ids import CallId, UserId
from wephone.protocol.messages import Media, Role
from wephone.protocol.reasons import EndReason


@dataclass(frozen=True, slots=True)
class OfferedCall:
    """A call as it is offered: durable before any device rings. `decision` is the gate's id."""

    call: CallId
    caller: Party
    callee: UserId
    media: tuple[Media, ...]
    decision: str | None
    owner: str  # the node that runs the call's machine
    owner_epoch: int
    at: int
    trunk: str | None = None  # of a telephone call
    forwarded_to: str | None = None  # a user or a masked number, whom `callee` had it go on to
    forwarded_by: UserId | None = None  # whose rule was the last


@dataclass(frozen=True, slots=True)
class LiveCall:
    """A call that was answered and has not ended: it outlives the server."""

    call: CallId
    caller: Party
    answered_by: Party
    media: tuple[Media, ...]
    answered_at: int
    decision: str | None = None  # that allowed it
    ends_by: int | None = None  # an end was announced
    trunk: str | None = None  # of a telephone call, which does not outlive the server


@dataclass(frozen=True, slots=True)
class Hearing:
    """What one side of a call between apps says it heard: packets, those lost, jitter and round trip (µs)."""

    role: Role
    packets: int
    lost: int
    jitter: int
    round_trip: int | None = None  # none if it could not tell


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call, as its parties and the operator see it afterwards."""

    call: CallId
    caller: UserId  # or a masked number
    callee: str  # a user, or a masked number
    media: tuple[Media, ...]
    offered_at: int
    answered_at: int | None
    ended_at: int | None
    reason: EndReason | None
    missed: bool
    seen: bool
    decision: str | None
    trunk: str | None = None
    forwarded_to: str | None = None
    forwarded_by: UserId | None = None
    heard: tuple[Hearing, ...] = ()  # in `records` alone


@dataclass(frozen=True, slots=True)
class Talk:
    """Who placed a call and how many seconds of it were talked; 0 if nobody answered."""

    call: str
    caller: UserId
    seconds: int


@dataclass(frozen=True, slots=True)
class CallsOfSpan:
    """The calls placed in one span of time; what was `waited` for answers, in all and the longest (µs)."""

    span: int  # its number, from 0
    placed: int
    answered: int
    refused: int
    waited: int
    longest: int


@dataclass(frozen=True, slots=True)
class RefusalsOfSpan:
    """How many calls placed in one span were refused for one reason: a decision's, or the call's own."""

    span: int
    why: str
    count: int


@dataclass(frozen=True, slots=True)
class SoundOfSpan:
    """The sound of the telephone legs, or of the calls between apps, begun in one span: packets, those lost,
    and the mean jitter and round trip (µs); of legs no round trip is kept."""

    span: int
    packets: int
    lost: int
    jitter: int
    round_trip: int | None = None


@dataclass(frozen=True, slots=True)
class ChartRows:
    """In no order; where nothing was there is no row."""

    calls: Sequence[CallsOfSpan]
    refusals: Sequence[RefusalsOfSpan]
    sound: Sequence[SoundOfSpan]
    heard: Sequence[SoundOfSpan]


class CallRows(Protocol):
    """The durable half of calls. Every method raises StoreError when the row is not durable."""

    def offer(self, row: OfferedCall) -> Awaitable[None]:
        """Durable before the first ring. IdTakenError if the call id was ever used."""
        ...

    def forward(self, row: OfferedCall) -> Awaitable[None]:
        """A call that rang in vain goes on: to whom, by whose rule, and what was decided on that."""
        ...

    def answer(self, call: CallId, by: Party, at: int, owner_epoch: int) -> Awaitable[bool]:
        """Fence the answer in one guarded statement; False if another party or owner was first."""
        ...

    def end(
        self, call: CallId, reason: EndReason, at: int, missed: bool, decision: str | None = None
    ) -> Awaitable[None]:
        """The call's one end, and the decision if one ended it; a second end changes nothing."""
        ...

    def course(self, call: CallId, media: tuple[Media, ...], ends_by: int | None) -> Awaitable[None]:
        """What a running call carries now, and by when it has to be over if it winds down."""
        ...

    def refused(
        self, row: OfferedCall, reason: EndReason, callee: str, ended_at: int | None = None
    ) -> Awaitable[None]:
        """A call that was never offered: its record, already ended. `callee` is user or masked number;
        without `ended_at` it ended at the moment it was placed."""
        ...

    def heard(self, call: CallId, said: Hearing, at: int) -> Awaitable[bool]:
        """A side's word, at this moment, on how a call between apps sounded. False, and nothing done, if that
        side has said so before, the call is long over, or so many packets cannot have come in it."""
        ...

    def heard_of_call(self, call: CallId) -> Awaitable[Sequence[Hearing]]:
        """What its two sides have said so far, the caller's word first."""
        ...

    def live_calls(self) -> Awaitable[Sequence[LiveCall]]:
        """At start: answered and not ended."""
        ...

    def abandon_ringing(self, at: int) -> Awaitable[int]:
        """At start: end what rang when the last server died (SERVER_RESTARTED, missed); how many."""
        ...

    def history(self, user: UserId, before: int, limit: int) -> Awaitable[Sequence[CallRecord]]:
        """A user's calls, newest first, offered before `before`."""
        ...

    def records(self, before: int, after: str, limit: int) -> Awaitable[Sequence[CallRecord]]:
        """Everybody's calls, newest first: offered before `before`, or at it with an id after `after`."""
        ...

    def how_it_ended(self, call: CallId, user: UserId) -> Awaitable[EndReason | None]:
        """Why this call of this user ended; none if it has not, was not offered, or was not theirs."""
        ...

    def talked(self, calls: Sequence[str]) -> Awaitable[Sequence[Talk]]:
        """Of those of these calls that there is a row of, in any order."""
        ...

    def charts(self, since: int, until: int, width: int) -> Awaitable[ChartRows]:
        """Calls placed from `since` until before `until`, by spans of `width` (µs)."""
        ...

    def ends_that_differ(self) -> Awaitable[Sequence[str]]:
        """Some of the calls whose row is not what the journal's entry of their end says."""
        ...

    def missed_calls(self, user: UserId) -> Awaitable[Sequence[CallRecord]]:
        """Missed and not yet seen, oldest first."""
        ...

    def missed_seen(self, user: UserId, calls: Sequence[CallId]) -> Awaitable[None]:
        """The person has seen them, on any device."""
        ...
