"""Many timers of one user agent on one timer of the clock: most of them are never needed."""

import itertools
from collections.abc import Callable
from functools import partial
from heapq import heapify, heappop, heappush
from typing import Any

from licensing.instant import Instant
from signaling.ports.clock import Cancel, Clock

FEW = 1024  # cancelled alarms, that are not worth a search
NEVER: tuple[int, Cancel] = -1, lambda: None  # armed for before any moment: nothing arms it anew

# When (ns), and below that its place among equals. Numbers, for the collector looks at none of them, and they
# are compared at once.
Alarm = int
PLACES = 20  # bits
LAST_PLACE = (1 << PLACES) - 1


class Timers:
    """Calls back in the order of deadlines. A clock itself, for whoever knows a `Clock` alone."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self.now, self.mono_ns = clock, clock.now, clock.mono_ns
        self._order = itertools.count()
        self._heap: list[Alarm] = []
        self._waiting: dict[Alarm, tuple[Any, ...]] = {}  # of those in the heap: whom to call, and with what
        self._armed: tuple[int, Cancel] | None = None

    def __len__(self) -> int:
        """Alarms that are waited for, and such as were cancelled lately."""
        return len(self._heap)

    def at(self, when: int, callback: Callable[..., None], *arguments: object) -> Alarm:
        """Call back with these at that moment of the monotonic clock (ns)."""
        alarm = when << PLACES | next(self._order) & LAST_PLACE
        self._waiting[alarm] = callback, *arguments
        heappush(self._heap, alarm)
        if self._armed is None or when < self._armed[0]:
            self._arm()
        return alarm

    def call_at(self, deadline: Instant, callback: Callable[[], None]) -> Cancel:
        """Call back once; calling the result forbids it."""
        return partial(self.cancel, self.at(deadline.mono_ns, callback))

    def cancel(self, alarm: Alarm) -> None:
        """Do not call back. Whom it would have called it keeps no longer, and soon it takes no room."""
        if self._waiting.pop(alarm, None) and len(self._heap) > FEW + 2 * len(self._waiting):
            self._heap = list(self._waiting)
            heapify(self._heap)

    def close(self) -> None:
        """Nobody is called any more, by what is asked for later either."""
        self._heap.clear()
        self._waiting.clear()
        if self._armed:
            self._armed[1]()
        self._armed = NEVER

    def _arm(self) -> None:
        while self._heap and self._heap[0] not in self._waiting:
            heappop(self._heap)
        if not self._heap:
            return
        first = self._heap[0] >> PLACES
        if self._armed:
            if self._armed[0] <= first:
                return
            self._armed[1]()
        self._armed = first, self._clock.call_at(Instant(0, first), self._run)

    def _run(self) -> None:
        self._armed = None
        later = self._clock.mono_ns() + 1 << PLACES
        try:
            while self._heap and self._heap[0] < later:
                if found := self._waiting.pop(heappop(self._heap), None):
                    callback, *arguments = found
                    callback(*arguments)
        finally:  # one that fails is a fault of its own, and stops no other
            self._arm()
