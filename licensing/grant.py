"""Grants and leases: how a yes becomes one telephone leg, and how long that leg may go on. Pure.

A grant is consumed once, by the one INVITE or 2xx that it names. The leg then holds a lease, renewed while
its last decision stands. Whoever enforces a lease does so by its own monotonic clock.
"""

from dataclasses import dataclass, replace

from licensing.classify import ServiceClass
from licensing.facts import CallFacts
from licensing.identity import DecisionId
from licensing.instant import SECOND, Instant

LEASE = 10 * SECOND  # how long a leg lives on if the gate falls silent
GRANT_LIFE = 120 * SECOND  # an inbound grant waits for its 2xx while the phone rings, 90 s at most


@dataclass(frozen=True, slots=True)
class Attempt:
    """What an edge is about to do: send this INVITE, or this 2xx. Addresses are canonical."""

    call: str
    leg: str
    service: ServiceClass
    destination: str | None = None
    caller_id: str | None = None
    trunk: str | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """Leave for one attempt, under one decision. Only the one that the book holds is worth anything."""

    decision: DecisionId
    attempt: Attempt
    facts: CallFacts  # the call as it will be with this leg
    epoch: int  # of the register that was decided on
    stands_until: int  # the UTC nanosecond at which some permit begins or ends by its dates
    issued: Instant
    emergency: bool = False  # no permit, epoch or clock takes it back
    relied: tuple[str, ...] = ()  # the permits that it rests on, as `id@version`


@dataclass(frozen=True, slots=True)
class Lease:
    """A leg may go on until `until_ns` on the monotonic clock, and no longer unless it gets another lease.

    `hard_end_ns` is set once its permit was lost: the leg winds down as it stands.
    """

    grant: Grant
    decision: DecisionId  # the last one
    epoch: int  # of that decision
    stands_until: int  # as a grant's
    until_ns: int
    hard_end_ns: int | None = None
    relied: tuple[str, ...] = ()  # the permits of the last yes

    @property
    def leg(self) -> tuple[str, str]:
        """Its call and its leg."""
        return self.grant.attempt.call, self.grant.attempt.leg

    @property
    def winding_down(self) -> bool:
        return self.hard_end_ns is not None


@dataclass(frozen=True, slots=True)
class Again:
    """A new decision about a leg that goes on: its id, and what it was made on."""

    decision: DecisionId
    epoch: int
    stands_until: int
    relied: tuple[str, ...] = ()


class Book:
    """The grants that nobody used yet and the leases that live; the one place that makes a lease."""

    def __init__(self) -> None:
        self._unused: dict[DecisionId, Grant] = {}  # oldest first
        self._leases: dict[tuple[str, str], Lease] = {}

    def issue(self, grant: Grant, now: Instant) -> None:
        """Enter a grant; those that have grown too old leave."""
        while self._unused:
            oldest = next(iter(self._unused.values()))
            if not _too_old(oldest, now):
                break
            del self._unused[oldest.decision]
        self._unused[grant.decision] = grant

    def redeem(self, grant: Grant, attempt: Attempt, now: Instant) -> Lease | None:
        """Consume the grant; none if it was used, withdrawn or altered, is too old or for something else."""
        if self._unused.get(grant.decision) != grant or grant.attempt != attempt:
            return None
        del self._unused[grant.decision]
        if _too_old(grant, now):
            return None
        until = now.mono_ns + LEASE
        return self._put(
            Lease(grant, grant.decision, grant.epoch, grant.stands_until, until, relied=grant.relied)
        )

    def renew(self, lease: Lease, now: Instant) -> Lease | None:
        """The same decision still stands. A lease that winds down stays as it is; one that is over, over."""
        if not self.is_live(lease, now):
            return None
        return lease if lease.winding_down else self._put(replace(lease, until_ns=now.mono_ns + LEASE))

    def stand(self, lease: Lease, again: Again, now: Instant) -> Lease | None:
        """A new decision allows the leg, also one that was winding down."""
        if not self.is_live(lease, now):
            return None
        return self._decided(lease, again, now.mono_ns + LEASE, None)

    def wind_down(self, lease: Lease, again: Again, seconds: int, now: Instant) -> Lease | None:
        """A new decision refuses the leg: so many seconds remain, and no more than an earlier loss left."""
        if not self.is_live(lease, now):
            return None
        end = now.mono_ns + seconds * SECOND
        if lease.hard_end_ns is not None:
            end = min(end, lease.hard_end_ns)
        if end <= now.mono_ns:
            self.end(*lease.leg)
            return None
        return self._decided(lease, again, end, end)

    def is_live(self, lease: Lease, now: Instant) -> bool:
        """Is it the newest lease of its leg, and not over? One that is over leaves the book."""
        if self._leases.get(lease.leg) != lease:
            return False
        if now.mono_ns >= lease.until_ns:
            del self._leases[lease.leg]
            return False
        return True

    def end(self, call: str, leg: str) -> None:
        """The leg is gone; nothing renews it."""
        self._leases.pop((call, leg), None)

    def withdraw(self, call: str) -> None:
        """The call is gone: its unused grants and its leases are worth nothing."""
        self._unused = {d: g for d, g in self._unused.items() if g.attempt.call != call}
        self._leases = {leg: lease for leg, lease in self._leases.items() if leg[0] != call}

    def leases(self) -> tuple[Lease, ...]:
        """All that are in the book; one may have run out since it was last looked at."""
        return tuple(self._leases.values())

    def _decided(self, lease: Lease, again: Again, until_ns: int, hard_end_ns: int | None) -> Lease:
        relied = again.relied if hard_end_ns is None else lease.relied
        return self._put(
            Lease(lease.grant, again.decision, again.epoch, again.stands_until, until_ns, hard_end_ns, relied)
        )

    def _put(self, lease: Lease) -> Lease:
        self._leases[lease.leg] = lease  # a leg has one lease: an older one is worth nothing from here on
        return lease


def _too_old(grant: Grant, now: Instant) -> bool:
    return now.mono_ns >= grant.issued.mono_ns + GRANT_LIFE
