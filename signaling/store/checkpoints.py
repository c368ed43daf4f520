"""Signed checkpoints, beside the chains that they join; and how far those reach."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from signaling.store.journal import HEADS
from signaling.store.register import EPOCH
from signaling.store.steps import Statement, Steps, command, number, survey, words
from signaling.store.tables import checkpoint, journal_entry

_ROW = (checkpoint.c.document, checkpoint.c.signature)
# Of two nodes that write the same number at once, one finds it taken and looks again.
ADD = Statement(
    insert(checkpoint)
    .values(number=number("number"), document=words("document"), signature=words("signature"))
    .on_conflict_do_nothing()
    .returning(checkpoint.c.number)
)
LAST = Statement(select(*_ROW).order_by(checkpoint.c.number.desc()).limit(1))
AFTER = Statement(
    select(*_ROW)
    .where(checkpoint.c.number > number("after"))
    .order_by(checkpoint.c.number)
    .limit(number("most"))
)
HASH = Statement(
    select(journal_entry.c.hash).where(
        journal_entry.c.node == words("node"), journal_entry.c.seq == number("seq")
    )
)


@command
def add_checkpoint(count: int, document: str, signature: str) -> Steps:
    """True if nobody else took the number."""
    if (yield AFTER, {"after": count - 1, "most": 1}):
        return False  # on SQLite the guard would raise before it came to a conflict
    return bool((yield ADD, {"number": count, "document": document, "signature": signature}))


@survey
def checkpoints_after(count: int, most: int) -> Steps:
    return (yield AFTER, {"after": count, "most": most})


@survey
def reach(asked: Sequence[tuple[str, int]]) -> Steps:
    """Of one moment: the epoch, the heads, the last checkpoint, and the hashes of the entries asked for."""
    [(epoch,)] = yield EPOCH, {}
    heads = yield HEADS, {}
    last = yield LAST, {}
    hashes = []
    for node, seq in asked:
        found = yield HASH, {"node": node, "seq": seq}
        hashes.append(found[0][0] if found else None)
    return epoch, heads, last, hashes
