"""Rows that stand for what entries of the journal say, beside those entries: an edit of either shows."""

from functools import reduce
from operator import add

from sqlalchemy import ColumnElement, Text, and_, cast, func, literal, select

from signaling.store.steps import Statement, Steps, number, survey, words
from signaling.store.tables import account_facts, call, clear_value, facts_entry, journal_entry

MOST_ENDS = 10  # that are named; one is bad enough


def _text(column: ColumnElement[int | None]) -> ColumnElement[str]:
    return func.coalesce(cast(column, Text), literal("null"), type_=Text())


def _joined(*pieces: str | ColumnElement[str]) -> ColumnElement[str]:
    return reduce(add, [literal(piece, Text()) if isinstance(piece, str) else piece for piece in pieces])


# The body of an end as `signaling.store.calls` writes it: canonical JSON, of values that need no escapes.
_END = _joined(
    *('{"answered_at":', _text(call.c.answered_at), ',"call":"', call.c.call_id),
    *('","decision":"', func.coalesce(call.c.decision, "", type_=Text())),
    *('","ended_at":', _text(call.c.ended_at), ',"offered_at":', _text(call.c.offered_at)),
    *(',"reason":"', func.coalesce(call.c.reason, "", type_=Text()), '"}'),
)
ENDS_THAT_DIFFER = Statement(
    select(call.c.call_id)
    .join(journal_entry, and_(journal_entry.c.subject == call.c.call_id, journal_entry.c.kind == "call_end"))
    .where(journal_entry.c.body != _END)
    .order_by(call.c.call_id)
    .limit(MOST_ENDS)
)
_SOME = (
    select(account_facts.c.account, account_facts.c.document)
    .where(account_facts.c.account > words("after"))
    .order_by(account_facts.c.account)
    .limit(number("most"))
    .subquery("some")
)
# Of each account every thing that was said, oldest first; nothing where an entry or its clear value is gone.
STATED = Statement(
    select(
        *(_SOME.c.account, _SOME.c.document, facts_entry.c.entry),
        *(journal_entry.c.said_at, journal_entry.c.body, clear_value.c.value),
    )
    .select_from(
        _SOME.outerjoin(facts_entry, facts_entry.c.account == _SOME.c.account)
        .outerjoin(
            journal_entry,
            and_(journal_entry.c.subject == facts_entry.c.entry, journal_entry.c.kind == "account_facts"),
        )
        .outerjoin(clear_value, clear_value.c.hash == facts_entry.c.hash)
    )
    .order_by(_SOME.c.account, journal_entry.c.said_at, facts_entry.c.entry)
)


@survey
def ends_that_differ() -> Steps:
    return (yield ENDS_THAT_DIFFER, {})


@survey
def stated(after: str, most: int) -> Steps:
    return (yield STATED, {"after": after, "most": most})
