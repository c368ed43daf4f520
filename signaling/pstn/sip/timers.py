"""Many timers of one user agent on one timer of the clock: most of them are never needed."""

import heapq
import itertools
from collections.abc import Callable

from licensing.instant import Instant
from signaling.ports import Cancel, Clock


class Timers:
    """Calls back in the order of deadlines. Nothing is cancelled: whoever is called knows what still runs."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._order = itertools.count()
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._armed: tuple[int, Cancel] | None = None

    def at(self, when: int, callback: Callable[[], None]) -> None:
        """Call back at that moment of the monotonic clock (ns)."""
        heapq.heappush(self._heap, (when, next(self._order), callback))
        self._arm()

    def close(self) -> None:
        """Nobody is called any more."""
        self._heap.clear()
        if self._armed:
            self._armed[1]()

    def _arm(self) -> None:
        if not self._heap:
            return
        first = self._heap[0][0]
        if self._armed:
            if self._armed[0] <= first:
                return
            self._armed[1]()
        self._armed = first, self._clock.call_at(Instant(0, first), self._run)

    def _run(self) -> None:
        self._armed = None
        now = self._clock.now().mono_ns
        while self._heap and self._heap[0][0] <= now:
            heapq.heappop(self._heap)[2]()
        self._arm()
