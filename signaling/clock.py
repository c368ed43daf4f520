"""The system's clocks. The only place of the server that reads one."""

import asyncio
import time
from collections.abc import Callable

from licensing.instant import SECOND, Instant
from signaling.ports import Cancel


class SystemClock:
    """UTC and monotonic time as the kernel tells them; timers on the running loop."""

    def now(self) -> Instant:
        """This moment."""
        return Instant(time.time_ns(), time.monotonic_ns())

    def call_at(self, deadline: Instant, callback: Callable[[], None]) -> Cancel:
        """Call back once at the deadline's monotonic time, or at once if it has passed."""
        delay = (deadline.mono_ns - time.monotonic_ns()) / SECOND
        return asyncio.get_running_loop().call_later(max(0.0, delay), callback).cancel
