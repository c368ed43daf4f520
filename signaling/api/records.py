"""Routes of operators about every call that was placed here: what `v_cdr` has, page by page."""

from typing import Annotated

from pydantic import StringConstraints

from signaling.api.history import LATEST, PAGE, Before, Limit, Record, record
from signaling.api.routes import Routes, Rule
from signaling.api.visit import Visit
from signaling.ports.calls import CallRecord, Hearing
from wephone.protocol.ids import CallId
from wephone.protocol.messages import Microseconds, Model, Role

routes = Routes()


class RecordPage(Model):
    """Which calls: those placed before this moment, and at it those whose id comes after `call`."""

    before: Before = LATEST
    call: Annotated[str, StringConstraints(max_length=64)] = ""
    limit: Limit = PAGE


class HeardBy(Model):
    """What one side's device said it heard: packets that came to it, and that were lost on the way."""

    role: Role
    packets: int
    lost: int
    jitter_us: int
    rtt_us: int | None


class KnownCall(Record):
    """A call as operators see it. `trunk`: the carrier's line that was tried last, of a telephone call.

    `heard`: of a call between apps, by each side that has said so.
    """

    trunk: str | None
    heard: tuple[HeardBy, ...]


class HeardOfCall(Model):
    """What the devices of a call between apps said they heard, the caller's first."""

    heard: tuple[HeardBy, ...]


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
        calls=tuple(map(known, rows)),
        before=None if last is None else last.offered_at,
        call=None if last is None else last.call,
    )


@routes.add("GET", "/api/operator/calls/{call}/heard", Rule.AUDITOR)
async def heard_of_call(visit: Visit) -> HeardOfCall:
    """How a call between apps sounded, by the word of its two devices."""
    call = CallId(visit.request.match_info["call"])
    return HeardOfCall(heard=tuple(map(heard_by, await visit.parts.store.heard_of_call(call))))


def known(row: CallRecord) -> KnownCall:
    """A record with what operators alone see."""
    return KnownCall(**dict(record(row)), trunk=row.trunk, heard=tuple(map(heard_by, row.heard)))


def heard_by(side: Hearing) -> HeardBy:
    """One side's word."""
    return HeardBy(
        role=side.role,
        packets=side.packets,
        lost=side.lost,
        jitter_us=side.jitter,
        rtt_us=side.round_trip,
    )
