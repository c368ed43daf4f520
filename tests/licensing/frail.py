"""Journals and registers that are slow or fail when told to."""

import asyncio
from collections.abc import Sequence

from licensing.audit import ClearValue, Draft, Entry, Head
from licensing.journal import EvidenceFile
from licensing.ports import JournalError, RegisterRow, RegisterRows


class FrailJournal:
    """A journal on a real file, behind a disk that can fail or hang."""

    def __init__(self, file: EvidenceFile) -> None:
        self.file = file
        self.broken = False
        self.hanging: asyncio.Event | None = None  # appends wait for it

    async def append(self, draft: Draft) -> int:
        if self.hanging is not None:
            await self.hanging.wait()
        if self.broken:
            raise JournalError("no space left on device")
        return await self.file.append(draft)

    async def head(self) -> Head:
        return await self.file.head()

    async def entries(self, after: int, limit: int) -> Sequence[Entry]:
        return await self.file.entries(after, limit)

    async def about(self, subject: str) -> Sequence[Entry]:
        return await self.file.about(subject)

    async def clear_values(self, hashes: Sequence[str]) -> Sequence[ClearValue]:
        return await self.file.clear_values(hashes)

    async def forget(self, before: int) -> int:
        return await self.file.forget(before)


class FrailStore:
    """A permit store that fails, before a change or after it, or goes back in time."""

    def __init__(self, file: EvidenceFile) -> None:
        self.file = file
        self.broken = False
        self.unsure = False  # a change is made, and nobody hears of it
        self.earlier = 0

    async def epoch(self) -> int:
        if self.broken:
            raise JournalError("the disk is gone")
        return await self.file.epoch() - self.earlier

    async def load(self) -> RegisterRows:
        return await self.file.load()

    async def change(self, epoch: int, rows: Sequence[RegisterRow], draft: Draft) -> int:
        if self.broken:
            raise JournalError("the disk is gone")
        made = await self.file.change(epoch, rows, draft)
        if self.unsure:
            raise JournalError("the disk is gone")
        return made

    async def versions(self, kind: str, key: str) -> Sequence[RegisterRow]:
        return await self.file.versions(kind, key)
