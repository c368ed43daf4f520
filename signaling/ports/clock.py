"""When it is."""

from collections.abc import Callable
from typing import Protocol

from licensing.instant import Instant

Cancel = Callable[[], None]


class Clock(Protocol):
    """Where the edges get their time, and the only thing that makes them wait for it."""

    def now(self) -> Instant: ...

    def call_at(self, deadline: Instant, callback: Callable[[], None]) -> Cancel:
        """Call back once when the monotonic half of `deadline` has come; calling the result forbids it."""
        ...
