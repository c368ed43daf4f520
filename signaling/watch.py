"""Looks again and again at what operators lay into a folder, and says why it was not taken."""

import asyncio
import logging
import os
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path

from licensing.alarms import Alarm, Alarms
from signaling.errands import Errands

EVERY = 0.5  # seconds between two looks: what is dropped in is read and in force within a second

Stamp = tuple[int, int, int, int]  # inode, size, and both times of change: a file moved in place has another
log = logging.getLogger(__name__)


class Watch(ABC):
    """Looks at one path from `start` to `close`. `look` once is enough for a command."""

    def __init__(self, path: Path, what: str, alarm: Alarm, alarms: Alarms) -> None:
        """`what` lies there, for the log; `alarm` sounds while it is refused."""
        self.path = path
        self.fault: str | None = None  # why what lies there was not taken; it names file and path
        self._what, self._alarm, self._alarms = what, alarm, alarms
        self._errands = Errands(f"a look at the {what}")
        self._looking = asyncio.Lock()
        self._closed = asyncio.Event()

    def start(self) -> None:
        """Look at once, and again and again, each time a while after the last look is over."""
        self._errands.start(self._watch())

    async def close(self) -> None:
        """Look no more. What is being taken is taken."""
        self._closed.set()
        await self._errands.close()

    async def look(self) -> None:
        """Take what lies there, if it is other than at the last look."""
        async with self._looking:
            self._refuse(await self.read())

    @abstractmethod
    async def read(self) -> str | None:
        """Look, and take what is new; why what lies there is not in force, if it is not."""

    def _refuse(self, fault: str | None) -> None:
        if fault == self.fault:
            return
        self.fault = fault
        if fault is None:
            self._alarms.clear(self._alarm)
        else:
            log.error("%s refused", self._what, extra={"fault": fault})
            self._alarms.sound(self._alarm, fault)

    async def _watch(self) -> None:
        """By the loop's time: the disk knows of no other."""
        while not self._closed.is_set():
            await asyncio.wait([self._errands.start(self.look())])  # one that fails is logged
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY):
                    await self._closed.wait()


def stamp_of(about: os.stat_result) -> Stamp:
    """What tells a file from any other that lay or will lie there."""
    return about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns


def unreadable(path: Path, error: OSError) -> str:
    """Why a path could not be read, in one sentence."""
    return f"{path}: cannot be read: {(error.strerror or str(error)).lower()}"
