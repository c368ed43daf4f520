"""Speaking: 20 ms of a source every 20 ms, encoded by our own libopus, as a track that aiortc sends.

aiortc sends what a track gives it as it is if that is a packet; so the encoder is ours (mono, FEC, a voice's
bitrate), and no frame takes the way through a thread pool.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from aiortc import MediaStreamTrack
from av import Packet

from wephone.media.audio import FRAME, FRAME_NS, RATE, Samples, silence
from wephone.media.devices import Silence, Source
from wephone.media.errors import DeviceError
from wephone.media.keys import Pressing
from wephone.media.opus import Encoder

TIME_BASE = Fraction(1, RATE)
BEHIND = 200_000_000  # ns: a loop that hung for longer does not send what it missed in one burst

log = logging.getLogger(__name__)


class Outgoing(MediaStreamTrack):
    """The sound of one call that goes out. Not a packet leaves before `start`, nor while the call is held."""

    kind = "audio"

    def __init__(self, said: Callable[[], None], failed: Callable[[str], None]) -> None:
        super().__init__()
        self._said, self._failed = said, failed
        self._source: Source = Silence()
        self._encoder = Encoder()
        self._started = False
        self._speaking = False
        self._may_speak = asyncio.Event()
        self._muted = False
        self._origin: int | None = None  # ns, of timestamp 0
        self._next = 0  # frame to be sent, counted from the origin by the clock
        self._keys, self._pressed = Pressing(RATE), 0  # frame at which the key began
        self.begins_key: bool | None = (
            None  # does the packet that was just given begin a key? None: it is sound
        )
        self.packets = 0

    def start(self, source: Source) -> None:
        """From here on `source` may be heard by the far end."""
        self._source, self._started = source, True
        self._allow()

    def speak(self, on: bool) -> None:
        """Off: the call is held. The source is not read meanwhile."""
        self._speaking = on
        self._allow()

    def mute(self, on: bool) -> None:
        """On: silence is sent in place of the source, which runs on."""
        self._muted = on

    def press(self, keys: str) -> None:
        """Send these keys, one after the other, in place of the source, which runs on. ValueError."""
        self._keys.press(keys)

    def _allow(self) -> None:
        if self._started and self._speaking:
            self._may_speak.set()
        else:
            self._may_speak.clear()

    async def recv(self) -> "Packet[Any]":
        """The next packet, when it is due."""
        while not self._may_speak.is_set() or not await self._wait_until_due():
            await self._may_speak.wait()
        packet = self._made(self._frame())
        packet.time_base = TIME_BASE
        self._next += 1
        self.packets += 1
        return packet

    def _made(self, frame: Samples) -> "Packet[Any]":
        """Of a key that is pressed, with the time when it began (RFC 4733 §2.3); or else of the sound."""
        key = self._keys.next()
        if key is None:
            self.begins_key = None
            packet = Packet(self._encoder.encode(frame))
            packet.pts = self._next * FRAME
            return packet
        event, self.begins_key = key
        if self.begins_key:
            self._pressed = self._next
        packet = Packet(bytes(event))
        packet.pts = self._pressed * FRAME
        return packet

    async def _wait_until_due(self) -> bool:
        """Wait for the next frame's time; False if the call has been held meanwhile."""
        now = time.monotonic_ns()
        if self._origin is None:
            self._origin = now
        late = now - self._origin - self._next * FRAME_NS
        if late > BEHIND:
            self._next += -(-late // FRAME_NS)  # timestamps follow the clock (RFC 3550 §5.1)
        delay = self._origin + self._next * FRAME_NS - now
        if delay > 0:
            await asyncio.sleep(delay / 1e9)
        return self._may_speak.is_set()

    def _frame(self) -> Samples:
        try:
            frame = self._source.read()
        except (DeviceError, OSError) as error:
            self._source = Silence()
            self._failed(f"what is said cannot be read: {error}")
            return silence()
        if frame is None:
            self._source = Silence()
            self._said()
            return silence()
        return silence() if self._muted else frame
