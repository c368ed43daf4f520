"""How far the evidence of a database reaches, and what another lacks of it."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from licensing.audit import Broken, Entry, Head, beginning, verify
from signaling.store.steps import Refused


@dataclass(frozen=True, slots=True)
class Standing:
    """The register's epoch, and the newest entry of each node."""

    epoch: int
    heads: tuple[Head, ...] = ()


def check(backup_: sqlite3.Connection, name: str, has: Standing) -> None:
    """Refused if the backup lacks anything that `name` has."""
    epoch = standing(backup_).epoch
    if epoch < has.epoch:
        raise Refused(f"its register is at epoch {epoch}, and that of {name} at epoch {has.epoch}")
    for head in has.heads:
        found = verify(entries(backup_, head.node), after=beginning(head.node), kept=[head])
        if isinstance(found, Broken):
            raise Refused(
                f"its chain of node `{head.node}` is at entry {last(backup_, head.node)}, and that of {name}"
                f" at entry {head.seq}; the first that is not the same is {found.seq}: {found.fault}"
            )


def entries(connection: sqlite3.Connection, node: str) -> Iterator[Entry]:
    sql = "SELECT node, seq, at, said_at, kind, subject, body, prev, hash FROM journal_entry"
    return (Entry(*row) for row in connection.execute(f"{sql} WHERE node = ? ORDER BY seq", (node,)))


def last(connection: sqlite3.Connection, node: str) -> int:
    [(seq,)] = connection.execute("SELECT coalesce(max(seq), 0) FROM journal_entry WHERE node = ?", (node,))
    return int(seq)


def standing(connection: sqlite3.Connection) -> Standing:
    """What the rows of this file say."""
    [(epoch,)] = connection.execute("SELECT value FROM counter WHERE name = 'register'")
    heads = connection.execute("SELECT node, seq, at, hash FROM journal_head ORDER BY node")
    return Standing(epoch, tuple(Head(*row) for row in heads))
