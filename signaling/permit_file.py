"""Watches the signed file of permits: a new one is in force within a second, a bad one changes nothing."""

import asyncio
import logging
import os
from dataclasses import dataclass
from pathlib import Path

from licensing.alarms import Alarm, Alarms
from licensing.documents import ChangeError
from licensing.permit_file import LARGEST_FILE, PermitFile, read_permit_file
from licensing.ports import JournalError
from licensing.register import Register
from licensing.signing import PublicKey
from signaling.errands import Errands

EVERY = 0.5  # seconds between two looks: what is dropped in is read and in force within a second

Stamp = tuple[int, int, int, int]  # inode, size, and both times of change: a file moved in place has another
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """A file as it lies there."""

    stamp: Stamp
    text: bytes


class PermitFileWatch:
    """Looks at one path from `start` to `close`. `look` once is enough for a command."""

    def __init__(self, path: Path, keys: tuple[PublicKey, ...], register: Register, alarms: Alarms) -> None:
        self.path = path
        self.fault: str | None = None  # why the file that lies there was not taken; it names file and path
        self._keys, self._register, self._alarms = keys, register, alarms
        self._looked_at: tuple[Stamp, int] | None = None  # a file, and the register that it was held against
        self._errands = Errands("a look at the permit file")
        self._closed = asyncio.Event()

    def start(self) -> None:
        """Look again and again, each time a while after the last look is over."""
        self._errands.start(self._watch())

    async def close(self) -> None:
        """Look no more. What is being taken is taken."""
        self._closed.set()
        await self._errands.close()

    async def look(self) -> None:
        """Take the file if it is another one, or if the register has changed since it was refused."""
        try:
            found = await asyncio.to_thread(read, self.path, self._known())
        except FileNotFoundError:
            self._looked_at = None
            self._refuse(None)  # what it said is in the register, and stays
        except OSError as error:
            self._looked_at = None
            self._refuse(f"cannot be read: {(error.strerror or str(error)).lower()}")
        else:
            if found is not None:
                await self._take(found)

    def _known(self) -> Stamp | None:
        """The file that need not be read again."""
        if self._looked_at is None:
            return None
        stamp, epoch = self._looked_at
        return stamp if self.fault is None or epoch == self._register.snapshot.epoch else None

    async def _take(self, found: Found) -> None:
        try:
            if not self._keys:
                raise ChangeError("signatures", "the setting `permit_file_keys` names no key for them")
            file = await asyncio.to_thread(read_permit_file, found.text, self._keys)
            taken = await self._register.take_file(file)
        except ChangeError as error:
            self._refuse(str(error))
        except JournalError as error:
            self._refuse(f"cannot be taken now: {error}")
            return  # and tried again at the next look
        else:
            self._refuse(None)
            if taken:
                self._tell(file)
        self._looked_at = (found.stamp, self._register.snapshot.epoch)

    def _tell(self, file: PermitFile) -> None:
        keys, permits = list(file.signed_by), [f"{permit.id}@{permit.version}" for permit in file.permits]
        log.info("permit file taken", extra={"path": str(self.path), "keys": keys, "permits": permits})

    def _refuse(self, fault: str | None) -> None:
        said = None if fault is None else f"{self.path}: {fault}"
        if said == self.fault:
            return
        self.fault = said
        if said is None:
            self._alarms.clear(Alarm.PERMIT_FILE_REFUSED)
        else:
            log.error("permit file refused", extra={"fault": said})
            self._alarms.sound(Alarm.PERMIT_FILE_REFUSED, said)

    async def _watch(self) -> None:
        """By the loop's time: the disk knows of no other."""
        while not self._closed.is_set():
            try:
                await asyncio.wait_for(self._closed.wait(), EVERY)
            except TimeoutError:
                await asyncio.wait([self._errands.start(self.look())])  # one that fails is logged


def read(path: Path, known: Stamp | None) -> Found | None:
    """The file, or none if it is the one that is known. OSError if it cannot be read."""
    with path.open("rb") as opened:
        about = os.fstat(opened.fileno())
        stamp = (about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns)
        return None if stamp == known else Found(stamp, opened.read(LARGEST_FILE + 1))
