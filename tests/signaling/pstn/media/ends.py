"""The two ends of a telephone leg in tests: a trunk that logs packets, and an app that speaks plain RTP."""

import asyncio
import random
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from signaling.media import Direction, Event, MediaBackend, Srtp, TrunkMedia
from signaling.pstn.media import trunk_sdp
from signaling.pstn.media.place import Place
from signaling.pstn.media.trunk_sdp import Ours
from tests.fakes.datagrams import Datagrams
from wephone.protocol.messages import Candidate

HOST = "127.0.0.1"
TRUNK = TrunkMedia(networks=("127.0.0.0/8",))
SECOND = 1_000_000_000


@dataclass(frozen=True)
class Packet:
    """One packet of sound, and when it came."""

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    at: int  # ns, monotonic

    @classmethod
    def parse(cls, data: bytes) -> "Packet":
        """RFC 3550 §5.1, with no extension nor contributors."""
        first, second, sequence, timestamp, ssrc = struct.unpack_from("!BBHII", data)
        assert first == 0x80
        return cls(second & 0x7F, second >= 0x80, sequence, timestamp, ssrc, data[12:], time.monotonic_ns())


@dataclass
class Voice:
    """Numbers the packets of one source."""

    ssrc: int = field(default_factory=lambda: random.getrandbits(32))
    sequence: int = 100
    timestamp: int = 1000

    def packet(self, payload: bytes, payload_type: int = 0, marker: bool = False, step: int = 160) -> bytes:
        """The next packet; `step` is what it adds to the timestamp."""
        second = payload_type | (0x80 if marker else 0)
        data = struct.pack("!BBHII", 0x80, second, self.sequence, self.timestamp, self.ssrc) + payload
        self.sequence = (self.sequence + 1) % 2**16
        self.timestamp = (self.timestamp + step) % 2**32
        return data


class Wire(Datagrams):
    """A socket that keeps what came."""

    def __init__(self) -> None:
        self.came: list[tuple[bytes, tuple[str, int]]] = []
        self._more = asyncio.Event()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.came.append((data, addr))
        self._more.set()

    async def until(self, count: int) -> None:
        """Wait for so many packets in all."""
        while len(self.came) < count:
            self._more.clear()
            await self._more.wait()

    @property
    def port(self) -> int:
        port: int = self.transport.get_extra_info("sockname")[1]
        return port


async def open_wire() -> Wire:
    """On a free port of loopback."""
    _, wire = await asyncio.get_running_loop().create_datagram_endpoint(Wire, (HOST, 0))
    return wire


class Far:
    """The far end of a trunk."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.voice = Voice()
        self.to = (HOST, 9)
        self.events: int | None = 101

    @property
    def packets(self) -> list[Packet]:
        """What came, but for reports."""
        return [Packet.parse(data) for data, _ in self.wire.came if not 192 <= data[1] <= 223]

    def describe(
        self,
        direction: Direction = "sendrecv",
        codecs: tuple[str, ...] = ("PCMU",),
        wire: Wire | None = None,
    ) -> str:
        """An offer or an answer, alike."""
        port = (wire or self.wire).port
        return trunk_sdp.written(Ours(HOST, port, codecs, direction, 7, 1, events=self.events))

    def learn(self, sdp: str) -> None:
        """Where the backend listens."""
        theirs = trunk_sdp.parse(sdp, TRUNK)
        self.to = (theirs.host, theirs.port)

    def say(self, payload: bytes, payload_type: int = 0, wire: Wire | None = None) -> None:
        """Send 20 ms."""
        (wire or self.wire).transport.sendto(self.voice.packet(payload, payload_type), self.to)

    def close(self) -> None:
        self.wire.transport.close()


class App(Protocol):
    """What a test asks of an app's side."""

    @property
    def payloads(self) -> list[bytes]:
        """The sound that came, packet by packet."""

    async def offer(self) -> str: ...
    async def offer_again(self, direction: Direction) -> str: ...
    async def answer(self, offer: str) -> str: ...
    async def answered(self, answer: str) -> None: ...
    def found(self, candidates: tuple[Candidate, ...], end: bool) -> None: ...
    def say(self, payload: bytes) -> None: ...
    async def connected(self) -> None: ...
    async def until(self, count: int) -> None: ...
    async def close(self) -> None: ...


class PlainApp:
    """An app for a backend whose app's side is plain RTP."""

    def __init__(self, far: Far) -> None:
        self._far = far

    @property
    def payloads(self) -> list[bytes]:
        return [packet.payload for packet in self._far.packets]

    async def offer(self) -> str:
        return self._far.describe()

    async def offer_again(self, direction: Direction) -> str:
        return self._far.describe(direction)

    async def answer(self, offer: str) -> str:
        self._far.learn(offer)
        return self._far.describe()

    async def answered(self, answer: str) -> None:
        self._far.learn(answer)

    def found(self, candidates: tuple[Candidate, ...], end: bool) -> None:
        pass

    def say(self, payload: bytes) -> None:
        self._far.say(payload)

    async def connected(self) -> None:
        pass

    async def until(self, count: int) -> None:
        await self._far.wire.until(count)

    async def close(self) -> None:
        self._far.close()


class Told:
    """What a backend tells."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._more = asyncio.Event()
        self.sinks: list[Callable[[Event], None]] = []

    def __call__(self, event: Event, /) -> None:
        self.events.append(event)
        for sink in self.sinks:
            sink(event)
        self._more.set()

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]

    async def first(self, kind: type[Event], skip: int = 0) -> Event:
        """Wait for the first of its kind, after so many others of it."""
        while len(found := self.of(kind)) <= skip:
            self._more.clear()
            await self._more.wait()
        return found[skip]


@dataclass
class Stage:
    """A backend and who stands on either side of it."""

    backend: MediaBackend
    told: Told
    app: App
    far: Far


def free_place() -> Place:
    """A bridge's place with ports that nobody else is likely to have: the system gives out none of these."""
    first = 20_000 + 200 * random.randrange(60)
    return Place(HOST, None, first, first + 199)


def in_seconds(seconds: float) -> int:
    """That instant on the monotonic clock, ns."""
    return time.monotonic_ns() + int(seconds * SECOND)


@contextmanager
def measured() -> Iterator[list[float]]:
    """How many seconds the block took, in the list it gives."""
    taken: list[float] = []
    began = time.monotonic()
    yield taken
    taken.append(time.monotonic() - began)


__all__ = ["HOST", "TRUNK", "App", "Far", "Packet", "PlainApp", "Srtp", "Stage", "Told", "Voice", "Wire"]
