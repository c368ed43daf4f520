"""Ends of an audio line that say something of their own, in the codec that was agreed on."""

import asyncio
import re
import secrets
from collections.abc import Iterator

import numpy as np

from signaling.pstn.echo import Echo, Line, described
from signaling.pstn.media import g711, rtp
from signaling.pstn.media.playing import Every20ms, frames
from wephone.media.audio import Samples

LAWS = {0: "PCMU", 8: "PCMA"}  # static payload types (RFC 3551 §6)
RATE = 8_000
RINGS, RESTS = 1, 4  # seconds
PITCH = 425  # Hz
LOUD = 0.1  # of full scale
_SPOKEN = re.compile(rb"^m=audio \d+ RTP/AVP (\d+)(?: (\d+))?\r?$", re.MULTILINE)


class Speaking(Line):
    """See above. `agree` before it is to speak."""

    def __init__(self) -> None:
        super().__init__()
        self._law, self._payload_type, self._events = "PCMA", 8, -1
        self._to: tuple[str, int] | None = None
        self._stream = rtp.Stream(secrets.randbits(32), secrets.randbits(16), secrets.randbits(32))
        self._saying: Every20ms | None = None

    def agree(self, offer: bytes, answer: bytes) -> None:
        """Where the caller hears, and what was taken of its codecs."""
        self._to = described(offer)
        if found := _SPOKEN.search(answer):
            self._payload_type = int(found[1])
            self._law = LAWS[self._payload_type]
            self._events = int(found[2] or -1)

    def say(self, said: Iterator[Samples]) -> None:
        """These frames, 20 ms each, in the place of what it says now."""
        self.hush()
        self._saying = Every20ms(lambda: self._say_next(said))

    def hush(self) -> None:
        """Say nothing more."""
        if self._saying:
            self._saying.stop()

    def close(self) -> None:
        """Hear nothing any more."""
        self.hush()
        super().close()

    def _say_next(self, said: Iterator[Samples]) -> bool:
        frame = next(said, None)
        if frame is None or self._to is None:
            return False
        now = asyncio.get_running_loop().time()
        sequence, timestamp = self._stream.make(rtp.FRAME, int(now * 1e9))
        payload = g711.encode(self._law, frame)
        self._transport.sendto(
            self._stream.pack(self._payload_type, False, sequence, timestamp, payload), self._to
        )
        return True


class RingBack(Speaking, Echo):
    """Says that it rings (as Europe does, ITU-T E.180) until it hears something, and then says that back."""

    def ring(self) -> None:
        """From here on."""
        times = np.arange((RINGS + RESTS) * RATE) / RATE
        tone = LOUD * 32767 * np.sin(2 * np.pi * PITCH * times) * (times < RINGS)
        self.say(frames(tone.astype(np.int16), again=True))

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        self.hush()
        super().datagram_received(data, address)
