"""Windows in which a permit is suspended: one more beside those that are there, and lifting. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from licensing.instant import Instant
from licensing.permit import StatusEvent

_TICK = timedelta(microseconds=1)
_NEVER = datetime.max.replace(tzinfo=UTC)


def suspends(event: StatusEvent, now: Instant) -> bool:
    """A suspension that is not over."""
    return event.status == "suspended" and _end(event) > now.utc


def holds(event: StatusEvent, now: Instant) -> bool:
    """A suspension that has begun and is not over."""
    return suspends(event, now) and event.start <= now.utc


def with_window(events: Sequence[StatusEvent], window: StatusEvent) -> tuple[StatusEvent, ...]:
    """The events and this suspension, which fills what those that are there leave of it.

    Each order keeps its own window, so that lifting one leaves what another one says.
    """
    pieces, start = [], window.start
    for other in sorted((e for e in events if e.status == "suspended"), key=lambda e: e.start):
        if _end(other) <= start or other.start >= _end(window):
            continue
        if other.start > start:
            pieces.append(_piece(window, start, other.start))
        start = _end(other)
    if start < _end(window):
        pieces.append(_piece(window, start, window.end))
    return (*events, *pieces)


def lifted(events: Sequence[StatusEvent], now: Instant) -> tuple[StatusEvent, ...]:
    """Without the suspension that holds now, to its last piece; if none does, without those to come."""
    held = next((event for event in events if holds(event, now)), None)
    if held is None:
        return tuple(event for event in events if not suspends(event, now))
    ended = held.model_copy(update={"end": max(now.utc, held.start + _TICK)})
    later = {id(piece) for piece in _pieces_after(held, events)}
    return tuple(ended if event is held else event for event in events if id(event) not in later)


def _pieces_after(held: StatusEvent, events: Sequence[StatusEvent]) -> list[StatusEvent]:
    """What `with_window` made of the same order behind others: of the same words, with no gap between."""
    pieces, reached, before = [], held.end, held
    for event in sorted((e for e in events if e.status == "suspended"), key=lambda e: e.start):
        if event.start != reached:
            continue
        if not _is_same_order(event, before) and _is_same_order(event, held):
            pieces.append(event)
        reached, before = event.end, event
    return pieces


def _is_same_order(one: StatusEvent, other: StatusEvent) -> bool:
    return (one.reference, one.reason) == (other.reference, other.reason)


def _piece(window: StatusEvent, start: datetime, end: datetime | None) -> StatusEvent:
    return window.model_copy(update={"start": start, "end": end})


def _end(event: StatusEvent) -> datetime:
    return event.end or _NEVER
