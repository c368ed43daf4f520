"""Every order of events in small worlds of two users: what a call promises holds in each of them.

At most one device answers, every ring ends, after glare there is one call, both ends agree how it ended,
nothing of the callee reaches the caller and no microphone opens before the answer counts. `switch.py` and
`world.py` say where each is looked at.
"""

import random
import sys
from collections.abc import Iterator

import pytest

from signaling.core.call import Phase
from signaling.core.events import Event
from signaling.core.table import TRANSITIONS
from tests.simulation import worlds
from tests.simulation.device import Broken
from tests.simulation.search import Found, explore, forget
from tests.simulation.world import Rules

ROWS = [(phase, event) for phase, rows in TRANSITIONS.items() for event in rows]
# Rows that the fast tier takes out and proves to be missed, chosen by the seed; the long run takes out all.
REMOVED = 12


def named(rules: Rules) -> str:
    """How pytest shows a world."""
    return rules.name


@pytest.fixture(scope="module")
def found() -> dict[str, Found]:
    """What the searches of this run have found, for the tests after them."""
    return {}


@pytest.mark.parametrize("rules", worlds.FAST, ids=named)
def test_a_small_world_keeps_its_promises_in_every_order_of_events(
    rules: Rules, found: dict[str, Found], capsys: pytest.CaptureFixture[str]
) -> None:
    found[rules.name] = explore(rules)
    with capsys.disabled():
        sys.stdout.write(f"\n  {found[rules.name]}\n")
    assert found[rules.name].states > 100
    assert found[rules.name].over > 10


@pytest.mark.long
@pytest.mark.parametrize("rules", worlds.FULL, ids=named)
def test_a_world_with_every_freedom_keeps_its_promises(
    rules: Rules, capsys: pytest.CaptureFixture[str]
) -> None:
    forget()
    larger = explore(rules)
    with capsys.disabled():
        sys.stdout.write(f"\n  {larger}\n")
    assert larger.over > 10


def test_the_worlds_need_every_row_of_the_table(found: dict[str, Found]) -> None:
    searched(found)
    needed = frozenset[object]().union(*(each.rows for each in found.values()))
    assert [row for row in ROWS if row not in needed] == []


def test_without_any_one_row_some_world_breaks(
    found: dict[str, Found], full_size: bool, dice: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched(found)
    rows = ROWS if full_size else dice.sample(ROWS, REMOVED)
    for phase, event in rows:
        rules = smallest(found, phase, event)
        with monkeypatch.context() as patch:
            rest = {other: step for other, step in TRANSITIONS[phase].items() if other is not event}
            patch.setitem(TRANSITIONS, phase, rest)  # put back whole, in its order
            forget()
            with pytest.raises(Broken, match=f"{event.__name__} has no row in {phase}"):
                explore(rules)
    forget()


@pytest.fixture(autouse=True, scope="module")
def memory_given_back() -> Iterator[None]:
    """What the searches remember is of no use to other tests."""
    yield
    forget()


def searched(found: dict[str, Found]) -> None:
    """Search what this run has not searched yet: a test may run alone."""
    for rules in worlds.FAST:
        if rules.name not in found:
            found[rules.name] = explore(rules)


def smallest(found: dict[str, Found], phase: Phase, event: type[Event]) -> Rules:
    """The smallest world that needs this row."""
    needing = [rules for rules in worlds.FAST if (phase, event) in found[rules.name].rows]
    return min(needing, key=lambda rules: found[rules.name].states)
