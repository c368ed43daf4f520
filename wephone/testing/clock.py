"""The server's clock in a test: it runs as the system's does, and can be moved forward by hand."""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from datetime import datetime

from licensing.instant import SECOND, Instant
from signaling.ports.clock import Cancel

TURNS = 10  # of the loop after each timer, for what it started


class TestClock:
    """A `signaling.ports.clock.Clock`: seconds pass by themselves, nights need not be waited for."""

    __test__ = False  # not a test, though pytest would take it for one

    def __init__(self, noted: Callable[[str], None] = lambda what: None) -> None:
        """`noted` is told, in words, when a test moves the clock."""
        self._noted = noted
        self._moved = 0  # ns, on both clocks
        self._turned = 0  # ns, on the calendar alone
        self._timers: list[tuple[int, int, Timer]] = []
        self._numbers = itertools.count()

    def now(self) -> Instant:
        """This moment on both clocks."""
        return Instant(time.time_ns() + self._moved + self._turned, time.monotonic_ns() + self._moved)

    def mono_ns(self) -> int:
        """The monotonic half of it alone."""
        return time.monotonic_ns() + self._moved

    def call_at(self, deadline: Instant, callback: Callable[[], None]) -> Cancel:
        """Call back once when the monotonic half of the deadline has come, by itself or by `advance`."""
        timer = Timer(callback)
        self._arm(deadline.mono_ns, timer)
        heapq.heappush(self._timers, (deadline.mono_ns, next(self._numbers), timer))
        return timer.cancel

    async def advance(self, seconds: float) -> None:
        """Let so much time pass at once. Timers fire in their order, each at its own moment."""
        self._noted(f"{seconds:g} s forward")
        target = self.now().mono_ns + int(seconds * SECOND)
        while True:
            while self._timers and self._timers[0][2].done:
                heapq.heappop(self._timers)
            if not self._timers or self._timers[0][0] > target:
                break
            deadline, _, timer = heapq.heappop(self._timers)
            self._moved += max(0, deadline - self.now().mono_ns)
            timer.fire()
            for _ in range(TURNS):
                await asyncio.sleep(0)
        self._moved += max(0, target - self.now().mono_ns)
        for deadline, _, timer in self._timers:
            if not timer.done:
                self._arm(deadline, timer)  # what is left of its time is shorter now

    def turn_to(self, moment: datetime) -> None:
        """Set the calendar, as an operator or NTP would; timers do not notice."""
        if moment.tzinfo is None:
            raise ValueError(f"`{moment}` has no time zone: which moment is it?")
        self._noted(f"to {moment}")
        self._turned += int(moment.timestamp() * SECOND) - self.now().utc_ns

    def _arm(self, deadline: int, timer: "Timer") -> None:
        if timer.handle is not None:
            timer.handle.cancel()
        delay = max(0, deadline - self.now().mono_ns) / SECOND
        timer.handle = asyncio.get_running_loop().call_later(delay, timer.fire)


class Timer:
    """One call back, at most once."""

    def __init__(self, callback: Callable[[], None]) -> None:
        self.handle: asyncio.TimerHandle | None = None
        self.done = False
        self._callback = callback

    def fire(self) -> None:
        """The time has come."""
        if not self.done:
            self.cancel()
            self._callback()

    def cancel(self) -> None:
        """It will not come."""
        self.done = True
        if self.handle is not None:
            self.handle.cancel()
