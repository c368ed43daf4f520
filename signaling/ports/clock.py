"""When it is."""

from collections.abc import Callable
from typing import Protocol

from licensing.instant import Instant

Cancel = Callable[[], None]


class Clock(Protocol):
    """Where the edges get their time, and the only thing that makes them wait for it."""

    def now(self) -> Instant: ...

    def mono_ns(self) -> int:
        """The monotonic half of `now` alone."""
        ...

    def call_at(self, deadline: Instant, callback: Callable[[], None]) -> Cancel:
        """Call back once when the monotonic half of `deadline` has come; calling the result forbids it."""
        ...
