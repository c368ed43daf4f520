"""Can the clock be believed? Law is a matter of dates, so a telephone leg waits until it can. Pure.

A clock that is ahead is believed: nothing here could tell it from time that passed.
"""

from collections.abc import Callable

from licensing.instant import MICROSECOND, SECOND, Instant

BEHIND = 2 * SECOND  # entries of other nodes carry their clocks, which NTP keeps well within this
STEP_BACK = 5 * SECOND  # more than any slewing, and than any leap second

Synchronised = Callable[[], bool]


class ClockWatch:
    """Remembers the latest time that was written down, and how far UTC has led the monotonic count."""

    def __init__(self, synchronised: Synchronised | None = None) -> None:
        self._synchronised = synchronised  # the kernel's view, where `clock_require_sync` asks for it
        self._newest_ns = 0
        self._lead_ns: int | None = None

    def wrote(self, at_us: int) -> None:
        """An entry of this time stands in the journal or the register."""
        self._newest_ns = max(self._newest_ns, at_us * MICROSECOND)

    def fault(self, now: Instant) -> str | None:
        """What is wrong with the clock at this reading of it, in one sentence; none if nothing is."""
        lead = now.utc_ns - now.mono_ns
        self._lead_ns = lead if self._lead_ns is None else max(self._lead_ns, lead)
        if back := self._jump(lead):
            return f"the clock was set back by {back // SECOND} s while the server ran"
        behind = self._newest_ns - now.utc_ns
        if behind > BEHIND:
            return f"the clock is {behind / SECOND:.0f} s behind the newest entry of the journal"
        if self._synchronised is not None and not self._synchronised():
            return "the kernel says that the clock is not synchronised"
        return None

    def _jump(self, lead: int) -> int:
        """By how much it was set back, if that is more than STEP_BACK. It stays so until it is set right."""
        assert self._lead_ns is not None
        back = self._lead_ns - lead
        return back if back > STEP_BACK else 0
