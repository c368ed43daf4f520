"""Calls that are over, for as long as late frames about them may come."""

from collections import deque
from collections.abc import Iterator

from licensing.instant import SECOND
from signaling.ports.clock import Clock
from wephone.protocol.ids import CallId

FOR = 60 * SECOND


class Remembered:
    """Ended calls in the order of their ends."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._calls: deque[tuple[int, CallId]] = deque()  # each with when to forget it

    def add(self, call: CallId) -> None:
        """It has just ended."""
        self._calls.append((self._clock.now().mono_ns + FOR, call))

    def forgotten(self) -> Iterator[CallId]:
        """Those whose time is over, each once."""
        now = self._clock.now().mono_ns
        while self._calls and self._calls[0][0] <= now:
            yield self._calls.popleft()[1]
