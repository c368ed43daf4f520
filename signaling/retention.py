"""The nightly job that deletes what is too old, class by class."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from licensing.instant import SECOND
from signaling.metrics import Metrics
from signaling.ports.clock import Cancel, Clock
from signaling.ports.store import Store, StoreError

DAY = 24 * 3600  # seconds
DAY_US = DAY * 1_000_000

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Schedule:
    """For how many days each class is kept, and at which second of the UTC day the rest is deleted."""

    days: Mapping[str, int]  # class of signaling.ports.store.Upkeep.purge -> days
    second: int


class Retention:
    """Runs once a day from `start` to `close`, and at once where a machine was off at night."""

    def __init__(self, store: Store, clock: Clock, metrics: Metrics, schedule: Schedule) -> None:
        self._store, self._clock, self._metrics, self._schedule = store, clock, metrics, schedule
        self._cancel: Cancel | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Make up for a night that was missed, and wait for the next one."""
        self._task = asyncio.get_running_loop().create_task(self._catch_up())
        self._wait()

    def _wait(self) -> None:
        now = self._clock.now()
        seconds = until(now.utc_ns / SECOND, self._schedule.second)
        self._cancel = self._clock.call_at(now.after(int(seconds * SECOND)), self._night)

    async def close(self) -> None:
        """Not tonight."""
        if self._cancel is not None:
            self._cancel()
        if self._task is not None:
            await asyncio.wait((self._task,))

    async def run(self) -> dict[str, int]:
        """Delete what is too old now; how many rows of each class."""
        gone = {}
        now = self._clock.now().utc_us
        for kind, days in self._schedule.days.items():
            try:
                # A clear value knows its own last day.
                before = now if kind == "clear_values" else now - days * DAY_US
                gone[kind] = await self._store.purge(kind, before)
            except StoreError:
                log.exception("retention failed", extra={"kind": kind})
                continue
            self._metrics.purged(kind, gone[kind])
        log.info("retention done", extra={"gone": gone})
        if len(gone) == len(self._schedule.days):
            await self._note(now)
        return gone

    async def _catch_up(self) -> None:
        now = self._clock.now().utc_us
        try:
            last = await self._store.purged_at()
        except StoreError:
            log.exception("retention does not know when it last ran")
            return
        if last is None:
            await self._note(now)  # a new database has nothing that is old; any other waits a day at most
        elif now - last >= DAY_US:
            await self.run()

    async def _note(self, now: int) -> None:
        try:
            await self._store.note_purge(now)
        except StoreError:
            log.exception("retention cannot note that it ran")

    def _night(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._after(self._task))
        self._wait()

    async def _after(self, running: asyncio.Task[None] | None) -> None:
        if running is not None:
            await asyncio.wait((running,))
        await self.run()


def until(now_s: float, second: int) -> float:
    """Seconds from now to the next time that the UTC day is so old; a whole day if that is now."""
    return (second - now_s % DAY) % DAY or DAY
