"""A telephone of the small carrier that hears keys, and says them back as tones once it hears `#`.

Keys come as events in its sound (RFC 4733), or are told by INFO.
"""

from collections.abc import Callable

from signaling.pstn.media import rtp
from signaling.pstn.media.playing import tones
from signaling.pstn.speaking import Speaking
from wephone.media import keys

LAST = "#"
MOST_KEYS = 64


class Menu(Speaking):
    """The end of an audio line. `heard` is told the keys of each entry: up to its `#`, or to the end."""

    def __init__(self, heard: Callable[[str], None]) -> None:
        super().__init__()
        self._heard = heard
        self._keys = ""
        self._event: int | None = None  # timestamp of the last one: a key is sent many times under it

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
            self.say(frame for key in said for frame in tones(key))

    def close(self) -> None:
        """Hear nothing any more; what was not ended by `#` is told as it is."""
        if self._keys:
            self._heard(self._keys)
            self._keys = ""
        super().close()
