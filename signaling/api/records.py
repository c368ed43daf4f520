"""Routes of operators about every call that was placed here: what `v_cdr` has, page by page."""

from typing import Annotated

from pydantic import StringConstraints

from signaling.api.history import LATEST, PAGE, Before, Limit, Record, record
from signaling.api.routes import Routes, Rule
from signaling.api.visit import Visit
from wephone.protocol.ids import CallId
from wephone.protocol.messages import Microseconds, Model

routes = Routes()


class RecordPage(Model):
    """Which calls: those placed before this moment, and at it those whose id comes after `call`."""

    before: Before = LATEST
    call: Annotated[str, StringConstraints(max_length=64)] = ""
    limit: Limit = PAGE


class KnownCall(Record):
    """A call as operators see it. `trunk`: the carrier's line that was tried last, of a telephone call."""

    trunk: str | None


class Records(Model):
    """A page. `before` and `call` are the next one's, none on the last."""

    calls: tuple[KnownCall, ...]
    before: Microseconds | None
    call: CallId | None


@routes.add("GET", "/api/operator/calls", Rule.AUDITOR)
async def call_records(visit: Visit, query: RecordPage) -> Records:
    """All calls, newest first."""
    rows = await visit.parts.store.records(query.before, query.call, query.limit)
    last = rows[-1] if len(rows) == query.limit else None
    return Records(
        calls=tuple(KnownCall(**dict(record(row)), trunk=row.trunk) for row in rows),
        before=None if last is None else last.offered_at,
        call=None if last is None else last.call,
    )
