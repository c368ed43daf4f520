"""Routes to what was: calls and texts, newest first, page by page."""

from typing import Annotated

from pydantic import Field

from signaling.api.account import user_in_path
from signaling.api.routes import Routes, Rule
from signaling.api.visit import Visit
from signaling.ports.calls import CallRecord
from signaling.ports.texts import StoredText
from wephone.protocol.ids import CallId, MessageId, UserId
from wephone.protocol.messages import Media, Microseconds, Model
from wephone.protocol.reasons import EndReason

routes = Routes()

LATEST = 2**63 - 1
PAGE, LONGEST_PAGE = 50, 200

Limit = Annotated[int, Field(ge=1, le=LONGEST_PAGE)]
Before = Annotated[int, Field(ge=0, le=LATEST)]


class CallPage(Model):
    """Which calls: those placed before this moment, in microseconds since 1970."""

    before: Before = LATEST
    limit: Limit = PAGE


class TextPage(Model):
    """Which texts: those with a sequence number below this one."""

    before: Before = LATEST
    limit: Limit = PAGE


class Record(Model):
    """A call. `caller` and `callee` are users' names or masked numbers, `decision` is the operator's.

    `forwarded_to`: who was called last in the callee's place, by the rule of `forwarded_by`.
    """

    call: CallId
    caller: str
    callee: str
    media: tuple[Media, ...]
    offered_at: Microseconds
    answered_at: Microseconds | None
    ended_at: Microseconds | None
    reason: EndReason | None
    missed: bool
    decision: str | None
    forwarded_to: str | None
    forwarded_by: UserId | None


class PastCall(Record):
    """A call of this user. Whether its callee has missed and seen it is told to the callee alone."""

    seen: bool


class Calls(Model):
    """A page. `before` is the next one's, none on the last."""

    calls: tuple[PastCall, ...]
    before: Microseconds | None


class PastText(Model):
    """A text of a conversation."""

    message: MessageId
    seq: int
    sender: UserId
    to: UserId
    text: str
    at: Microseconds
    delivered_at: Microseconds | None
    read_at: Microseconds | None


class Conversation(Model):
    """A page. `before` is the next one's, none on the last."""

    texts: tuple[PastText, ...]
    before: int | None


class Latest(Model):
    """A conversation: its last text, and how many texts of the other are unread."""

    peer: UserId
    text: PastText
    unread: int


class Conversations(Model):
    """A page. `before` is the next one's, none on the last."""

    conversations: tuple[Latest, ...]
    before: int | None


@routes.add("GET", "/api/history/calls", Rule.SIGNED_IN)
async def past_calls(visit: Visit, query: CallPage) -> Calls:
    """The account's calls, newest first."""
    rows = await visit.parts.store.history(visit.user, query.before, query.limit)
    before = rows[-1].offered_at if len(rows) == query.limit else None
    return Calls(calls=tuple(past_call(row, visit.user) for row in rows), before=before)


@routes.add("GET", "/api/history/texts/{user}", Rule.SIGNED_IN)
async def conversation(visit: Visit, query: TextPage) -> Conversation:
    """The texts between this account and another user, newest first."""
    rows = await visit.parts.store.conversation(visit.user, user_in_path(visit), query.before, query.limit)
    before = rows[-1].seq if len(rows) == query.limit else None
    return Conversation(texts=tuple(map(past_text, rows)), before=before)


@routes.add("GET", "/api/history/conversations", Rule.SIGNED_IN)
async def conversations(visit: Visit, query: TextPage) -> Conversations:
    """With whom the account has texts, the latest first: the last text of each, and how many are unread."""
    rows = await visit.parts.store.conversations(visit.user, query.before, query.limit)
    found = tuple(Latest(peer=row.peer, text=past_text(row.text), unread=row.unread) for row in rows)
    return Conversations(conversations=found, before=rows[-1].text.seq if len(rows) == query.limit else None)


def past_text(row: StoredText) -> PastText:
    """A text as its author and its reader see it."""
    return PastText(
        message=row.message,
        seq=row.seq,
        sender=row.sender,
        to=row.to,
        text=row.text,
        at=row.at,
        delivered_at=row.delivered_at,
        read_at=row.read_at,
    )


def past_call(row: CallRecord, user: UserId) -> PastCall:
    """A record as one of its parties sees it."""
    mine = row.callee == user
    return PastCall(**{**dict(record(row)), "missed": row.missed and mine, "seen": row.seen and mine})


def record(row: CallRecord) -> Record:
    """A record as operators see it."""
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
        forwarded_to=row.forwarded_to,
        forwarded_by=row.forwarded_by,
    )
