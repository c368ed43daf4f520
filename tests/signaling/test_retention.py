"""What is too old goes at night, class by class."""

import asyncio

from signaling.metrics import Metrics
from signaling.ports.store import StoreError
from signaling.retention import DAY, DAY_US, Retention, Schedule, until
from tests.fakes.clock import START, HandClock


class Rows:
    """Remembers what it was asked to delete. `broken` is a class that cannot be."""

    def __init__(self, broken: str = "") -> None:
        self.broken = broken
        self.asked: list[tuple[str, int]] = []
        self.noted: list[int] = []
        self.news = asyncio.Event()

    async def purge(self, kind: str, before: int) -> int:
        self.asked.append((kind, before))
        self.news.set()
        if kind == self.broken:
            raise StoreError("the disk is full")
        return 3

    async def purged_at(self) -> int | None:
        return self.noted[-1] if self.noted else None

    async def note_purge(self, at: int) -> None:
        self.noted.append(at)


def retention(rows: Rows, clock: HandClock, metrics: Metrics, days: dict[str, int]) -> Retention:
    return Retention(rows, clock, metrics, Schedule(days, 3 * 3600))  # type: ignore[arg-type]  # a part of a store


async def test_each_class_is_kept_for_its_own_time() -> None:
    rows, clock = Rows(), HandClock()
    job = retention(rows, clock, Metrics(), {"texts": 10, "calls": 20, "clear_values": 30})
    assert await job.run() == {"texts": 3, "calls": 3, "clear_values": 3}
    now = clock.now().utc_us
    assert rows.asked == [("texts", now - 10 * DAY_US), ("calls", now - 20 * DAY_US), ("clear_values", now)]


async def test_one_class_that_fails_does_not_keep_the_others() -> None:
    rows = Rows(broken="texts")
    gone = await retention(rows, HandClock(), Metrics(), {"texts": 1, "calls": 1}).run()
    assert gone == {"calls": 3}


async def test_it_runs_each_night_and_is_counted() -> None:
    rows, clock, metrics = Rows(), HandClock(), Metrics()
    job = retention(rows, clock, metrics, {"texts": 1})
    job.start()
    to_the_night = until(START.utc_ns / 1e9, 3 * 3600)
    clock.advance(to_the_night - 1)
    assert rows.asked == []
    for night in range(1, 4):
        rows.news.clear()
        clock.advance(1 if night == 1 else DAY)
        await rows.news.wait()
        await asyncio.sleep(0)
        assert len(rows.asked) == night
    await job.close()
    assert b'wephone_rows_purged_total{kind="texts"} 9.0' in metrics.text()
    clock.advance(2 * DAY)
    assert len(rows.asked) == 3


async def test_a_machine_that_is_off_at_night_deletes_when_it_is_started() -> None:
    rows, clock = Rows(), HandClock()

    async def started() -> int:
        """And soon switched off again; how much was deleted."""
        asked = len(rows.asked)
        job = retention(rows, clock, Metrics(), {"texts": 1})
        job.start()
        await job.close()
        return len(rows.asked) - asked

    assert await started() == 0  # all is new
    clock.advance(DAY)
    assert await started() == 1
    clock.advance(3600)
    assert await started() == 0  # started once more on the same day
    clock.advance(7 * DAY)
    rows.broken = "texts"
    assert await started() == 1
    assert await started() == 1  # what failed is done again


def test_the_next_night_is_never_now() -> None:
    assert until(0, 3600) == 3600
    assert until(3600, 3600) == DAY
    assert until(3601, 3600) == DAY - 1
    assert until(10 * DAY + 7200, 3600) == DAY - 3600
