"""A clock that stands still until a test turns it. Timers fire in their order, each at its own moment."""

import asyncio
import heapq
import itertools
from collections.abc import Callable

from licensing.instant import SECOND, Instant
from signaling.ports.clock import Cancel

START = Instant(1_795_608_000 * SECOND, 1_000 * SECOND)  # 2026-11-25T12:00:00Z


class HandClock:
    """A `signaling.ports.clock.Clock` and `licensing.ports.Clock` without a loop."""

    def __init__(self, start: Instant = START) -> None:
        self._now = start
        self._numbers = itertools.count()
        self._timers: list[tuple[int, int, Callable[[], None]]] = []

    def now(self) -> Instant:
        """This moment, the same until `advance`."""
        return self._now

    def mono_ns(self) -> int:
        """See `signaling.ports.clock.Clock`."""
        return self.now().mono_ns

    def call_at(self, deadline: Instant, callback: Callable[[], None]) -> Cancel:
        """Call back when the monotonic half of the deadline has come."""
        entry = (deadline.mono_ns, next(self._numbers), callback)
        heapq.heappush(self._timers, entry)
        return lambda: self._forbid(entry)

    def advance(self, seconds: float) -> Instant:
        """Let so much time pass on both clocks; the moment that it is then."""
        target = self._now.after(int(seconds * SECOND))
        while self._timers and self._timers[0][0] <= target.mono_ns:
            deadline, _, callback = heapq.heappop(self._timers)
            self._now = self._now.after(max(0, deadline - self._now.mono_ns))
            callback()
        self._now = target
        return target

    def set_utc(self, seconds: float) -> None:
        """Somebody sets the wall clock forth, or back; timers do not notice."""
        self._now = Instant(self._now.utc_ns + int(seconds * SECOND), self._now.mono_ns)

    def _forbid(self, entry: tuple[int, int, Callable[[], None]]) -> None:
        if entry in self._timers:
            self._timers.remove(entry)
            heapq.heapify(self._timers)


class Watched(HandClock):
    """Says when somebody begins to wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self.waited_for = asyncio.Event()

    def call_at(self, deadline: Instant, callback: Callable[[], None]) -> Cancel:
        """See HandClock."""
        self.waited_for.set()
        return super().call_at(deadline, callback)
