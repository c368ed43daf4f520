"""Who has just said a password once more: it lets a browser's session do one thing that matters, no other.

A session outlives the person's attention by days. What ends calls, or gives somebody power, asks again.
"""

from licensing.instant import SECOND
from signaling.ports.clock import Clock

GOOD_FOR = 120.0  # seconds: time to look at the effect once more, not to go for lunch


class Proofs:
    """In memory alone: a restart forgets them, and the page asks again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[str, int] = {}

    def give(self, session: str) -> None:
        """This session's password was right."""
        now = self._clock.now().mono_ns
        self._until = {each: until for each, until in self._until.items() if until > now}
        self._until[session] = now + int(GOOD_FOR * SECOND)

    def take(self, session: str) -> bool:
        """Was it right a moment ago, and has nothing been done on it since?"""
        return self._until.pop(session, 0) > self._clock.now().mono_ns
