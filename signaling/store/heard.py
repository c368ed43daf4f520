"""What devices heard of calls between apps: a row for each side, beside the call's own."""

from sqlalchemy import and_, or_, select
from sqlalchemy.dialects.postgresql import insert  # compiled for SQLite too: the grammar is the same

from signaling.store.steps import Statement, Steps, number, query, single, words
from signaling.store.tables import call, heard

WITHIN = 60 * 1_000_000  # µs after the end of a call in which its devices may say so
SHORTEST = 2_500  # µs of sound in a packet of Opus, at least (RFC 6716 §2.1.4)
SLACK = 30 * 1_000_000  # µs: of packets in pairs, and of a clock that was set

# By the call's own row: it was answered, and so long ago that so many packets can have come; it is not long
# over; and no telephone was in it, whose sound the bridge counts by itself (`leg`).
_KNOWN = select(
    call.c.call_id,
    words("whose"),
    call.c.offered_at,
    number("came"),
    number("missing"),
    number("shook"),
    number("trip"),
).where(
    and_(
        call.c.call_id == words("call"),
        call.c.answered_at <= number("answered_by_then"),
        or_(call.c.ended_at.is_(None), call.c.ended_at >= number("ended_since")),
        call.c.trunk.is_(None),
    )
)
HEARD = ("packets", "lost", "jitter", "round_trip")
HEARD_OF_CALL = Statement(
    select(heard.c.role, *(heard.c[name] for name in HEARD)).where(heard.c.call_id == words("call"))
)
HEAR = Statement(
    insert(heard)
    .from_select(["call_id", "role", "at", *HEARD], _KNOWN)
    .on_conflict_do_nothing()
    .returning(heard.c.call_id)
)


@single
def hear(
    call_id: str, role: str, packets: int, lost: int, jitter: int, round_trip: int | None, at: int
) -> Steps:
    """False if it is not kept."""
    said = {
        "call": call_id,
        "whose": role,
        "came": packets,
        "missing": lost,
        "shook": jitter,
        "trip": round_trip,
    }
    limits = {"answered_by_then": at + SLACK - (packets + lost) * SHORTEST, "ended_since": at - WITHIN}
    return bool((yield HEAR, {**said, **limits}))


@query
def heard_of_call(call_id: str) -> Steps:
    return (yield HEARD_OF_CALL, {"call": call_id})
