"""The signed file of permits, watched: a new one is in force within a second, a bad one changes nothing."""

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
from signaling.watch import Stamp, Watch, stamp_of, unreadable

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """A file as it lies there."""

    stamp: Stamp
    text: bytes


class PermitFileWatch(Watch):
    """See above."""

    def __init__(self, path: Path, keys: tuple[PublicKey, ...], register: Register, alarms: Alarms) -> None:
        super().__init__(path, "permit file", Alarm.PERMIT_FILE_REFUSED, alarms)
        self._keys, self._register = keys, register
        self._looked_at: tuple[Stamp, int] | None = None  # a file, and the register that it was held against

    async def read(self) -> str | None:
        """Take the file if it is another one, or if the register has changed since it was refused."""
        try:
            found = await asyncio.to_thread(read, self.path, self._known())
        except FileNotFoundError:
            self._looked_at = None
            return None  # what it said is in the register, and stays
        except OSError as error:
            self._looked_at = None
            return unreadable(self.path, error)
        if found is None:
            return self.fault
        fault = await self._take(found)
        return None if fault is None else f"{self.path}: {fault}"

    def _known(self) -> Stamp | None:
        """The file that need not be read again."""
        if self._looked_at is None:
            return None
        stamp, epoch = self._looked_at
        return stamp if self.fault is None or epoch == self._register.snapshot.epoch else None

    async def _take(self, found: Found) -> str | None:
        """Why it is not taken. What cannot be stored now is tried again at the next look."""
        fault: str | None = None
        try:
            if not self._keys:
                raise ChangeError("signatures", "the setting `permit_file_keys` names no key for them")
            file = await asyncio.to_thread(read_permit_file, found.text, self._keys)
            if await self._register.take_file(file):
                self._tell(file)
        except ChangeError as error:
            fault = str(error)
        except JournalError as error:
            return f"cannot be taken now: {error}"
        self._looked_at = (found.stamp, self._register.snapshot.epoch)
        return fault

    def _tell(self, file: PermitFile) -> None:
        keys, permits = list(file.signed_by), [f"{permit.id}@{permit.version}" for permit in file.permits]
        log.info("permit file taken", extra={"path": str(self.path), "keys": keys, "permits": permits})


def read(path: Path, known: Stamp | None) -> Found | None:
    """The file, or none if it is the one that is known. OSError if it cannot be read."""
    with path.open("rb") as opened:
        stamp = stamp_of(os.fstat(opened.fileno()))
        return None if stamp == known else Found(stamp, opened.read(LARGEST_FILE + 1))
