"""The system's clocks. The only place of the server that reads one."""

import asyncio
import ctypes
from collections.abc import Callable
from time import monotonic_ns, time_ns

from licensing.instant import SECOND, Instant
from signaling.ports.clock import Cancel

TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised to a reliable server
LARGEST_TIMEX = 512  # bytes; the kernel's struct has some 200, and its first word is 0: change nothing
_KERNEL = ctypes.CDLL(None, use_errno=True)


def is_synchronised() -> bool:
    """Does the kernel hold the clock for synchronised? Needs no rights. No, if it cannot be asked."""
    state = _KERNEL.adjtimex(ctypes.create_string_buffer(LARGEST_TIMEX))
    return bool(0 <= state != TIME_ERROR)


class SystemClock:
    """UTC and monotonic time as the kernel tells them; timers on the running loop."""

    mono_ns = staticmethod(monotonic_ns)  # asked too often for a call between, as `now` is

    def now(self) -> Instant:
        """This moment."""
        return tuple.__new__(Instant, (time_ns(), monotonic_ns()))  # asked too often for a call between

    def call_at(self, deadline: Instant, callback: Callable[[], None]) -> Cancel:
        """Call back once at the deadline's monotonic time, or at once if it has passed."""
        delay = (deadline.mono_ns - monotonic_ns()) / SECOND
        return asyncio.get_running_loop().call_later(max(0.0, delay), callback).cancel
