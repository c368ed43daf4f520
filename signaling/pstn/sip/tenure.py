"""A leg's leave to exist: the lease that its grant became, renewed in time, ended by our own clock (R1)."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from licensing.grant import LEASE, Attempt, Grant, Lease
from licensing.instant import SECOND, Instant
from licensing.reasons import Reason
from signaling.ports.clock import Cancel, Clock

AGAIN = SECOND  # between two attempts to renew once one has failed


class Licence(Protocol):
    """What a leg asks of `licensing.gate.Gate`."""

    def redeem(self, grant: Grant, attempt: Attempt) -> Lease | Reason: ...

    async def renew(self, lease: Lease) -> Lease | Reason: ...

    def ended(self, call: str, leg: str) -> None: ...


class Tenure:
    """Holds the lease of one leg. `on_end` is called once, in the step in which it runs out."""

    def __init__(
        self, licence: Licence, lease: Lease, clock: Clock, on_end: Callable[[Reason], None]
    ) -> None:
        self._licence, self._clock, self._on_end = licence, clock, on_end
        self._lease: Lease | None = lease
        self._reason = Reason.DENY_GRANT_NOT_VALID  # why it was last not renewed
        self._is_over = False
        self._renewing: asyncio.Task[None] | None = None
        self._cancel: Cancel | None = None
        self._arm(LEASE // 2)

    @property
    def lease(self) -> Lease | None:
        """The lease, while it is live."""
        lease = self._lease
        return lease if lease and self._clock.mono_ns() < lease.until_ns else None

    def renew_now(self) -> None:
        """Ask for the next lease: its half is over, or something has changed."""
        if self._lease and (self._renewing is None or self._renewing.done()):
            self._renewing = asyncio.get_running_loop().create_task(self._renew(self._lease))

    def let_go(self) -> None:
        """The leg is gone."""
        lease, self._lease = self._lease, None
        self._disarm()
        if self._renewing:
            self._renewing.cancel()
        if lease:
            self._licence.ended(*lease.leg)

    async def _renew(self, lease: Lease) -> None:
        answer = await self._licence.renew(lease)
        if self._lease is None or self._is_over:
            return
        if isinstance(answer, Lease):
            self._lease = answer
            self._arm(LEASE // 2)
        else:
            self._reason = answer
            self._arm(AGAIN)

    def _arm(self, pause: int) -> None:
        assert self._lease is not None
        self._disarm()
        again = self._clock.now().after(pause)
        if again.mono_ns < self._lease.until_ns:
            self._cancel = self._clock.call_at(again, self._ask_again)
        else:
            self._wait_for_end(self._lease)

    def _ask_again(self) -> None:
        if self._lease:
            self._wait_for_end(self._lease)  # whatever becomes of the question
            self.renew_now()

    def _wait_for_end(self, lease: Lease) -> None:
        self._cancel = self._clock.call_at(Instant(0, lease.until_ns), self._over)

    def _disarm(self) -> None:
        cancel, self._cancel = self._cancel, None
        if cancel:
            cancel()

    def _over(self) -> None:
        if self._lease is None or self._is_over:
            return
        if self.lease:  # the loop's clock is a little ahead of ours
            self._arm(AGAIN)
            return
        self._is_over = True
        self._disarm()
        self._on_end(self._reason)
