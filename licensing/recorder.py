"""Gets entries into the journal in the time that a call can wait, and later those that could not wait.

What is not durable in time is kept in memory, with the time it speaks of, and chained as soon as the journal
takes entries again. An operator is told while that lasts.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from licensing.alarms import Alarm, Alarms
from licensing.audit import Draft, canonical
from licensing.ports import Journal

MOST_SPOOLED = 50_000  # entries, some 100 MB: a journal this far behind is not coming back by itself
AGAIN = 0.5  # seconds between two tries of a journal that failed
LAST_TRY = 5.0  # seconds that `close` gives it

log = logging.getLogger(__name__)


class Recorder:
    """Writes drafts to a journal that may be slow, or fail, or be away for a while."""

    def __init__(self, journal: Journal, alarms: Alarms, wrote: Callable[[int], None]) -> None:
        self._journal, self._alarms, self._wrote = journal, alarms, wrote
        self._spool: deque[Draft] = deque()
        self._lost: list[int] = []  # the times of entries that found no room
        self._writing: set[asyncio.Task[bool]] = set()
        self._emptying: asyncio.Task[None] | None = None

    @property
    def spooled(self) -> int:
        """How many entries wait for the journal to come back."""
        return len(self._spool)

    async def write(self, draft: Draft, within: float, *, keep: bool = True) -> bool:
        """Is it durable within so many seconds? If not, it goes on being written.

        When that fails in the end it is spooled, unless `keep` is false: then another entry stands for it.
        """
        return await self.durable(self.begin(draft, keep=keep), within)

    def begin(self, draft: Draft, *, keep: bool = True) -> "asyncio.Task[bool]":
        """Begin to write it: it is on its way before anything that is started after this."""
        task = asyncio.ensure_future(self._written(draft, keep))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        return task

    async def durable(self, task: "asyncio.Task[bool]", within: float) -> bool:
        """Is what was begun durable within so many seconds? If not, it goes on being written."""
        done, _ = await asyncio.wait({task}, timeout=within)
        if done:
            return task.result()
        self._alarms.sound(Alarm.JOURNAL_SLOW, f"an entry took longer than {within * 1000:.0f} ms")
        return False

    def later(self, draft: Draft) -> None:
        """Chain it when the journal takes entries again."""
        if len(self._spool) >= MOST_SPOOLED:
            self._lost.append(draft.at)
            return
        self._spool.append(draft)
        if self._emptying is None or self._emptying.done():
            self._emptying = asyncio.create_task(self._empty())

    async def close(self) -> None:
        """Let what is being written end, and give the journal a last chance."""
        if self._writing:
            await asyncio.wait(self._writing, timeout=LAST_TRY)
        if self._emptying is not None and not self._emptying.done():
            await asyncio.wait([self._emptying], timeout=LAST_TRY)
            self._emptying.cancel()
            await asyncio.wait([self._emptying])
        if self._spool or self._lost:
            log.critical("entries lost with the journal: %d", len(self._spool) + len(self._lost))

    async def _written(self, draft: Draft, keep: bool) -> bool:
        try:
            await self._journal.append(draft)
        except Exception as error:  # whatever it was, the entry is not durable, and that is all that counts
            self._alarms.sound(Alarm.JOURNAL_FAILED, str(error) or repr(error))
            if keep:
                self.later(draft)
            return False
        self._took(draft)
        return True

    async def _empty(self) -> None:
        """Chain what is spooled, oldest first, until nothing is left."""
        while self._spool or self._lost:
            if not self._spool:
                self._spool.append(self._loss())
            draft = self._spool[0]
            try:
                await self._journal.append(draft)
            except Exception as error:  # as above; another try follows
                self._alarms.sound(Alarm.JOURNAL_FAILED, str(error) or repr(error))
                await asyncio.sleep(AGAIN)
            else:
                self._spool.popleft()
                self._took(draft)

    def _loss(self) -> Draft:
        """That entries are missing, said in the chain itself."""
        first, last, count = min(self._lost), max(self._lost), len(self._lost)
        self._lost.clear()
        return Draft("lost", "journal", last, canonical({"count": count, "from": first, "until": last}))

    def _took(self, draft: Draft) -> None:
        self._wrote(draft.at)
        self._alarms.clear(Alarm.JOURNAL_SLOW)
        if not self._spool:
            self._alarms.clear(Alarm.JOURNAL_FAILED)
