"""A telephone of the small carrier that hears keys, and says them back as tones once it hears `#`.

Keys come as events in its sound (RFC 4733), or are told by INFO.
"""

import asyncio
import re
import secrets
from collections.abc import Callable, Iterator

from signaling.pstn.echo import Line, described
from signaling.pstn.media import g711, rtp
from signaling.pstn.media.playing import Every20ms, tones
from wephone.media import keys
from wephone.media.audio import Samples

LAWS = {0: "PCMU", 8: "PCMA"}  # static payload types (RFC 3551 §6)
LAST = "#"
MOST_KEYS = 64
_SPOKEN = re.compile(rb"^m=audio \d+ RTP/AVP (\d+)(?: (\d+))?\r?$", re.MULTILINE)


class Menu(Line):
    """The end of an audio line. `heard` is told the keys of each entry: up to its `#`, or to the end."""

    def __init__(self, heard: Callable[[str], None]) -> None:
        super().__init__()
        self._heard = heard
        self._keys = ""
        self._event: int | None = None  # timestamp of the last one: a key is sent many times under it
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

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        """A packet of sound, or about a key."""
        packet = rtp.parse(data)
        if packet is None:
            return
        self._to = self._to or address
        if packet.payload_type == self._events and packet.timestamp != self._event:
            self._event = packet.timestamp
            if (event := keys.parse(packet.payload)) is not None:
                self.press(event.digit)

    def press(self, key: str) -> None:
        """One more key was heard."""
        self._keys = (self._keys + key)[-MOST_KEYS:]
        if key == LAST:
            said, self._keys = self._keys, ""
            self._heard(said)
            self._say(said)

    def close(self) -> None:
        """Hear nothing any more; what was not ended by `#` is told as it is."""
        if self._keys:
            self._heard(self._keys)
            self._keys = ""
        if self._saying:
            self._saying.stop()
        super().close()

    def _say(self, said: str) -> None:
        if self._saying:
            self._saying.stop()
        frames = (frame for key in said for frame in tones(key))
        self._saying = Every20ms(lambda: self._say_next(frames))

    def _say_next(self, frames: Iterator[Samples]) -> bool:
        frame = next(frames, None)
        if frame is None or self._to is None:
            return False
        now = asyncio.get_running_loop().time()
        sequence, timestamp = self._stream.make(rtp.FRAME, int(now * 1e9))
        payload = g711.encode(self._law, frame)
        self._transport.sendto(
            self._stream.pack(self._payload_type, False, sequence, timestamp, payload), self._to
        )
        return True
