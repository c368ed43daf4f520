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
WHEN, CALLBACK, ARGUMENTS = 0, 2, 3


class Alarm(list[Any]):
    """When, in which place among equals, whom to call and with what: nobody, once that was done or cancelled.

    A list, so that a heap compares it by itself, and one object, for the collector looks at each that waits.
    """

    __slots__ = ()


class Timers:
    """Calls back in the order of deadlines. A clock itself, for whoever knows a `Clock` alone."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._order = itertools.count()
        self._heap: list[Alarm] = []
        self._cancelled = 0  # of those in the heap
        self._armed: tuple[int, Cancel] | None = None

    def __len__(self) -> int:
        """Alarms that are waited for, and such as were cancelled lately."""
        return len(self._heap)

    def at(self, when: int, callback: Callable[..., None], *arguments: object) -> Alarm:
        """Call back with these at that moment of the monotonic clock (ns)."""
        alarm = Alarm((when, next(self._order), callback, arguments))
        heappush(self._heap, alarm)
        if self._armed is None or when < self._armed[0]:
            self._arm()
        return alarm

    def now(self) -> Instant:
        """This moment."""
        return self._clock.now()

    def call_at(self, deadline: Instant, callback: Callable[[], None]) -> Cancel:
        """Call back once; calling the result forbids it."""
        return partial(self.cancel, self.at(deadline.mono_ns, callback))

    def cancel(self, alarm: Alarm) -> None:
        """Do not call back. Whom it would have called it keeps no longer, and soon it takes no room."""
        if alarm[CALLBACK] is None:
            return
        alarm[CALLBACK:] = None, ()
        self._cancelled += 1
        if self._cancelled > max(FEW, len(self._heap) // 2):
            self._heap = [alarm for alarm in self._heap if alarm[CALLBACK]]
            heapify(self._heap)
            self._cancelled = 0

    def close(self) -> None:
        """Nobody is called any more, by what is asked for later either."""
        self._heap.clear()
        if self._armed:
            self._armed[1]()
        self._armed = NEVER

    def _arm(self) -> None:
        if not self._heap:
            return
        first = self._heap[0][WHEN]
        if self._armed:
            if self._armed[0] <= first:
                return
            self._armed[1]()
        self._armed = first, self._clock.call_at(Instant(0, first), self._run)

    def _run(self) -> None:
        self._armed = None
        now = self._clock.now().mono_ns
        try:
            while self._heap and self._heap[0][WHEN] <= now:
                alarm = heappop(self._heap)
                _, _, callback, arguments = alarm
                if callback:
                    alarm[CALLBACK:] = None, ()
                    callback(*arguments)
                else:
                    self._cancelled -= 1
        finally:  # one that fails is a fault of its own, and stops no other
            self._arm()
