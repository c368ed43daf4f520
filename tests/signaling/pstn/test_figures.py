"""How telephone legs sound is asked of what carries them: a little at a time, not often, and not for long."""

import asyncio
from collections import Counter

import pytest

from signaling.media import Capability, MediaBackend, MediaError, Problem, Statistics, Tally
from signaling.pstn import figures
from signaling.pstn.figures import AT_ONCE, Figures
from tests.fakes.clock import HandClock

SAID = Statistics(Tally(received=500, lost=2), Tally(received=490))
LEGS = [f"leg-{number}" for number in range(3 * AT_ONCE)]


class Asked(MediaBackend):
    """Counts what it is asked, and answers when it is let."""

    capabilities = frozenset(Capability)

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.at_once = self.most = 0
        self.idle = asyncio.Event()
        self.refuses: dict[str, Exception] = {}
        self.silent: set[str] = set()

    async def statistics(self, leg: str) -> Statistics:
        self.asked[leg] += 1
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            await (asyncio.Event().wait() if leg in self.silent else asyncio.sleep(0))
        finally:
            self.at_once -= 1
            if not self.at_once:
                self.idle.set()
        if leg in self.refuses:
            raise self.refuses[leg]
        return SAID


@pytest.fixture
def sound() -> Asked:
    return Asked()  # type: ignore[abstract]  # nothing else is asked of it


async def test_each_leg_is_asked_about_once_in_a_while_and_few_at_a_time(sound: Asked) -> None:
    clock = HandClock()
    about = Figures(sound, clock)
    assert await about.of([]) == {}
    first, again = await about.of(LEGS), await about.of(LEGS)
    assert first == again == dict.fromkeys(LEGS, SAID)
    assert set(sound.asked.values()) == {1}
    assert sound.most == AT_ONCE
    clock.advance(2)
    await about.of(LEGS[:2])
    assert sound.asked[LEGS[0]] == sound.asked[LEGS[1]] == 2
    assert list(about._known) == LEGS[:2]  # of those nobody looks at nothing is kept


async def test_of_many_who_look_at_once_one_asks(sound: Asked) -> None:
    about = Figures(sound, HandClock())
    looks = await asyncio.gather(*[about.of(LEGS) for _ in range(5)])
    assert looks == [dict.fromkeys(LEGS, SAID)] * 5
    assert set(sound.asked.values()) == {1}
    assert sound.most == AT_ONCE


async def test_a_leg_that_nothing_is_said_about_is_missing_and_the_others_are_there(
    sound: Asked, caplog: pytest.LogCaptureFixture
) -> None:
    sound.refuses = {
        LEGS[1]: MediaError(Problem.UNKNOWN_LEG, "it is over"),
        LEGS[2]: RuntimeError("a mistake of ours"),
    }
    found = await Figures(sound, HandClock()).of(LEGS)
    assert [leg for leg in LEGS if leg not in found] == LEGS[1:3]
    assert [record.getMessage() for record in caplog.records] == ["how a leg sounds could not be found out"]


async def test_nobody_waits_for_long_and_nothing_goes_on_being_asked(
    sound: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "PATIENCE", 0.01)
    sound.silent = set(LEGS[AT_ONCE - 1 :])
    about = Figures(sound, HandClock())
    assert await about.of(LEGS) == dict.fromkeys(LEGS[: AT_ONCE - 1], SAID)
    assert len(sound.asked) == 2 * AT_ONCE - 1
    sound.idle.clear()
    await sound.idle.wait()


async def test_what_is_not_counted_is_not_told(sound: Asked) -> None:
    sound.capabilities = frozenset()
    assert await Figures(sound, HandClock()).of(LEGS[:1]) == {LEGS[0]: Statistics(SAID.app, Tally())}
