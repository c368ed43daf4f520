"""What the console draws: calls, refusals by reason and waiting for answers, of an hour, a day or a week."""

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from signaling.api.routes import Routes, Rule
from signaling.api.visit import Visit
from signaling.ports.calls import CallsOfSpan, RefusalsOfSpan, SoundOfSpan
from wephone.protocol.messages import Microseconds, Model

routes = Routes()

MILLISECOND = 1_000  # microseconds
SECOND = 1_000 * MILLISECOND
MINUTE = 60 * SECOND
# How long a span of each period is, and how many of them there are.
PERIODS = {"hour": (2 * MINUTE, 30), "day": (30 * MINUTE, 48), "week": (180 * MINUTE, 56)}
REASONS = 4  # that are drawn by themselves; the rest together


class ChartQuery(Model):
    """Up to now, over which time."""

    period: Literal["hour", "day", "week"] = "day"


class Refusals(Model):
    """Of one reason, by span; `reason` is none for all that are rarer than those that are named."""

    reason: str | None
    counts: tuple[int, ...]


class Charts(Model):
    """By spans of `width` seconds, each with its beginning; none where nothing was.

    The wait is from offered to answered, in seconds. Of telephone legs: percent of packets that were lost on
    the way to the bridge, and mean jitter in milliseconds. Of calls between apps (`app_...`) the same by the
    word of their devices, and the mean round trip between them in milliseconds.
    """

    width: int
    at: tuple[Microseconds, ...]
    placed: tuple[int, ...]
    answered: tuple[int, ...]
    refused: tuple[int, ...]
    wait: tuple[float | None, ...]
    longest_wait: tuple[float | None, ...]
    refusals: tuple[Refusals, ...]
    lost: tuple[float | None, ...]
    jitter: tuple[float | None, ...]
    app_lost: tuple[float | None, ...]
    app_jitter: tuple[float | None, ...]
    app_round_trip: tuple[float | None, ...]


@routes.add("GET", "/api/operator/charts", Rule.AUDITOR)
async def charts(visit: Visit, query: ChartQuery) -> Charts:
    """Calls placed, answered and refused, why, and how long people waited, over time."""
    width, spans = PERIODS[query.period]
    until = (visit.parts.now_us() // width + 1) * width  # the last span is the one that we are in
    since = until - spans * width
    found = await visit.parts.store.charts(since, until, width)
    rows = [CallsOfSpan(span, 0, 0, 0, 0, 0) for span in range(spans)]
    for row in found.calls:
        rows[row.span] = row
    sound, heard = in_order(found.sound, spans), in_order(found.heard, spans)
    return Charts(
        width=width // SECOND,
        at=tuple(since + span * width for span in range(spans)),
        placed=tuple(row.placed for row in rows),
        answered=tuple(row.answered for row in rows),
        refused=tuple(row.refused for row in rows),
        wait=tuple(row.waited / row.answered / SECOND if row.answered else None for row in rows),
        longest_wait=tuple(row.longest / SECOND if row.answered else None for row in rows),
        refusals=tuple(by_reason(found.refusals, spans)),
        lost=tuple(map(percent_lost, sound)),
        jitter=tuple(None if each is None else each.jitter / MILLISECOND for each in sound),
        app_lost=tuple(map(percent_lost, heard)),
        app_jitter=tuple(None if each is None else each.jitter / MILLISECOND for each in heard),
        app_round_trip=tuple(map(round_trip, heard)),
    )


def in_order(rows: Sequence[SoundOfSpan], spans: int) -> list[SoundOfSpan | None]:
    """One for each span."""
    known = {each.span: each for each in rows}
    return [known.get(span) for span in range(spans)]


def percent_lost(sound: SoundOfSpan | None) -> float | None:
    """Of the packets that were sent to us; none where nobody was heard."""
    sent = 0 if sound is None else sound.packets + sound.lost
    return None if sound is None or not sent else 100 * sound.lost / sent


def round_trip(sound: SoundOfSpan | None) -> float | None:
    """In milliseconds, if anybody could tell."""
    return None if sound is None or sound.round_trip is None else sound.round_trip / MILLISECOND


def by_reason(rows: Sequence[RefusalsOfSpan], spans: int) -> list[Refusals]:
    """The commonest reasons first, then the others together."""
    totals: Counter[str] = Counter()
    for row in rows:
        totals[row.why] += row.count
    named = [why for why, _ in totals.most_common(REASONS)]
    counts: dict[str | None, list[int]] = {
        why: [0] * spans for why in [*named, *([None] if len(totals) > REASONS else [])]
    }
    for row in rows:
        counts[row.why if row.why in named else None][row.span] += row.count
    return [Refusals(reason=why, counts=tuple(each)) for why, each in counts.items()]
