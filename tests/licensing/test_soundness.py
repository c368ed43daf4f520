"""Whether the clock can be believed."""

import pytest

from licensing.soundness import ClockWatch
from tests.fakes.clock import HandClock


@pytest.fixture
def watch(clock: HandClock) -> ClockWatch:
    watch = ClockWatch()
    assert watch.fault(clock.now()) is None
    return watch


@pytest.mark.parametrize(("behind", "sound"), [(0, True), (2, True), (2.001, False), (3600, False)])
def test_a_clock_behind_the_newest_entry_is_unsound(
    watch: ClockWatch, clock: HandClock, behind: float, sound: bool
) -> None:
    watch.wrote(clock.now().utc_us + int(behind * 1_000_000))
    watch.wrote(1)  # an older one changes nothing
    assert (watch.fault(clock.now()) is None) is sound
    assert watch.fault(clock.advance(behind)) is None, "until it has caught up"


@pytest.mark.parametrize(("back", "sound"), [(5, True), (5.001, False), (86_400, False)])
def test_a_clock_that_was_set_back_is_unsound_until_it_is_set_right(
    watch: ClockWatch, clock: HandClock, back: float, sound: bool
) -> None:
    clock.advance(60)
    clock.set_utc(-back)
    assert (watch.fault(clock.now()) is None) is sound
    assert (watch.fault(clock.advance(100_000)) is None) is sound, "waiting makes it no better"
    clock.set_utc(back)
    assert watch.fault(clock.now()) is None


def test_small_steps_back_add_up(watch: ClockWatch, clock: HandClock) -> None:
    for _ in range(6):
        clock.advance(60)
        clock.set_utc(-1)
        fault = watch.fault(clock.now())
    assert fault == "the clock was set back by 6 s while the server ran"


def test_a_forward_jump_is_believed(watch: ClockWatch, clock: HandClock) -> None:
    clock.set_utc(365 * 86_400)
    assert watch.fault(clock.now()) is None


def test_the_kernel_is_asked_where_that_is_wanted(clock: HandClock) -> None:
    answers = [True, False]
    watch = ClockWatch(lambda: answers.pop(0))
    assert watch.fault(clock.now()) is None
    assert watch.fault(clock.advance(1)) == "the kernel says that the clock is not synchronised"
