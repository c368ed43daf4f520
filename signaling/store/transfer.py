"""All rows of a PostgreSQL database into a SQLite file, and back: each in one transaction."""

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import asyncpg  # type: ignore[import-untyped]

from licensing.audit import Head
from signaling.ports.store import StoreError
from signaling.store.claim import ANSWER_S, SPACE, TROUBLE, WHOLE
from signaling.store.migrations import ADDED_ONLY, HEAD
from signaling.store.postgresql import bring_to_head, sentence, version_of
from signaling.store.standing import Standing
from signaling.store.steps import Refused
from signaling.store.tables import metadata
from signaling.store.text_numbers import USED, go_on_above

PIECE = 1_000  # rows in memory at once

Check = Callable[[sqlite3.Connection, str, Standing], None]


async def fetch(url: str, file: sqlite3.Connection) -> None:
    """Fill the migrated, empty file. A server may write meanwhile: all rows are of one moment."""
    try:
        connection = await asyncpg.connect(url, timeout=ANSWER_S)
        try:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                await _fetch(connection, file)
        finally:
            await connection.close()
    except TROUBLE as error:
        raise StoreError(f"cannot read the database: {sentence(error)}") from None


async def _fetch(connection: Any, file: sqlite3.Connection) -> None:
    version = await connection.fetchval("SELECT version_num FROM alembic_version")
    if version != HEAD:
        raise Refused(f"the database is at version {version} and this program at {HEAD}: start it once first")
    file.execute("BEGIN IMMEDIATE")
    file.execute("DELETE FROM counter")
    for table in metadata.sorted_tables:
        names = [column.name for column in table.columns]
        insert = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
        cursor = await connection.cursor(f"SELECT {', '.join(names)} FROM {table.name}")
        while rows := await cursor.fetch(PIECE):
            file.executemany(insert, [tuple(row) for row in rows])
    file.execute("COMMIT")


async def replace_rows(url: str, file: sqlite3.Connection, check: Check | None) -> None:
    """Replace all rows by the file's, if `check` does not refuse what is lost by that.

    Needs the role that owns the tables: for a moment it takes away the triggers that guard them.
    """
    try:
        if await version_of(url) != HEAD:
            await bring_to_head(url, url)
        connection = await asyncpg.connect(url, timeout=ANSWER_S)
        try:
            if not await connection.fetchval("SELECT pg_try_advisory_lock($1, $2)", SPACE, WHOLE):
                raise Refused("a server has the database open")
            async with connection.transaction():
                if check is not None:
                    check(file, "the database", await _standing(connection))
                go_on_above(file, await connection.fetchval(USED) or 0)
                await _replace(connection, file)
        finally:
            await connection.close()
    except TROUBLE as error:
        raise StoreError(f"cannot write the database: {sentence(error)}") from None


async def _standing(connection: Any) -> Standing:
    epoch = await connection.fetchval("SELECT value FROM counter WHERE name = 'register'")
    heads = await connection.fetch("SELECT node, seq, at, hash FROM journal_head ORDER BY node")
    return Standing(epoch, tuple(Head(*row) for row in heads))


async def _replace(connection: Any, file: sqlite3.Connection) -> None:
    for guarded in ADDED_ONLY:
        await connection.execute(f"ALTER TABLE {guarded} DISABLE TRIGGER USER")
    for table in metadata.sorted_tables:
        names = [column.name for column in table.columns]
        await connection.execute(f"TRUNCATE {table.name}")
        for rows in _pieces(file, f"SELECT {', '.join(names)} FROM {table.name}"):
            await connection.copy_records_to_table(table.name, records=rows, columns=names)
    for guarded in ADDED_ONLY:
        await connection.execute(f"ALTER TABLE {guarded} ENABLE TRIGGER USER")


def _pieces(file: sqlite3.Connection, select: str) -> Iterator[list[tuple[Any, ...]]]:
    cursor = file.execute(select)
    while rows := cursor.fetchmany(PIECE):
        yield rows
