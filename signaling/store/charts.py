"""What the console's charts show, counted by the database in spans of equal length."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, case, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from signaling.store.steps import Statement, Steps, number, survey
from signaling.store.tables import call, heard, journal_entry, leg


class Said(FunctionElement[str]):
    """The `reason` in an entry's body, which is JSON."""

    type = Text()
    inherit_cache = True


@compiles(Said, "sqlite")
def _said_on_sqlite(element: Said, compiler: Any, **more: Any) -> str:
    return f"json_extract({compiler.process(element.clauses, **more)}, '$.reason')"


@compiles(Said, "postgresql")
def _said_on_postgresql(element: Said, compiler: Any, **more: Any) -> str:
    return f"({compiler.process(element.clauses, **more)}::json ->> 'reason')"


def span_of(at: ColumnElement[int]) -> ColumnElement[int]:
    """In which span this moment is, counted from `since`."""
    return ((at - number("since")) // number("width")).label("span")


def within(at: ColumnElement[int]) -> ColumnElement[bool]:
    return and_(at >= number("since"), at < number("until"))


_REFUSED = call.c.reason == "refused"
_WAITED = case((call.c.answered_at >= call.c.offered_at, call.c.answered_at - call.c.offered_at))
CALLS = Statement(
    select(
        span_of(call.c.offered_at),
        func.count(),
        func.count(call.c.answered_at),
        func.sum(case((_REFUSED, 1), else_=0)),
        func.sum(_WAITED),
        func.max(_WAITED),
    )
    .where(within(call.c.offered_at))
    .group_by("span")
)
# By the decision's reason; what no decision refused, by the call's own.
_WHY = func.coalesce(Said(journal_entry.c.body), call.c.reason).label("why")
_DECIDED = and_(journal_entry.c.subject == call.c.decision, journal_entry.c.kind == "decision")
REFUSALS = Statement(
    select(span_of(call.c.offered_at), _WHY, func.count())
    .select_from(call.outerjoin(journal_entry, _DECIDED))
    .where(within(call.c.offered_at), _REFUSED)
    .group_by("span", "why")
)


SOUND = Statement(
    select(span_of(leg.c.begun_at), func.sum(leg.c.packets), func.sum(leg.c.lost), func.avg(leg.c.jitter))
    .where(within(leg.c.begun_at), leg.c.packets.is_not(None))
    .group_by("span")
)
# Of calls between apps, by the word of both devices.
HEARD = Statement(
    select(
        span_of(heard.c.at),
        func.sum(heard.c.packets),
        func.sum(heard.c.lost),
        func.avg(heard.c.jitter),
        func.avg(heard.c.round_trip),
    )
    .where(within(heard.c.at))
    .group_by("span")
)


@survey
def charts(since: int, until: int, width: int) -> Steps:
    """Rows of (span, ...) in no order; a span in which nothing was has none."""
    asked = {"since": since, "until": until, "width": width}
    calls: Sequence[tuple[Any, ...]] = yield CALLS, asked
    refusals = yield REFUSALS, asked
    sound = yield SOUND, asked
    said = yield HEARD, asked
    return [
        [tuple(map(whole, row)) for row in calls],
        [tuple(row) for row in refusals],
        [tuple(map(whole, row)) for row in sound],
        [(*map(whole, row[:4]), None if row[4] is None else whole(row[4])) for row in said],
    ]


def whole(value: Any) -> int:
    """PostgreSQL sums whole numbers to decimals, and nothing to nothing; a mean has a fraction."""
    return int(value or 0)
