"""A softphone that is not ours, at the far end of a call: told what to do, and what it says is waited for."""

import asyncio
from abc import ABC, abstractmethod
from asyncio.subprocess import Process
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from signaling.pstn.sip.sockets import Place

WAIT = 30.0  # seconds for what must come


class Said(StrEnum):
    """What a phone says of its call, as far as all of them are alike."""

    UP = "up"
    OVER = "over"


@dataclass
class Phone(ABC):
    """It answers whoever calls it. `place` is where it listens."""

    place: Place
    process: Process
    log: list[str] = field(default_factory=list)
    said: "asyncio.Queue[Said]" = field(default_factory=asyncio.Queue)

    @abstractmethod
    async def call(self, uri: object) -> None:
        """Call somebody."""

    @abstractmethod
    async def hang_up(self) -> None:
        """End its call."""

    async def until(self, what: Said) -> None:
        """Wait until it says so."""
        while await asyncio.wait_for(self.said.get(), WAIT) is not what:
            pass

    def keep(self, line: str, signs: dict[str, Said]) -> None:
        """A line that it wrote, and what that means."""
        self.log.append(line)
        for sign, what in signs.items():
            if sign in line:
                self.said.put_nowait(what)


async def ready(is_ready: Callable[[], bool], process: Process) -> bool:
    """Wait until it is, or has ended."""
    async with asyncio.timeout(WAIT):
        while not is_ready():
            if process.returncode is not None:
                return False
            await asyncio.sleep(0.02)
    return True


async def end(process: Process) -> None:
    """Whatever it is doing."""
    if process.returncode is None:
        process.kill()
    await process.wait()
