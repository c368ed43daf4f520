"""Alarms ring in the order of their deadlines; one that was cancelled does not, and does not stay."""

from functools import partial

import pytest

from licensing.instant import SECOND
from signaling.pstn.sip.timers import FEW, Timers
from tests.fakes.clock import START, HandClock

NOW = START.mono_ns


def test_alarms_ring_in_the_order_of_their_deadlines() -> None:
    clock, rung = HandClock(), list[int]()
    timers = Timers(clock)
    for when in (30, 10, 20, 10):
        timers.at(NOW + when * SECOND, partial(rung.append, when))
    clock.advance(20)
    assert rung == [10, 10, 20]
    clock.advance(10)
    assert rung == [10, 10, 20, 30]
    assert len(timers) == 0


def test_a_cancelled_alarm_does_not_ring() -> None:
    clock, rung = HandClock(), list[str]()
    timers = Timers(clock)
    early = timers.at(NOW + 10, partial(rung.append, "early"))
    late = timers.at(NOW + 20, partial(rung.append, "late"))
    timers.cancel(early)
    timers.cancel(early)
    clock.advance(1)
    timers.cancel(late)  # it has rung
    assert rung == ["late"]


def test_many_cancelled_alarms_take_no_room() -> None:
    timers = Timers(HandClock())
    kept = [timers.at(NOW + SECOND, lambda: None) for _ in range(10)]
    for when in range(10 * FEW):
        timers.cancel(timers.at(NOW + SECOND + when, lambda: None))
    assert len(timers) <= FEW + len(kept) + 1


def test_an_alarm_that_fails_stops_no_other() -> None:
    clock, rung = HandClock(), list[int]()
    timers = Timers(clock)

    def fails() -> None:
        raise RuntimeError("nobody thought of this")

    timers.at(NOW + SECOND, fails)
    timers.at(NOW + 2 * SECOND, partial(rung.append, 2))
    with pytest.raises(RuntimeError):
        clock.advance(1)
    clock.advance(1)
    assert rung == [2]


def test_who_waits_for_a_moment_may_forbid_it() -> None:
    clock, rung = HandClock(), list[str]()
    timers = Timers(clock)
    forbid = timers.call_at(timers.now().after(SECOND), partial(rung.append, "forbidden"))
    timers.call_at(timers.now().after(SECOND), partial(rung.append, "wanted"))
    forbid()
    clock.advance(1)
    assert rung == ["wanted"]


def test_nothing_rings_after_the_end_not_even_what_is_asked_for_then() -> None:
    """A BYE that a connection was closed under is not to open another one after its user agent is gone."""
    clock, rung = HandClock(), list[str]()
    timers = Timers(clock)
    timers.at(NOW + 10, partial(rung.append, "before"))
    timers.close()
    timers.at(NOW + 20, partial(rung.append, "after"))
    clock.advance(1)
    assert rung == []
