"""Media without media, for tests of what is said about a call: descriptions that pass, and no sound."""

from collections.abc import Sequence
from typing import Any

from wephone.media.errors import DescriptionError
from wephone.media.servers import IceSettings
from wephone.media.stats import Stats
from wephone.protocol.messages import Candidate
from wephone.sound import Handle, Line, Sound, Tell

FINGERPRINT = ":".join(["AB"] * 32)
DESCRIPTION = f"v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=fingerprint:sha-256 {FINGERPRINT}\r\n"


class QuietLine:
    """A connection for sound that carries none; it is connected as soon as it is started."""

    def __init__(self, sound: Sound) -> None:
        self._sound = sound

    def is_of(self, offer: str) -> bool:
        return True

    async def create_offer(self, *, hold: bool = False) -> str:
        self._sound.line_found(Candidate(candidate="candidate:1 1 udp 1 192.0.2.1 9 typ host"))
        self._sound.line_found(None)
        return DESCRIPTION

    async def create_answer(self, offer: str, *, hold: bool = False) -> str:
        return await self.create_offer(hold=hold)

    async def apply_answer(self, answer: str, *, provisional: bool = False) -> None:
        pass

    async def roll_back(self) -> None:
        pass

    async def add_candidates(self, candidates: Sequence[Candidate], end: bool) -> None:
        pass

    def hear(self, sink: Any) -> None:
        self._sound.line_connected()

    def start(self, source: Any, sink: Any) -> None:
        self._sound.line_connected()

    def mute(self, on: bool) -> None:
        pass

    def press(self, keys: str) -> None:
        pass

    def stats(self) -> Stats:
        return Stats()

    async def close(self) -> None:
        pass


class BrokenLine(QuietLine):
    """The connection of a device that can describe nothing."""

    async def create_offer(self, *, hold: bool = False) -> str:
        raise DescriptionError("this device is broken")


class FakeSound(Sound):
    """Runs a call over a line that is none."""

    kind: type[QuietLine] = QuietLine

    async def _ready_line(self) -> Line | None:
        if self._line is None:
            self._line = self.kind(self)
        return self._line


class BrokenSound(FakeSound):
    """Runs a call that cannot be described."""

    kind = BrokenLine


def quiet_sound(call: Handle, tell: Tell, settings: IceSettings) -> Sound:
    """For `Client(start_sound=...)`."""
    return FakeSound(call, tell, settings)


def broken_sound(call: Handle, tell: Tell, settings: IceSettings) -> Sound:
    """For `Client(start_sound=...)`."""
    return BrokenSound(call, tell, settings)
