"""The journal: one gap-free chain of entries per node, with the clear values beside it."""

from collections.abc import Sequence

from sqlalchemy import case, select, update
from sqlalchemy.dialects.postgresql import insert

from licensing.audit import MOST_NAMED, Draft, Head, beginning, link
from signaling.store.steps import (
    Many,
    Refused,
    Statement,
    Steps,
    command,
    number,
    octets,
    query,
    survey,
    words,
)
from signaling.store.tables import CHANGES, REFUSALS, clear_value, journal_entry, journal_head

_HEAD = (journal_head.c.node, journal_head.c.seq, journal_head.c.at, journal_head.c.hash)
# FOR UPDATE (SQLite has one writer and leaves it out): the next to write this chain waits for this one's end.
LOCKED_HEAD = Statement(select(*_HEAD).where(journal_head.c.node == words("node")).with_for_update())
BEGIN = Statement(
    insert(journal_head)
    .values(node=words("node"), seq=number("seq"), at=number("at"), hash=words("hash"))
    .on_conflict_do_nothing()
)
ADD = Statement(
    insert(journal_entry).values(
        node=words("node"),
        seq=number("seq"),
        at=number("at"),
        said_at=number("said_at"),
        kind=words("kind"),
        subject=words("subject"),
        body=words("body"),
        prev=words("prev"),
        hash=words("hash"),
    )
)
# One datum may stand in several entries: it is kept for the one that needs it longest.
KEEP = Statement(
    insert(clear_value)
    .values(
        hash=words("hash"), salt=octets("salt"), value=words("value"), delete_after=number("delete_after")
    )
    .on_conflict_do_update(
        index_elements=["hash"],
        set_={
            "delete_after": case(
                (clear_value.c.delete_after < number("delete_after"), number("delete_after")),
                else_=clear_value.c.delete_after,
            )
        },
    )
)
MOVE = Statement(
    update(journal_head)
    .values(seq=number("new_seq"), at=number("new_at"), hash=words("new_hash"))
    .where(
        journal_head.c.node == words("node"),
        journal_head.c.seq == number("old_seq"),
        journal_head.c.hash == words("old_hash"),
    )
    .returning(journal_head.c.seq)
)

_ENTRY = (
    journal_entry.c.node,
    journal_entry.c.seq,
    journal_entry.c.at,
    journal_entry.c.said_at,
    journal_entry.c.kind,
    journal_entry.c.subject,
    journal_entry.c.body,
    journal_entry.c.prev,
    journal_entry.c.hash,
)
HEAD = Statement(select(*_HEAD).where(journal_head.c.node == words("node")))
HEADS = Statement(select(*_HEAD).order_by(journal_head.c.node))
ENTRIES = Statement(
    select(*_ENTRY)
    .where(journal_entry.c.node == words("node"), journal_entry.c.seq > number("after"))
    .order_by(journal_entry.c.seq)
    .limit(number("most"))
)
REFUSED = Statement(
    select(*_ENTRY)
    .where(
        REFUSALS,
        journal_entry.c.node == words("node"),
        journal_entry.c.seq > number("after"),
        journal_entry.c.seq < number("before"),
    )
    .order_by(journal_entry.c.seq.desc())
    .limit(number("most"))
)
ABOUT = Statement(
    select(*_ENTRY)
    .where(journal_entry.c.subject == words("subject"))
    .order_by(journal_entry.c.at, journal_entry.c.node, journal_entry.c.seq)
)
# One step along the key for each node, however many entries it has.
LOWEST = Statement(select(*_ENTRY).order_by(journal_entry.c.node, journal_entry.c.seq).limit(1))
LOWEST_BEHIND = Statement(
    select(*_ENTRY)
    .where(journal_entry.c.node > words("node"))
    .order_by(journal_entry.c.node, journal_entry.c.seq)
    .limit(1)
)
CHANGED = Statement(
    select(*_ENTRY).where(CHANGES).order_by(journal_entry.c.at, journal_entry.c.node, journal_entry.c.seq)
)
CLEAR_AT_ONCE = 32  # clear values to a statement; a decision has up to five
_ASKED = [f"hash{place}" for place in range(CLEAR_AT_ONCE)]
CLEAR_VALUES = Statement(
    select(clear_value.c.hash, clear_value.c.salt, clear_value.c.value, clear_value.c.delete_after).where(
        clear_value.c.hash.in_([words(name) for name in _ASKED])
    )
)

PlainDraft = tuple[str, str, int, str, Sequence[tuple[str, bytes, str, int]]]


def plain(draft: Draft) -> PlainDraft:
    """The draft as plain values, as the writer process gets it."""
    clear = [(str(row.hash), row.salt, str(row.value), row.delete_after) for row in draft.clear]
    return str(draft.kind), str(draft.subject), draft.at, str(draft.body), clear


def linked(node: str, drafts: Sequence[PlainDraft]) -> Steps:
    """Add the drafts to the node's chain; their sequence numbers. Part of a command."""
    found = yield LOCKED_HEAD, {"node": node}
    if not found:
        start = beginning(node)
        yield BEGIN, {"node": node, "seq": start.seq, "at": start.at, "hash": start.hash}
        found = yield LOCKED_HEAD, {"node": node}
    before = head = Head(*found[0])
    entries: Many = []
    kept: Many = []
    for kind, subject, at, body, clear in drafts:
        entry = link(head, Draft(kind, subject, at, body))
        head = entry.head
        entries.append(
            {
                "node": node,
                "seq": entry.seq,
                "at": entry.at,
                "said_at": entry.said_at,
                "kind": kind,
                "subject": subject,
                "body": body,
                "prev": entry.prev,
                "hash": entry.hash,
            }
        )
        kept += [dict(zip(("hash", "salt", "value", "delete_after"), row, strict=True)) for row in clear]
    yield ADD, entries
    if kept:
        yield KEEP, kept
    moved = yield (
        MOVE,
        {
            "node": node,
            "old_seq": before.seq,
            "old_hash": before.hash,
            "new_seq": head.seq,
            "new_at": head.at,
            "new_hash": head.hash,
        },
    )
    if not moved:
        raise Refused(f"another process moved the chain of node `{node}`")
    return list(range(before.seq + 1, head.seq + 1))


@command
def append(node: str, drafts: Sequence[PlainDraft]) -> Steps:
    return (yield from linked(node, drafts))


@query
def head_of(node: str) -> Steps:
    return (yield HEAD, {"node": node})


@query
def heads() -> Steps:
    return (yield HEADS, {})


@survey
def strays() -> Steps:
    """The lowest entry of each node, where it is in no chain; no more than are worth naming."""
    headed = {head[0] for head in (yield HEADS, {})}
    found: list[object] = []
    rows = yield LOWEST, {}
    while rows and len(found) < MOST_NAMED:
        node, seq = rows[0][:2]
        if node not in headed or seq < 1:
            found += rows
        rows = yield LOWEST_BEHIND, {"node": node}
    return found


@survey
def entries_of(node: str, after: int, limit: int) -> Steps:
    return (yield ENTRIES, {"node": node, "after": after, "most": limit})


@survey
def refusals_of(node: str, after: int, before: int, limit: int) -> Steps:
    return (yield REFUSED, {"node": node, "after": after, "before": before, "most": limit})


@survey
def entries_about(subject: str) -> Steps:
    return (yield ABOUT, {"subject": subject})


@survey
def clear_values(hashes: Sequence[str]) -> Steps:
    rows: list[object] = []
    asked = list(dict.fromkeys(hashes))
    for first in range(0, len(asked), CLEAR_AT_ONCE):
        some = asked[first : first + CLEAR_AT_ONCE]
        some += [some[0]] * (CLEAR_AT_ONCE - len(some))
        rows += yield CLEAR_VALUES, dict(zip(_ASKED, some, strict=True))
    return rows
