"""PostgreSQL: the same commands over a pool of connections. Imported only when a URL asks for it."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from signaling.ports.store import IdTakenError, StoreError
from signaling.store.claim import ANSWER_S, TROUBLE, Claim
from signaling.store.compiled import numbered_texts
from signaling.store.database import Alarm, database_shown
from signaling.store.migrations import HEAD, grant, migrate
from signaling.store.steps import (
    COMMANDS,
    QUERIES,
    SINGLE,
    SURVEYS,
    Many,
    Refused,
    Row,
    Steps,
    Taken,
    Undone,
    Values,
)

T = TypeVar("T")

MOST_CONNECTIONS = 10
ATTEMPTS = 4  # of a command that PostgreSQL broke off because of another one
MIGRATION_LOCK = 0x7765_7068  # an advisory lock's number: one node migrates, the others wait for it

# What a transaction that lost a race may be answered with; nothing of it has happened.
BROKEN_OFF = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)

DURABILITY = """
    SELECT current_setting('fsync'), current_setting('full_page_writes'),
           current_setting('synchronous_commit'), pg_is_in_recovery()
"""


class PostgresDatabase:
    """One PostgreSQL database, which other nodes may use at the same time."""

    def __init__(self, url: str, node: str, alarm: Alarm) -> None:
        self.node = node
        self.ordered = False
        self.url = self._url = url
        self._alarm = alarm
        self._texts = numbered_texts(PGDialect_asyncpg())  # type: ignore[no-untyped-call]
        self._claim = Claim(url, node, alarm)
        self._pool: Any = None

    async def open(self, owner_url: str | None) -> None:
        """Migrate and connect. StoreError in one line if that fails."""
        try:
            try:
                await self._claim.take()
                await self._connect(owner_url)
            except BaseException:
                await self._claim.close()
                raise
        except (*TROUBLE, ValueError, Refused) as error:
            shown = database_shown(self._url)
            raise StoreError(f"cannot open the database {shown}: {sentence(error)}") from None

    async def _connect(self, owner_url: str | None) -> None:
        if await version_of(self._url) != HEAD or owner_url:
            await bring_to_head(self._url, owner_url or self._url)
        self._pool = await asyncpg.create_pool(
            self._url,
            min_size=1,
            max_size=MOST_CONNECTIONS,
            command_timeout=ANSWER_S,  # for one statement: a call does not wait longer
            statement_cache_size=512,
            server_settings={"application_name": f"wephone {self.node}"},
        )

    async def write(self, command: str, *arguments: object) -> Any:
        """See Database.write."""
        for _ in range(ATTEMPTS):
            try:
                return await self._with_connection(
                    lambda connection: self._carry_out(connection, command, arguments)
                )
            except BROKEN_OFF as error:
                broken_off = error
        raise StoreError(f"the database was too busy: {sentence(broken_off)}") from broken_off

    async def _carry_out(self, connection: Any, command: str, arguments: tuple[object, ...]) -> Any:
        steps = COMMANDS[command](*arguments)
        if command in SINGLE:  # a statement is a transaction: two round trips less
            return await self._run(connection, steps)
        try:
            async with connection.transaction():
                return await self._run(connection, steps)
        except Undone as undone:
            return undone.answer

    async def read(self, query: str, *arguments: object) -> Any:
        """See Database.read."""
        steps = QUERIES.get(query)
        if steps is not None:
            return await self._with_connection(lambda connection: self._run(connection, steps(*arguments)))
        return await self._with_connection(
            lambda connection: self._survey(connection, SURVEYS[query](*arguments))
        )

    async def _survey(self, connection: Any, steps: Steps) -> Any:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            return await self._run(connection, steps)

    async def _run(self, connection: Any, steps: Steps) -> Any:
        try:
            statement, values = next(steps)
            while True:
                statement, values = steps.send(await self._rows(connection, statement.number, values))
        except StopIteration as end:
            return end.value

    async def _rows(self, connection: Any, number: int, values: Values | Many) -> list[Row]:
        sql, in_order = self._texts[number]
        if isinstance(values, list):
            await connection.executemany(sql, [in_order(each) for each in values])
            return []
        return [tuple(row) for row in await connection.fetch(sql, *in_order(values))]

    async def _with_connection(self, do: Callable[[Any], Awaitable[T]]) -> T:
        if self._pool is None:
            raise StoreError("the database is closed")
        try:
            async with self._pool.acquire(timeout=ANSWER_S) as connection:
                return await do(connection)
        except Taken as error:
            raise IdTakenError(str(error)) from None
        except Refused as error:
            raise StoreError(str(error)) from None
        except BROKEN_OFF:
            raise
        except TROUBLE as error:
            raise StoreError(f"the database does not answer: {sentence(error)}") from error

    async def durability_problem(self) -> str | None:
        """See Database.durability_problem."""
        try:
            fsync, full_pages, commit, standby = await self._with_connection(
                lambda connection: connection.fetchrow(DURABILITY)
            )
        except StoreError as error:
            return str(error)
        if standby:
            return "this PostgreSQL is a standby and cannot be written"
        off = {"fsync": fsync, "full_page_writes": full_pages, "synchronous_commit": commit}
        named = [name for name, value in off.items() if value == "off"]
        return f"PostgreSQL runs with {' and '.join(named)} off: a commit may be lost" if named else None

    async def close(self) -> None:
        """See Database.close."""
        pool, self._pool = self._pool, None
        if pool is not None:
            try:
                async with asyncio.timeout(ANSWER_S):
                    await pool.close()
            except (TimeoutError, *TROUBLE):
                pool.terminate()
        await self._claim.close()


def sentence(error: BaseException) -> str:
    """What went wrong, in one line; some errors have no words of their own."""
    if isinstance(error, OSError) and error.strerror:
        # asyncio's own words for a refused connection are "Connect call failed ('127.0.0.1', 5432)".
        return (os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror).lower()
    return " ".join(str(error).split()) or type(error).__name__


async def version_of(url: str) -> str | None:
    """The version that the database says it has; none for an empty one."""
    connection = await asyncpg.connect(url, timeout=ANSWER_S)
    try:
        version: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        return None
    finally:
        await connection.close()
    return version


async def bring_to_head(url: str, owner_url: str) -> None:
    """Migrate as the tables' owner, and grant the role in `url` what a server needs. Refused says why not."""
    connection = await asyncpg.connect(url, timeout=ANSWER_S)
    try:
        name, role = await connection.fetchrow("SELECT current_database(), current_user")
    finally:
        await connection.close()

    def locked(begun: Connection) -> None:
        begun.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
        migrate(begun, name)
        grant(begun, role)

    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(owner_url), poolclass=NullPool
    )
    try:
        async with engine.begin() as begun:
            await begun.run_sync(locked)
    except DBAPIError as error:
        raise Refused(sentence(error.orig or error)) from None
    finally:
        await engine.dispose()
