"""How good a call is said to sound: to operators as to those who talk in it."""

import re
from pathlib import Path

import pytest

from signaling.quality import FAIR, POOR, Bound, Counts, rated

APP = Path(__file__).parents[2] / "wephone" / "web" / "app" / "quality.js"
GOOD = Counts(packets=970, lost=30, jitter=40_000, round_trip=200_000)


@pytest.mark.parametrize(
    ("counts", "rating"),
    [
        (GOOD, "good"),
        (Counts(1, 0, 0, None), "good"),
        (Counts(969, 31, 0, None), "fair"),
        (Counts(900, 100, 80_000, 400_000), "fair"),
        (Counts(970, 30, 40_001, None), "fair"),
        (Counts(970, 30, 0, 200_001), "fair"),
        (Counts(899, 101, 0, None), "poor"),
        (Counts(1000, 0, 80_001, None), "poor"),
        (Counts(1000, 0, 0, 400_001), "poor"),
        (Counts(0, 9, 0, None), "poor"),
    ],
)
def test_a_call_is_as_good_as_the_worst_of_its_figures(counts: Counts, rating: str) -> None:
    assert rated(counts) == rating


@pytest.mark.parametrize(("name", "bound"), [("POOR", POOR), ("FAIR", FAIR)])
def test_operators_and_callers_are_told_by_the_same_bounds(name: str, bound: Bound) -> None:
    found = re.search(rf"const {name} = {{ lost: (.+), roundTrip: (.+), jitter: (.+) }};", APP.read_text())
    assert found is not None
    lost, trip, jitter = map(float, found.groups())
    assert (bound.lost, bound.round_trip, bound.jitter) == (lost, round(trip * 1e6), round(jitter * 1e6))
