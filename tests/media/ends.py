"""Two peers in one process, and the wire of descriptions between them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from wephone.media.devices import Ear, Silence, Sink, Source
from wephone.media.peer import Peer
from wephone.media.servers import IceSettings
from wephone.protocol.messages import Candidate


@dataclass
class Told:
    """A peer's listener: keeps what it is told, and lets tests wait for it."""

    candidates: list[Candidate | None] = field(default_factory=list)
    connected: asyncio.Event = field(default_factory=asyncio.Event)
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    said: asyncio.Event = field(default_factory=asyncio.Event)
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    failed: "asyncio.Future[str]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    keys: list[str] = field(default_factory=list)
    candidate_sink: Callable[[Candidate | None], None] = lambda candidate: None

    def line_found(self, candidate: Candidate | None) -> None:
        self.candidates.append(candidate)
        self.candidate_sink(candidate)

    def line_connected(self) -> None:
        self.connected.set()

    def line_failed(self, reason: str) -> None:
        if not self.failed.done():
            self.failed.set_result(reason)

    def line_closed(self) -> None:
        self.closed.set()

    def line_heard(self) -> None:
        self.heard.set()

    def line_key(self, key: str) -> None:
        self.keys.append(key)

    def line_said(self) -> None:
        self.said.set()


@dataclass
class End:
    """One peer with all that belongs to it."""

    peer: Peer
    told: Told
    ear: Ear


def end(settings: IceSettings | None = None) -> End:
    """A peer that nobody has spoken to yet."""
    told = Told()
    return End(Peer(told, settings), told, Ear())


async def negotiate(one: End, other: End, *, hold: bool = False) -> None:
    """One offers, the other answers."""
    offer = await one.peer.create_offer(hold=hold)
    await one.peer.apply_answer(await other.peer.create_answer(offer))


async def talk(one: End, other: End, says: Source | None = None, answers: Source | None = None) -> None:
    """From nothing to a call in which both may speak, and both have heard something."""
    await negotiate(one, other)
    begin(one, says)
    begin(other, answers)
    await asyncio.gather(one.told.heard.wait(), other.told.heard.wait())


def begin(one: End, says: Source | None = None, sink: Sink | None = None) -> None:
    """Start the media of one end."""
    one.peer.start(says if says is not None else Silence(), sink if sink is not None else one.ear)


async def close(*ends: End) -> None:
    """End the call."""
    await asyncio.gather(*(each.peer.close() for each in ends))


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that no event tells of; the test's own limit ends it."""
    while not condition():  # noqa: ASYNC110 - there is no event to wait for
        await asyncio.sleep(0.005)
