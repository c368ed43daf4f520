"""A bad wire for UDP: between whoever writes to it and one place behind it, packets are lost, doubled and
overtaken by later ones."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.fakes.datagrams import Datagrams

LONGEST = 0.1  # seconds that a packet is held when no other comes to overtake it

Address = tuple[str, int]
Pass = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Odds:
    """Of each packet, both ways."""

    lost: float = 0.05
    doubled: float = 0.2
    overtaken: float = 0.2


class Way:
    """One direction between two ends."""

    def __init__(self, dice: random.Random, odds: Odds, done: "Counter[str]", send: Pass) -> None:
        self._dice, self._odds, self._done, self._send = dice, odds, done, send
        self._held: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None

    def take(self, data: bytes) -> None:
        """A packet came in at one end."""
        if self._dice.random() < self._odds.lost:
            self._done["lost"] += 1
            return
        copies = 1
        if self._dice.random() < self._odds.doubled:
            self._done["doubled"] += 1
            copies = 2
        if self._dice.random() < self._odds.overtaken:
            self._held += copies * [data]
            self._timer = self._timer or asyncio.get_running_loop().call_later(LONGEST, self.let_go)
            return
        for _ in range(copies):
            self._send(data)
        self._done["overtaken"] += len(self._held)
        self.let_go()

    def let_go(self) -> None:
        """Whatever was held arrives now."""
        held, self._held = self._held, []
        self.stop()
        for data in held:
            self._send(data)

    def stop(self) -> None:
        """What is held stays unsent."""
        if self._timer:
            self._timer.cancel()
            self._timer = None


class Behind(Datagrams):
    """The wire's far end for one who writes to it: what comes back goes to them."""

    def __init__(self, back: Way) -> None:
        self.back = back
        self.there: Way | None = None

    def datagram_received(self, data: bytes, address: Address) -> None:
        self.back.take(data)


class BadWire(Datagrams):
    """`port` is its near end; `behind` is set once somebody is there. `done` counts what befell packets."""

    def __init__(self, dice: random.Random, odds: Odds) -> None:
        self._dice, self._odds = dice, odds
        self._ends: dict[Address, Behind] = {}
        self._opening: dict[Address, list[bytes]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.behind: Address | None = None
        self.done: Counter[str] = Counter()

    @property
    def port(self) -> int:
        port: int = self.transport.get_extra_info("sockname")[1]
        return port

    def datagram_received(self, data: bytes, address: Address) -> None:
        end = self._ends.get(address)
        if end and end.there:
            end.there.take(data)
            return
        waiting = self._opening.setdefault(address, [])
        waiting.append(data)
        if len(waiting) == 1:
            task = asyncio.create_task(self._open(address))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _open(self, address: Address) -> None:
        loop = asyncio.get_running_loop()
        end = Behind(self._way(lambda data: self.transport.sendto(data, address)))
        await loop.create_datagram_endpoint(lambda: end, local_addr=("127.0.0.1", 0))
        self._ends[address] = end
        end.there = self._way(lambda data: end.transport.sendto(data, self.behind))
        for data in self._opening.pop(address):
            end.there.take(data)

    def _way(self, send: Pass) -> Way:
        return Way(self._dice, self._odds, self.done, send)

    async def close(self) -> None:
        """Both ends, and whatever is on the way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for end in self._ends.values():
            end.back.stop()
            if end.there:
                end.there.stop()
            end.transport.close()
        self.transport.close()


@asynccontextmanager
async def bad_wire(dice: random.Random, odds: Odds | None = None) -> AsyncIterator[BadWire]:
    """While the block runs."""
    wire = BadWire(dice, odds or Odds())
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(lambda: wire, local_addr=("127.0.0.1", 0))
    try:
        yield wire
    finally:
        await wire.close()
