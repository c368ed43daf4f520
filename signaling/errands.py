"""Errands: slow work that is started beside the frames, and waited for only at the end."""

import asyncio
import logging
from collections.abc import Awaitable
from typing import TypeVar

log = logging.getLogger(__name__)
Result = TypeVar("Result")


class Errands:
    """Holds tasks until they are done, as the loop itself does not, and logs those that fail."""

    def __init__(self, what: str) -> None:
        """`what` they are, for the log."""
        self._what = what
        self._tasks: set[asyncio.Task[object]] = set()

    def start(self, work: Awaitable[Result]) -> asyncio.Task[Result]:
        """Begin one."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    async def close(self, within: float | None = None) -> None:
        """Wait for all, and for those that they start; after `within` seconds they are given up."""
        try:
            async with asyncio.timeout(within):
                while self._tasks:
                    await asyncio.wait(self._tasks)
        except TimeoutError:
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks)

    def _finished(self, task: asyncio.Task[Result]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s failed", self._what, exc_info=error)
