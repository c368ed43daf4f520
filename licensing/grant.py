"""Grants and leases: how a yes becomes one telephone leg, and how long that leg may go on. Pure.

A grant is consumed once, by the one INVITE or 2xx that it names. The leg then holds a lease, renewed while
its last decision stands. Whoever enforces a lease does so by its own monotonic clock.
"""

from dataclasses import dataclass, replace

from licensing.classify import ServiceClass
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
    epoch: int  # of the register that was decided on
    issued: Instant
    emergency: bool = False  # no permit, epoch or clock takes it back


@dataclass(frozen=True, slots=True)
class Lease:
    """A leg may go on until `until_ns` on the monotonic clock, and no longer unless it gets another lease.

    `hard_end_ns` is set once its permit was lost: the leg winds down as it stands.
    """

    grant: Grant
    decision: DecisionId  # the last one
    epoch: int  # of that decision
    until_ns: int
    hard_end_ns: int | None = None

    @property
    def leg(self) -> tuple[str, str]:
        """Its call and its leg."""
        return self.grant.attempt.call, self.grant.attempt.leg

    @property
    def winding_down(self) -> bool:
        return self.hard_end_ns is not None


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
        lease = Lease(grant, grant.decision, grant.epoch, now.mono_ns + LEASE)
        self._leases[lease.leg] = lease  # a leg has one lease: an older one is worth nothing from here on
        return lease

    def renew(self, lease: Lease, now: Instant) -> Lease | None:
        """The same decision still stands. A lease that winds down stays as it is; one that is over, over."""
        if not self.is_live(lease, now):
            return None
        return lease if lease.winding_down else self._replace(lease, until_ns=now.mono_ns + LEASE)

    def stand(self, lease: Lease, decision: DecisionId, epoch: int, now: Instant) -> Lease | None:
        """A new decision allows the leg, also one that was winding down."""
        if not self.is_live(lease, now):
            return None
        return self._replace(
            lease, decision=decision, epoch=epoch, until_ns=now.mono_ns + LEASE, hard_end_ns=None
        )

    def wind_down(
        self, lease: Lease, decision: DecisionId, epoch: int, seconds: int, now: Instant
    ) -> Lease | None:
        """A new decision refuses the leg: so many seconds remain, and no more than an earlier loss left."""
        if not self.is_live(lease, now):
            return None
        end = now.mono_ns + seconds * SECOND
        if lease.hard_end_ns is not None:
            end = min(end, lease.hard_end_ns)
        if end <= now.mono_ns:
            self.end(*lease.leg)
            return None
        return self._replace(lease, decision=decision, epoch=epoch, until_ns=end, hard_end_ns=end)

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

    def _replace(self, lease: Lease, **changes: object) -> Lease:
        renewed = replace(lease, **changes)  # type: ignore[arg-type]  # the callers above name real fields
        self._leases[lease.leg] = renewed
        return renewed


def _too_old(grant: Grant, now: Instant) -> bool:
    return now.mono_ns >= grant.issued.mono_ns + GRANT_LIFE
