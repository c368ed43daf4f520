"""Calls: offered before the first ring, answered once, ended once."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import and_, bindparam, case, func, or_, select, union_all, update
from sqlalchemy.dialects.postgresql import insert  # compiled for SQLite too: the grammar is the same

from licensing.audit import Draft, canonical
from signaling.store.heard import HEARD
from signaling.store.journal import linked, plain
from signaling.store.steps import (
    NO,
    YES,
    Row,
    Statement,
    Steps,
    Taken,
    command,
    number,
    query,
    single,
    survey,
    words,
)
from signaling.store.tables import call, heard

OFFERED = (
    "call_id",
    "caller",
    "caller_device",
    "callee",
    "media",
    "decision",
    "owner",
    "owner_epoch",
    "offered_at",
    "trunk",
    "forwarded_to",
    "forwarded_by",
)
_OFFERED: dict[str, Any] = {name: bindparam(name) for name in OFFERED} | {"missed": NO, "seen": NO}

# What the journal has of a call that ended, with its owner's node first.
_ENDED = (
    call.c.owner,
    call.c.call_id,
    call.c.decision,
    call.c.offered_at,
    call.c.answered_at,
    call.c.ended_at,
    call.c.reason,
)

OFFER = Statement(
    insert(call).values(**_OFFERED, offered=YES).on_conflict_do_nothing().returning(call.c.call_id)
)
REFUSED = Statement(
    insert(call)
    .values(**_OFFERED, offered=NO, ended_at=number("ended_at"), reason=words("reason"))
    .on_conflict_do_nothing()
    .returning(*_ENDED)
)
ANSWER = Statement(
    update(call)
    .values(
        answered_at=func.coalesce(call.c.answered_at, number("now")),
        answered_by=words("user"),
        answered_device=words("device"),
    )
    .where(
        call.c.call_id == words("call"),
        call.c.owner_epoch == number("epoch"),
        call.c.ended_at.is_(None),
        # The same party may ask again: its first answer may have been lost on the way back.
        call.c.answered_at.is_(None)
        | ((call.c.answered_by == words("user")) & (call.c.answered_device == words("device"))),
    )
    .returning(call.c.call_id)
)
END = Statement(
    update(call)
    .values(
        ended_at=number("now"),
        reason=words("why"),
        missed=number("was_missed"),
        decision=func.coalesce(words("decided"), call.c.decision),
    )
    .where(call.c.call_id == words("call"), call.c.ended_at.is_(None))
    .returning(*_ENDED)
)
FORWARD = Statement(
    update(call)
    .values(forwarded_to=words("goes_to"), forwarded_by=words("had_by"), decision=words("decided"))
    .where(call.c.call_id == words("call"), call.c.ended_at.is_(None))
    .returning(call.c.call_id)
)
COURSE = Statement(
    update(call)
    .values(media=words("carries"), ends_by=number("until"))
    .where(call.c.call_id == words("call"), call.c.ended_at.is_(None))
    .returning(call.c.call_id)
)
LIVE = Statement(
    select(
        call.c.call_id,
        call.c.caller,
        call.c.caller_device,
        call.c.answered_by,
        call.c.answered_device,
        call.c.media,
        call.c.answered_at,
        call.c.decision,
        call.c.ends_by,
        call.c.trunk,
    )
    .where(call.c.owner == words("node"), call.c.ended_at.is_(None), call.c.answered_at.is_not(None))
    .order_by(call.c.answered_at, call.c.call_id)
)
ABANDON = Statement(
    update(call)
    .values(
        # The wall clock may have been set back since: a call never ends before it began.
        ended_at=case((call.c.offered_at > number("now"), call.c.offered_at), else_=number("now")),
        reason=words("why"),
        missed=YES,
    )
    .where(call.c.owner == words("node"), call.c.ended_at.is_(None), call.c.answered_at.is_(None))
    .returning(*_ENDED)
)

_RECORD = (
    call.c.call_id,
    call.c.caller,
    call.c.callee,
    call.c.media,
    call.c.offered_at,
    call.c.answered_at,
    call.c.ended_at,
    call.c.reason,
    call.c.missed,
    call.c.seen,
    call.c.decision,
    call.c.trunk,
    call.c.forwarded_to,
    call.c.forwarded_by,
)
HOW_IT_ENDED = Statement(
    select(call.c.reason).where(
        call.c.call_id == words("call"),
        or_(
            call.c.caller == words("user"),
            and_(
                or_(call.c.callee == words("user"), call.c.forwarded_to == words("user")),
                call.c.offered == YES,
            ),
        ),
        call.c.ended_at.is_not(None),
    )
)
# Three arms, each answered from its own index and cut off early; an OR would sort all of a user's calls.
_PLACED = (
    select(*_RECORD)
    .where(call.c.caller == words("user"), call.c.offered_at < number("before"))
    .order_by(call.c.offered_at.desc(), call.c.call_id)
    .limit(number("most"))
    .subquery("placed")
)
_RECEIVED = (
    select(*_RECORD)
    .where(
        call.c.callee == words("user"),
        call.c.caller != words("user"),
        call.c.offered == YES,
        call.c.offered_at < number("before"),
    )
    .order_by(call.c.offered_at.desc(), call.c.call_id)
    .limit(number("most"))
    .subquery("received")
)
_CAME_ON = (
    select(*_RECORD)
    .where(
        call.c.forwarded_to == words("user"),
        call.c.callee != words("user"),
        call.c.caller != words("user"),
        call.c.offered == YES,
        call.c.offered_at < number("before"),
    )
    .order_by(call.c.offered_at.desc(), call.c.call_id)
    .limit(number("most"))
    .subquery("came_on")
)
_ALL = union_all(select(_PLACED), select(_RECEIVED), select(_CAME_ON)).subquery("all_of_them")
HISTORY = Statement(select(_ALL).order_by(_ALL.c.offered_at.desc(), _ALL.c.call_id).limit(number("most")))
_BY_CALLER, _BY_CALLEE = heard.alias("heard_by_caller"), heard.alias("heard_by_callee")
# Of everybody. The id after the moment: calls that began in one microsecond are on one page or the next.
RECORDS = Statement(
    select(
        *_RECORD,
        *(side.c[name] for side in (_BY_CALLER, _BY_CALLEE) for name in HEARD),
    )
    .select_from(
        call.outerjoin(
            _BY_CALLER, and_(_BY_CALLER.c.call_id == call.c.call_id, _BY_CALLER.c.role == "caller")
        ).outerjoin(_BY_CALLEE, and_(_BY_CALLEE.c.call_id == call.c.call_id, _BY_CALLEE.c.role == "callee"))
    )
    .where(
        call.c.offered_at <= number("before"),
        or_(call.c.offered_at < number("before"), call.c.call_id > words("after")),
    )
    .order_by(call.c.offered_at.desc(), call.c.call_id)
    .limit(number("most"))
)
MISSED = Statement(
    select(*_RECORD)
    .where(call.c.callee == words("user"), call.c.missed == YES, call.c.seen == NO)
    .order_by(call.c.offered_at, call.c.call_id)
)
SEEN = Statement(
    update(call)
    .values(seen=YES)
    .where(call.c.call_id == words("call"), call.c.callee == words("user"))
    .returning(call.c.call_id)
)


@single
def offer(*row: object) -> Steps:
    """`row` is in the order of OFFERED."""
    if not (yield OFFER, dict(zip(OFFERED, row, strict=True))):
        raise Taken(f"the call id `{row[0]}` was used before")


def _journalled(rows: Iterable[Row]) -> Steps:
    """Each end as an entry of the chain, in the transaction of its row. Part of a command.

    A call that was never decided on has none, and one that was refused has its decision.
    """
    ends = [row for row in rows if row[2] is not None and row[6] != "refused"]
    if not ends:
        return
    drafts = []
    for _, call_id, decision, offered_at, answered_at, ended_at, reason in ends:
        body = {
            "call": call_id,
            "decision": decision,
            "offered_at": offered_at,
            "answered_at": answered_at,
            "ended_at": ended_at,
            "reason": reason,
        }
        drafts.append(plain(Draft("call_end", call_id, ended_at, canonical(body))))
    yield from linked(ends[0][0], drafts)


@command
def refused(reason: str, ended_at: int, *row: object) -> Steps:
    """`row` is in the order of OFFERED."""
    values = dict(zip(OFFERED, row, strict=True))
    rows = yield REFUSED, {**values, "reason": reason, "ended_at": ended_at}
    if not rows:
        raise Taken(f"the call id `{row[0]}` was used before")
    yield from _journalled(rows)


@single
def answer(call_id: str, user: str, device: str, at: int, owner_epoch: int) -> Steps:
    rows = yield ANSWER, {"call": call_id, "user": user, "device": device, "now": at, "epoch": owner_epoch}
    return bool(rows)


@single
def forward(call_id: str, to: str, by: str, decision: str | None) -> Steps:
    yield FORWARD, {"call": call_id, "goes_to": to, "had_by": by, "decided": decision}


@command
def end(call_id: str, reason: str, at: int, missed: bool, decision: str | None) -> Steps:
    said = {"why": reason, "now": at, "was_missed": int(missed), "decided": decision}
    rows = yield END, {"call": call_id, **said}
    yield from _journalled(rows)


@single
def course(call_id: str, media: str, ends_by: int | None) -> Steps:
    yield COURSE, {"call": call_id, "carries": media, "until": ends_by}


@command
def abandon_ringing(node: str, reason: str, at: int) -> Steps:
    rows = yield ABANDON, {"node": node, "why": reason, "now": at}
    yield from _journalled(rows)
    return len(rows)


TALKED_AT_ONCE = 250  # calls to a statement
_TALKED_OF = [f"call{place}" for place in range(TALKED_AT_ONCE)]
TALKED = Statement(
    select(call.c.call_id, call.c.caller, call.c.answered_at, call.c.ended_at).where(
        call.c.call_id.in_([words(name) for name in _TALKED_OF])
    )
)


@command
def missed_seen(user: str, calls: Iterable[str]) -> Steps:
    for call_id in calls:
        yield SEEN, {"user": user, "call": call_id}


@query
def live_calls(node: str) -> Steps:
    return (yield LIVE, {"node": node})


@query
def history(user: str, before: int, limit: int) -> Steps:
    return (yield HISTORY, {"user": user, "before": before, "most": limit})


@query
def records(before: int, after: str, limit: int) -> Steps:
    return (yield RECORDS, {"before": before, "after": after, "most": limit})


@query
def how_it_ended(call_id: str, user: str) -> Steps:
    return (yield HOW_IT_ENDED, {"call": call_id, "user": user})


@survey
def talked(calls: Sequence[str]) -> Steps:
    rows: list[object] = []
    for first in range(0, len(calls), TALKED_AT_ONCE):
        some = calls[first : first + TALKED_AT_ONCE]
        asked = dict(zip(_TALKED_OF, [*some, *[""] * (TALKED_AT_ONCE - len(some))], strict=True))
        rows += yield TALKED, asked
    return rows


@query
def missed_calls(user: str) -> Steps:
    return (yield MISSED, {"user": user})
