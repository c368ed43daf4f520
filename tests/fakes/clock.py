"""A clock that stands still until a test turns it. Timers fire in their order, each at its own moment."""

import heapq
import itertools
from collections.abc import Callable

from licensing.instant import SECOND, Instant
from signaling.ports import Cancel

START = Instant(1_700_000_000 * SECOND, 1_000 * SECOND)


class HandClock:
    """A `signaling.ports.Clock` and `licensing.ports.Clock` without a loop."""

    def __init__(self, start: Instant = START) -> None:
        self._now = start
        self._numbers = itertools.count()
        self._timers: list[tuple[int, int, Callable[[], None]]] = []

    def now(self) -> Instant:
        """This moment, the same until `advance`."""
        return self._now

    def call_at(self, deadline: Instant, callback: Callable[[], None]) -> Cancel:
        """Call back when the monotonic half of the deadline has come."""
        entry = (deadline.mono_ns, next(self._numbers), callback)
        heapq.heappush(self._timers, entry)
        return lambda: self._forbid(entry)

    def advance(self, seconds: float) -> None:
        """Let so much time pass on both clocks."""
        target = self._now.after(int(seconds * SECOND))
        while self._timers and self._timers[0][0] <= target.mono_ns:
            deadline, _, callback = heapq.heappop(self._timers)
            self._now = self._now.after(max(0, deadline - self._now.mono_ns))
            callback()
        self._now = target

    def _forbid(self, entry: tuple[int, int, Callable[[], None]]) -> None:
        if entry in self._timers:
            self._timers.remove(entry)
            heapq.heapify(self._timers)
