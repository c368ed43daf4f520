"""A server's hold on a PostgreSQL database, as the lock file is on SQLite's.

Session-level advisory locks on a connection of their own: they end with the server, however it ends. (They
need a connection to PostgreSQL itself, or a pooler in session mode.)
"""

import asyncio
import time
import zlib
from typing import Any

import asyncpg  # type: ignore[import-untyped]

from signaling.store.database import Alarm
from signaling.store.steps import Refused

SPACE = 0x7765_7068  # "weph": the first half of our locks' numbers
WHOLE = 0  # the second half: held shared by each server, alone by whoever replaces all rows
ANSWER_S = 10.0  # seconds
PREDECESSOR_S = 3.0  # how long PostgreSQL may take to notice that a server was killed
AGAIN_S = 1.0  # seconds between attempts to take a lost hold again
TROUBLE = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a server killed while its last words were being read
    OSError,
    TimeoutError,
)


class Claim:
    """This server's hold: nobody replaces the rows meanwhile, and nobody else is this node."""

    def __init__(self, url: str, node: str, alarm: Alarm) -> None:
        self._url = url
        self._node = node
        self._alarm = alarm
        self._connection: Any = None
        self._again: asyncio.Task[None] | None = None

    async def take(self) -> None:
        """Refused if another server is this node, or the rows are being replaced."""
        name = {"application_name": f"wephone {self._node} lock"}
        connection = await asyncpg.connect(self._url, timeout=ANSWER_S, server_settings=name)
        try:
            if not await locked(connection, "pg_try_advisory_lock_shared", WHOLE):
                raise Refused("a backup is being restored into this database")
            if not await locked(connection, "pg_try_advisory_lock", number(self._node)):
                raise Refused(f"the database is in use by another server with the name `{self._node}`")
        except BaseException:
            await connection.close()
            raise
        connection.add_termination_listener(self._lost)
        self._connection = connection

    def _lost(self, connection: Any) -> None:
        if self._connection is connection:  # not closed by us
            self._connection = None
            self._again = asyncio.create_task(self._take_again())

    async def _take_again(self) -> None:
        told = False
        while self._connection is None:
            await asyncio.sleep(AGAIN_S)
            try:
                await self.take()
            except TROUBLE:
                continue
            except Refused as error:
                if not told:
                    self._alarm(str(error))
                told = True

    async def close(self) -> None:
        """Let go."""
        if self._again is not None:
            self._again.cancel()
            await asyncio.wait([self._again])
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                await connection.close(timeout=ANSWER_S)
            except TROUBLE:
                connection.terminate()


async def locked(connection: Any, function: str, key: int) -> bool:
    """Try for a while: a killed server's lock ends when PostgreSQL notices."""
    deadline = time.monotonic() + PREDECESSOR_S
    while not await connection.fetchval(f"SELECT {function}($1, $2)", SPACE, key):
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.05)
    return True


def number(node: str) -> int:
    """A node's lock: never WHOLE."""
    return zlib.crc32(node.encode()) % (2**31 - 1) + 1
