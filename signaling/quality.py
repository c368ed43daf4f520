"""How good a call sounds, judged by what was counted: as the callers' app judges it for its bars."""

from dataclasses import dataclass
from typing import Literal

Rating = Literal["good", "fair", "poor"]


@dataclass(frozen=True, slots=True)
class Counts:
    """What came to one end of a call since it began, or to the bridge from that end; times in µs."""

    packets: int
    lost: int
    jitter: int
    round_trip: int | None


@dataclass(frozen=True, slots=True)
class Bound:
    """What a call is worse than if it has more of one of these: share of packets, µs."""

    lost: float
    round_trip: int
    jitter: int


# `wephone/web/app/quality.js` has the same ones, in seconds.
POOR = Bound(lost=0.1, round_trip=400_000, jitter=80_000)
FAIR = Bound(lost=0.03, round_trip=200_000, jitter=40_000)


def rated(counts: Counts) -> Rating:
    """By the worst of its figures."""
    if is_beyond(POOR, counts):
        return "poor"
    return "fair" if is_beyond(FAIR, counts) else "good"


def is_beyond(bound: Bound, counts: Counts) -> bool:
    """Is any figure worse than this?"""
    share = counts.lost / max(1, counts.packets + counts.lost)
    return share > bound.lost or (counts.round_trip or 0) > bound.round_trip or counts.jitter > bound.jitter
