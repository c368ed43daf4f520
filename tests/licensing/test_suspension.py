"""Several suspensions of one permit: each order holds in its own time, and is lifted alone."""

from datetime import datetime, timedelta

import pytest

from licensing.documents import ChangeError
from licensing.permit import Standing, standing
from licensing.register import Register
from tests.fakes.clock import HandClock
from tests.licensing.conftest import BASIC

DAY = timedelta(days=1)


@pytest.fixture
async def permits(register: Register) -> Register:
    await register.add_permit(BASIC, by="root", why="granted")
    return register


def suspended_on(register: Register, clock: HandClock, *days: int) -> list[bool]:
    permit = register.snapshot.permit("basic-1")
    assert permit is not None
    at = [clock.now().utc_ns + day * 24 * 3600 * 10**9 for day in days]
    return [standing(permit, "UTC", moment) is Standing.SUSPENDED for moment in at]


async def suspend(register: Register, start: datetime | None, end: datetime | None, order: str) -> None:
    await register.suspend("basic-1", by="root", why=order, start=start, end=end, reference=order)


async def lift(register: Register) -> None:
    for operator in ("root", "vera"):
        await register.reinstate("basic-1", by=operator, why="lifted")


@pytest.mark.parametrize("until", [20, None])
async def test_a_suspension_at_once_is_taken_beside_one_that_was_announced(
    permits: Register, clock: HandClock, until: int | None
) -> None:
    now = clock.now().utc
    await suspend(permits, now + 10 * DAY, None if until is None else now + until * DAY, "announced")
    await suspend(permits, None, None, "at once")
    assert suspended_on(permits, clock, 0, 9, 10, 19, 20, 99) == [True] * 6
    clock.advance(3600)
    await lift(permits)
    assert suspended_on(permits, clock, 0, 9) == [False, False]
    assert suspended_on(permits, clock, 10, 19) == [True, True], "the other order stands"
    assert suspended_on(permits, clock, 20, 99) == [until is None] * 2


async def test_a_suspension_between_others_fills_what_they_leave(permits: Register, clock: HandClock) -> None:
    now = clock.now().utc
    await suspend(permits, now + 2 * DAY, now + 3 * DAY, "one")
    await suspend(permits, now + 5 * DAY, now + 6 * DAY, "two")
    await suspend(permits, now, now + 7 * DAY, "three")
    assert suspended_on(permits, clock, *range(9)) == [True] * 7 + [False] * 2
    with pytest.raises(ChangeError, match="is suspended all that time already"):
        await suspend(permits, now + DAY, now + 4 * DAY, "four")


async def test_what_was_only_announced_is_taken_back_by_two(permits: Register, clock: HandClock) -> None:
    await suspend(permits, clock.now().utc + DAY, None, "announced")
    await lift(permits)
    assert suspended_on(permits, clock, 0, 1, 9) == [False] * 3
    with pytest.raises(ChangeError, match="is not suspended"):
        await permits.reinstate("basic-1", by="root", why="again")
