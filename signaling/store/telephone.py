"""Telephone legs, from before their INVITE to the carrier's word that they are over; and who may have any."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, case, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from licensing.audit import Draft, canonical
from signaling.store.journal import linked, plain
from signaling.store.steps import NO, YES, Statement, Steps, command, number, query, single, words
from signaling.store.tables import account, call, entitlement, leg

BEGUN = ("leg_id", "call_id", "trunk", "account", "outgoing", "owner", "decision", "begun_at", "most_seconds")
_BEGUN: dict[str, Any] = {name: bindparam(name) for name in BEGUN}

BEGIN = Statement(insert(leg).values(**_BEGUN, unconfirmed=NO))
# The call's record names the trunk that was tried last.
BY_TRUNK = Statement(
    update(call).values(trunk=words("by")).where(call.c.call_id == words("call")).returning(call.c.call_id)
)
KEEP = Statement(
    update(leg)
    .values(
        dialog=words("said"),
        answered_at=func.coalesce(leg.c.answered_at, number("now")),
    )
    .where(leg.c.leg_id == words("leg"), leg.c.ended_at.is_(None))
    .returning(leg.c.leg_id)
)
END = Statement(
    update(leg)
    .values(
        ended_at=func.coalesce(leg.c.ended_at, number("now")),
        cause=words("why"),
        q850=number("q"),
        status=number("code"),
        unconfirmed=number("open"),
        # The carrier's late word says nothing of the sound.
        packets=func.coalesce(leg.c.packets, number("came")),
        lost=func.coalesce(leg.c.lost, number("missing")),
        jitter=func.coalesce(leg.c.jitter, number("shook")),
    )
    .where(leg.c.leg_id == words("leg"))
    .returning(leg.c.leg_id)
)
_LEG = (
    leg.c.leg_id,
    leg.c.call_id,
    leg.c.trunk,
    leg.c.account,
    leg.c.outgoing,
    leg.c.decision,
    leg.c.begun_at,
    leg.c.answered_at,
    leg.c.ended_at,
    leg.c.dialog,
    leg.c.cause,
    leg.c.q850,
    leg.c.status,
    leg.c.unconfirmed,
)
OPEN = Statement(
    select(*_LEG)
    .where(leg.c.owner == words("node"), leg.c.ended_at.is_(None))
    .order_by(leg.c.begun_at, leg.c.leg_id)
)
UNCONFIRMED = Statement(
    select(*_LEG)
    .where(leg.c.unconfirmed == YES)
    .order_by(leg.c.begun_at.desc(), leg.c.leg_id)
    .limit(number("most"))
)
UNCONFIRMED_LEG = Statement(select(*_LEG).where(leg.c.leg_id == words("leg"), leg.c.unconfirmed == YES))
SETTLE = Statement(
    update(leg).values(unconfirmed=NO).where(leg.c.leg_id == words("leg")).returning(leg.c.leg_id)
)
LEGS_OF = Statement(select(*_LEG).where(leg.c.call_id == words("call")).order_by(leg.c.begun_at))

# What is alive counts with all that it may still take; what is over with what was talked.
_TALKED = case(
    (leg.c.ended_at.is_(None), func.coalesce(leg.c.most_seconds, 0)),
    (leg.c.answered_at.is_(None), 0),
    (leg.c.ended_at < leg.c.answered_at, 0),
    else_=(leg.c.ended_at - leg.c.answered_at + 999_999) / 1_000_000,
)
_ALIVE = case((leg.c.ended_at.is_(None), leg.c.call_id))
_LATELY = case((leg.c.begun_at > number("hour"), leg.c.call_id))
_USED = (func.count(_ALIVE.distinct()), func.count(_LATELY.distinct()), func.sum(_TALKED))
_SINCE = or_(leg.c.ended_at.is_(None), leg.c.ended_at > number("day"))
USED_BY_ACCOUNT = Statement(
    select(*_USED).where(leg.c.account == words("whose"), leg.c.outgoing == YES, _SINCE)
)
USED_BY_TRUNK = Statement(select(*_USED).where(leg.c.trunk == words("whose"), leg.c.outgoing == YES, _SINCE))

ENTITLED = ("account", "document", "granted_by", "at")
_PLACED = insert(entitlement).from_select(
    ENTITLED,
    select(account.c.name, words("document"), words("granted_by"), number("at"))
    .where(account.c.name == words("user"), account.c.deleted_at.is_(None))
    .with_for_update(read=True),
)
ENTITLE = Statement(
    _PLACED.on_conflict_do_update(
        index_elements=["account"],
        set_={name: _PLACED.excluded[name] for name in ENTITLED[1:]},
    ).returning(entitlement.c.account)
)
UNENTITLE = Statement(
    delete(entitlement).where(entitlement.c.account == words("user")).returning(entitlement.c.account)
)
ENTITLEMENT = Statement(
    select(entitlement.c.document, entitlement.c.granted_by, entitlement.c.at).where(
        entitlement.c.account == words("user")
    )
)


@command
def begin_leg(duties: str | None, *row: Any) -> Steps:
    """`row` is in the order of BEGUN; `duties`: what its trunk does for the law and does not, as JSON."""
    values = dict(zip(BEGUN, row, strict=True))
    yield BEGIN, values
    yield BY_TRUNK, {"by": values["trunk"], "call": values["call_id"]}
    if duties is not None:
        body = {
            "call": values["call_id"],
            "decision": values["decision"],
            "trunk": values["trunk"],
            "duties": json.loads(duties),
        }
        draft = Draft("leg_duties", values["leg_id"], values["begun_at"], canonical(body))
        yield from linked(values["owner"], [plain(draft)])


@single
def keep_leg(leg_id: str, dialog: str, at: int) -> Steps:
    yield KEEP, {"leg": leg_id, "said": dialog, "now": at}


@single
def end_leg(
    leg_id: str,
    at: int,
    cause: str,
    q850: int | None,
    status: int | None,
    unconfirmed: bool,
    sound: Sequence[int | None],
) -> Steps:
    """`sound`: packets, those lost, and jitter."""
    packets, lost, jitter = sound
    said = {"now": at, "why": cause, "q": q850, "code": status, "open": int(unconfirmed)}
    yield END, {"leg": leg_id, **said, "came": packets, "missing": lost, "shook": jitter}


@query
def open_legs(node: str) -> Steps:
    return (yield OPEN, {"node": node})


@query
def unconfirmed_legs(limit: int) -> Steps:
    return (yield UNCONFIRMED, {"most": limit})


@query
def unconfirmed_leg(leg_id: str) -> Steps:
    return (yield UNCONFIRMED_LEG, {"leg": leg_id})


@single
def settle_leg(leg_id: str) -> Steps:
    yield SETTLE, {"leg": leg_id}


@query
def legs_of_call(call_id: str) -> Steps:
    return (yield LEGS_OF, {"call": call_id})


@query
def used_by_account(whose: str, hour: int, day: int) -> Steps:
    return (yield USED_BY_ACCOUNT, {"whose": whose, "hour": hour, "day": day})


@query
def used_by_trunk(whose: str, hour: int, day: int) -> Steps:
    return (yield USED_BY_TRUNK, {"whose": whose, "hour": hour, "day": day})


@single
def entitle(user: str, document: str, by: str, at: int) -> Steps:
    """False if there is no such account."""
    return bool((yield ENTITLE, {"user": user, "document": document, "granted_by": by, "at": at}))


@single
def unentitle(user: str) -> Steps:
    return bool((yield UNENTITLE, {"user": user}))


@query
def entitlement_of(user: str) -> Steps:
    return (yield ENTITLEMENT, {"user": user})
