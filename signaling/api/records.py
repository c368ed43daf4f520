"""Routes of operators about every call that was placed here: what `v_cdr` has, page by page."""

from typing import Annotated

from pydantic import StringConstraints

from signaling.api.history import LATEST, PAGE, Before, Limit
from signaling.api.routes import Routes, Rule
from signaling.api.visit import Visit
from signaling.ports import CallRecord
from wephone.protocol.ids import CallId, UserId
from wephone.protocol.messages import Media, Microseconds, Model
from wephone.protocol.reasons import EndReason

routes = Routes()


class RecordPage(Model):
    """Which calls: those placed before this moment, and at it those whose id comes after `call`."""

    before: Before = LATEST
    call: Annotated[str, StringConstraints(max_length=64)] = ""
    limit: Limit = PAGE


class Record(Model):
    """One call as operators see it. `callee` is a user's name or a masked number."""

    call: CallId
    caller: UserId
    callee: str
    media: tuple[Media, ...]
    offered_at: Microseconds
    answered_at: Microseconds | None
    ended_at: Microseconds | None
    reason: EndReason | None
    missed: bool
    decision: str | None


class Records(Model):
    """A page. `before` and `call` are the next one's, none on the last."""

    calls: tuple[Record, ...]
    before: Microseconds | None
    call: CallId | None


@routes.add("GET", "/api/operator/calls", Rule.AUDITOR)
async def call_records(visit: Visit, query: RecordPage) -> Records:
    """All calls, newest first."""
    rows = await visit.parts.store.records(query.before, query.call, query.limit)
    last = rows[-1] if len(rows) == query.limit else None
    return Records(
        calls=tuple(record(row) for row in rows),
        before=None if last is None else last.offered_at,
        call=None if last is None else last.call,
    )


def record(row: CallRecord) -> Record:
    """A call's row, without what is its callee's alone."""
    return Record(
        call=row.call,
        caller=row.caller,
        callee=row.callee,
        media=row.media,
        offered_at=row.offered_at,
        answered_at=row.answered_at,
        ended_at=row.ended_at,
        reason=row.reason,
        missed=row.missed,
        decision=row.decision,
    )
