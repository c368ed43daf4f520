"""Errands are held until they are done, and one that fails is heard of."""

import asyncio

import pytest

from signaling.errands import Errands


async def test_closing_waits_for_what_was_started_and_for_what_that_starts() -> None:
    errands, done = Errands("an errand"), []

    async def second() -> None:
        done.append("second")

    async def first() -> None:
        await asyncio.sleep(0)
        done.append("first")
        errands.start(second())

    errands.start(first())
    await errands.close()
    assert done == ["first", "second"]


async def test_a_failure_is_logged_and_stops_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    errands = Errands("an errand")

    async def fails() -> None:
        raise RuntimeError("no way")

    async def works() -> int:
        return 1

    errands.start(fails())
    assert await errands.start(works()) == 1
    await errands.close()
    (record,) = caplog.records
    assert record.message == "an errand failed"
    assert record.exc_info is not None and str(record.exc_info[1]) == "no way"


async def test_one_that_is_cancelled_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    errands = Errands("an errand")
    errands.start(asyncio.Event().wait()).cancel()
    await errands.close()
    assert not caplog.records
