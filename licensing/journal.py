"""The default journal and register on one SQLite file, for `licensing` on its own.

One thread owns the file. What waits while it commits goes into its next transaction, so that many entries
share one fsync. Rows of the chain and of the register are only ever added; triggers refuse anything else.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from licensing.audit import ClearValue, Draft, Entry, Head, beginning, link
from licensing.ports import EpochMovedError, JournalError, RegisterRow, RegisterRows

Answer = TypeVar("Answer")

VERSION = 1  # of the tables, in `PRAGMA user_version`
MOST_TOGETHER = 512  # commands to a transaction

_TABLES = """
CREATE TABLE journal_head (node TEXT PRIMARY KEY, seq INTEGER, at INTEGER, hash TEXT) WITHOUT ROWID;
CREATE TABLE journal_entry (
    node TEXT, seq INTEGER, at INTEGER, said_at INTEGER, kind TEXT, subject TEXT, body TEXT, prev TEXT,
    hash TEXT, PRIMARY KEY (node, seq)
) WITHOUT ROWID;
CREATE INDEX journal_entry_subject ON journal_entry (subject);
CREATE TABLE clear_value (hash TEXT PRIMARY KEY, salt BLOB, value TEXT, delete_after INTEGER) WITHOUT ROWID;
CREATE INDEX clear_value_delete_after ON clear_value (delete_after);
CREATE TABLE register_epoch (value INTEGER);
INSERT INTO register_epoch VALUES (0);
CREATE TABLE register_version (
    kind TEXT, key TEXT, version INTEGER, document TEXT, changed_by TEXT, at INTEGER, epoch INTEGER,
    PRIMARY KEY (kind, key, version)
) WITHOUT ROWID;
"""
# INSERT OR REPLACE deletes the old row and fires no trigger for that, hence the third.
_GUARDS = """
CREATE TRIGGER {table}_update BEFORE UPDATE ON {table} BEGIN {refuse}; END;
CREATE TRIGGER {table}_delete BEFORE DELETE ON {table} BEGIN {refuse}; END;
CREATE TRIGGER {table}_replace BEFORE INSERT ON {table}
WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) BEGIN {refuse}; END;
"""
_KEYS = {"journal_entry": ("node", "seq"), "register_version": ("kind", "key", "version")}
_ENTRY = "node, seq, at, said_at, kind, subject, body, prev, hash"
_ROW = "kind, key, version, document, changed_by, at, epoch"
_CURRENT = f"""
SELECT {_ROW} FROM register_version AS v
WHERE version = (SELECT max(version) FROM register_version AS n WHERE n.kind = v.kind AND n.key = v.key)
ORDER BY kind, key
"""
# One datum may stand in several entries: it is kept for the one that needs it longest.
_KEEP = """
INSERT INTO clear_value VALUES (?, ?, ?, ?)
ON CONFLICT (hash) DO UPDATE SET delete_after = max(delete_after, excluded.delete_after)
"""

Work = Callable[[sqlite3.Connection], object]
Command = tuple[Work, Callable[[object], None], Callable[[BaseException], None]]


class EvidenceFile:
    """One node's chain and the register: licensing.ports.Journal and licensing.ports.PermitStore in one."""

    def __init__(self, path: Path, node: str = "local") -> None:
        self._path = path
        self._node = node
        self._commands: SimpleQueue[Command | None] = SimpleQueue()
        self._closed = True
        self._thread = threading.Thread(target=self._run, name="licensing-journal", daemon=True)

    async def open(self) -> None:
        """Open the file, or make it, readable by its owner alone. JournalError if that cannot be."""
        try:
            self._connection = await asyncio.to_thread(connect, self._path)
        except (OSError, sqlite3.Error) as error:
            raise JournalError(f"cannot open the journal {self._path}: {error}") from error
        self._closed = False
        self._thread.start()

    async def close(self) -> None:
        """Commit what was asked for, and let go of the file."""
        if not self._closed:
            self._closed = True
            self._commands.put(None)
            await asyncio.to_thread(self._thread.join)

    # licensing.ports.Journal

    async def append(self, draft: Draft) -> int:
        return await self._ask(lambda connection: add(connection, self._node, draft))

    async def head(self) -> Head:
        return await self._ask(lambda connection: head(connection, self._node))

    async def entries(self, after: int, limit: int) -> Sequence[Entry]:
        text = f"SELECT {_ENTRY} FROM journal_entry WHERE node = ? AND seq > ? ORDER BY seq LIMIT ?"
        return [Entry(*row) for row in await self._rows(text, (self._node, after, limit))]

    async def about(self, subject: str) -> Sequence[Entry]:
        text = f"SELECT {_ENTRY} FROM journal_entry WHERE subject = ? ORDER BY at, node, seq"
        return [Entry(*row) for row in await self._rows(text, (subject,))]

    async def clear_values(self, hashes: Sequence[str]) -> Sequence[ClearValue]:
        text = "SELECT hash, salt, value, delete_after FROM clear_value WHERE hash = ?"
        return await self._ask(
            lambda connection: [
                ClearValue(*row) for value_hash in hashes for row in connection.execute(text, (value_hash,))
            ]
        )

    async def forget(self, before: int) -> int:
        text = "DELETE FROM clear_value WHERE delete_after < ?"
        return await self._ask(lambda connection: connection.execute(text, (before,)).rowcount)

    # licensing.ports.PermitStore

    async def epoch(self) -> int:
        return await self._ask(epoch)

    async def load(self) -> RegisterRows:
        return await self._ask(
            lambda connection: RegisterRows(
                epoch(connection), tuple(RegisterRow(*row) for row in connection.execute(_CURRENT))
            )
        )

    async def change(self, epoch: int, rows: Sequence[RegisterRow], draft: Draft) -> int:
        return await self._ask(lambda connection: change(connection, self._node, epoch, rows, draft))

    async def versions(self, kind: str, key: str) -> Sequence[RegisterRow]:
        text = f"SELECT {_ROW} FROM register_version WHERE kind = ? AND key = ? ORDER BY version"
        return [RegisterRow(*row) for row in await self._rows(text, (kind, key))]

    # The thread that owns the file

    async def _rows(self, text: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        return await self._ask(lambda connection: connection.execute(text, values).fetchall())

    def _ask(self, work: Callable[[sqlite3.Connection], Answer]) -> "asyncio.Future[Answer]":
        """Queue the work at once, so that entries keep the order of the calls."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        if self._closed:
            future.set_exception(JournalError(f"the journal {self._path} is closed"))
            return future

        def done(answer: object) -> None:
            if not future.done():
                future.set_result(answer)  # type: ignore[arg-type]  # what `work` answered

        def failed(error: BaseException) -> None:
            if not future.done():
                future.set_exception(error)

        self._commands.put(
            (work, _from_thread(loop, done), _from_thread(loop, failed)),
        )
        return future

    def _run(self) -> None:
        open_ = True
        while open_:
            batch = [self._commands.get()]
            while len(batch) < MOST_TOGETHER:
                try:
                    batch.append(self._commands.get_nowait())
                except Empty:
                    break
            open_ = None not in batch
            self._carry_out([command for command in batch if command is not None])
        self._connection.close()

    def _carry_out(self, commands: Sequence[Command]) -> None:
        """All in one transaction. What is refused leaves no trace; if the commit fails, nothing was done."""
        answers: list[tuple[Command, object]] = []
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for command in commands:
                self._connection.execute("SAVEPOINT one")
                try:
                    answers.append((command, command[0](self._connection)))
                except (EpochMovedError, sqlite3.IntegrityError, OverflowError, UnicodeError) as error:
                    self._connection.execute("ROLLBACK TO one")  # its own fault: the others go on
                    answers.append((command, _as_ours(error)))
                self._connection.execute("RELEASE one")
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            answers = [(command, _as_ours(error)) for command in commands]
        for (_, done, failed), answer in answers:
            if isinstance(answer, Exception):
                failed(answer)
            else:
                done(answer)


def connect(path: Path) -> sqlite3.Connection:
    """The file, durable at each commit; its tables are made if it is new. sqlite3.Error, OSError."""
    path.touch(mode=0o600, exist_ok=True)  # SQLite gives its companion files the same mode
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            connection.executescript(
                f"BEGIN IMMEDIATE; {_TABLES} {_guards()} PRAGMA user_version = {VERSION}; COMMIT"
            )
        elif version != VERSION:
            raise sqlite3.DatabaseError(f"its tables are of version {version}, not {VERSION}")
    except BaseException:
        connection.close()
        raise
    return connection


def _guards() -> str:
    texts = []
    for table, key in _KEYS.items():
        refuse = f"SELECT RAISE(ABORT, 'rows of {table} are only ever added')"
        same = " AND ".join(f"{column} = NEW.{column}" for column in key)
        texts.append(_GUARDS.format(table=table, refuse=refuse, same=same))
    return "".join(texts)


def head(connection: sqlite3.Connection, node: str) -> Head:
    row = connection.execute(
        "SELECT node, seq, at, hash FROM journal_head WHERE node = ?", (node,)
    ).fetchone()
    return Head(*row) if row else beginning(node)


def add(connection: sqlite3.Connection, node: str, draft: Draft) -> int:
    """Link the draft to the node's chain; its sequence number."""
    entry = link(head(connection, node), draft)
    connection.execute(
        f"INSERT INTO journal_entry ({_ENTRY}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(entry.node, entry.seq, entry.at, entry.said_at, entry.kind),
            *(entry.subject, entry.body, entry.prev, entry.hash),
        ),
    )
    connection.execute(
        "INSERT OR REPLACE INTO journal_head VALUES (?, ?, ?, ?)", (node, entry.seq, entry.at, entry.hash)
    )
    connection.executemany(_KEEP, [(row.hash, row.salt, row.value, row.delete_after) for row in draft.clear])
    return entry.seq


def epoch(connection: sqlite3.Connection) -> int:
    (value,) = connection.execute("SELECT value FROM register_epoch").fetchone()
    return int(value)


def change(
    connection: sqlite3.Connection, node: str, epoch: int, rows: Iterable[RegisterRow], draft: Draft
) -> int:
    """See licensing.ports.PermitStore.change."""
    moved = connection.execute(
        "UPDATE register_epoch SET value = value + 1 WHERE value = ?", (epoch,)
    ).rowcount
    if not moved:
        raise EpochMovedError(f"the register is no longer at epoch {epoch}")
    connection.executemany(
        f"INSERT INTO register_version ({_ROW}) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(row.kind, row.key, row.version, row.document, row.by, row.at, row.epoch) for row in rows],
    )
    add(connection, node, draft)
    return epoch + 1


def _as_ours(error: Exception) -> Exception:
    return error if isinstance(error, EpochMovedError) else JournalError(str(error))


def _from_thread(loop: asyncio.AbstractEventLoop, tell: Callable[..., None]) -> Callable[[object], None]:
    def call(value: object) -> None:
        try:
            loop.call_soon_threadsafe(tell, value)
        except RuntimeError:  # the loop was closed: nobody waits any more
            pass

    return call
