"""A clock that tests turn by hand."""

from datetime import datetime

from licensing.instant import SECOND, Instant

START = datetime.fromisoformat("2026-11-25T12:00:00+00:00")


class HandClock:
    """Both clocks start somewhere and go on only when told to."""

    def __init__(self, utc: datetime = START) -> None:
        self._now = Instant(int(utc.timestamp()) * SECOND, 1_000 * SECOND)

    def now(self) -> Instant:
        return self._now

    def turn(self, seconds: float) -> Instant:
        """Time passes."""
        self._now = self._now.after(int(seconds * SECOND))
        return self._now

    def set_utc(self, seconds: float) -> None:
        """Somebody sets the wall clock forth, or back."""
        self._now = Instant(self._now.utc_ns + int(seconds * SECOND), self._now.mono_ns)
