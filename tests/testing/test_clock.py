"""The clock under a test's hand: timers fire in their order, each at its own moment."""

import asyncio
from datetime import UTC, datetime

import pytest

from licensing.instant import SECOND
from wephone.testing.clock import TestClock


async def test_timers_fire_in_their_order_and_each_at_its_own_moment() -> None:
    clock = TestClock()
    begun = clock.now().mono_ns
    fired: list[tuple[str, int]] = []
    for name, seconds in (("later", 60), ("sooner", 20)):
        deadline = clock.now().after(seconds * SECOND)
        clock.call_at(deadline, lambda name=name: fired.append((name, clock.now().mono_ns)))  # type: ignore[misc]
    await clock.advance(59)
    assert [name for name, _ in fired] == ["sooner"]
    await clock.advance(2)
    assert [name for name, _ in fired] == ["sooner", "later"]
    assert [round((at - begun) / SECOND) for _, at in fired] == [20, 60]


async def test_what_a_timer_starts_may_arm_the_next_one_within_the_same_stretch() -> None:
    clock = TestClock()
    beats: list[int] = []

    def beat() -> None:
        beats.append(clock.now().mono_ns)
        clock.call_at(clock.now().after(20 * SECOND), beat)

    clock.call_at(clock.now().after(20 * SECOND), beat)
    await clock.advance(100.5)
    assert len(beats) == 5


async def test_a_timer_that_was_cancelled_does_not_fire() -> None:
    clock = TestClock()
    fired: list[int] = []
    cancel = clock.call_at(clock.now().after(SECOND), lambda: fired.append(1))
    cancel()
    await clock.advance(10)
    assert not fired


async def test_time_passes_by_itself_too() -> None:
    clock = TestClock()
    fired = asyncio.Event()
    clock.call_at(clock.now().after(SECOND // 100), fired.set)
    await asyncio.wait_for(fired.wait(), 10)


async def test_what_is_left_of_a_timer_is_shorter_after_an_advance() -> None:
    clock = TestClock()
    fired = asyncio.Event()
    clock.call_at(clock.now().after(3600 * SECOND), fired.set)
    await clock.advance(3599.99)
    await asyncio.wait_for(fired.wait(), 10)


async def test_turning_the_calendar_moves_no_timer() -> None:
    clock = TestClock()
    fired: list[int] = []
    clock.call_at(clock.now().after(60 * SECOND), lambda: fired.append(1))
    clock.turn_to(datetime(2030, 1, 1, tzinfo=UTC))
    await clock.advance(1)
    assert clock.now().utc.year == 2030 and not fired
    with pytest.raises(ValueError, match="no time zone"):
        clock.turn_to(datetime(2030, 1, 1))  # noqa: DTZ001
