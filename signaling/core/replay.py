"""What a device has been sent and not yet acknowledged, so that a lost connection loses nothing."""

from collections import deque

MAX_EVENTS = 64
MAX_BYTES = 64 * 1024


class Replay:
    """Numbers the events of one session and keeps the latest until they are acknowledged.

    Beyond 64 events or 64 KiB the oldest are dropped: the session can then no longer be resumed
    from before them, and the device gets a resync instead.
    """

    __slots__ = ("_bytes", "_frames", "_last")

    def __init__(self) -> None:
        self._frames: deque[bytes] = deque()
        self._bytes = 0
        self._last = 0

    def number(self, body: bytes) -> bytes:
        """The frame to send: `body`, a JSON object, with its number spliced in at the end."""
        self._last += 1
        frame = b'%b,"n":%d}' % (body[:-1], self._last)
        self._frames.append(frame)
        self._bytes += len(frame)
        while len(self._frames) > MAX_EVENTS or self._bytes > MAX_BYTES:
            self._drop()
        return frame

    def acknowledge(self, n: int) -> bool:
        """Forget what arrived; False if `n` was never sent."""
        if n > self._last:
            return False
        while self._frames and self._first() <= n:
            self._drop()
        return True

    def after(self, n: int) -> list[bytes] | None:
        """The frames after number `n`, oldest first; None if some of them are gone."""
        if n > self._last or n + 1 < self._first():
            return None
        return list(self._frames)[n + 1 - self._first() :]

    def _first(self) -> int:
        return self._last - len(self._frames) + 1

    def _drop(self) -> None:
        self._bytes -= len(self._frames.popleft())
