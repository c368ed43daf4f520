"""Everything the server keeps: on SQLite through one writer process, or on PostgreSQL."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from signaling.store.database import Alarm, Database
    from signaling.store.rows import DatabaseStore

__all__ = ["open_store"]


async def open_store(
    url: str, *, node: str = "local", alarm: "Alarm | None" = None, owner_url: str | None = None
) -> "DatabaseStore":
    """The store at `sqlite:///PATH` or `postgresql://...`, migrated and ready; close it when done.

    `node` names this server in the rows that it owns. `alarm` is told in one sentence when nothing can be
    stored any more. `owner_url` (PostgreSQL only) migrates as another role than the one that then works: that
    one is granted what it needs, and has no right to change what is only ever added.

    StoreError, in one line, if the database cannot be opened, is newer than the program, or is open in
    another process.
    """
    import logging

    from signaling.ports.store import StoreError
    from signaling.store.rows import DatabaseStore

    alarm = alarm or logging.getLogger(__name__).critical
    database: Database
    if url.startswith("sqlite:///"):
        from signaling.store.sqlite import SqliteDatabase

        sqlite = SqliteDatabase(url.removeprefix("sqlite:///"), node, alarm)
        await sqlite.open()
        database = sqlite
    elif url.startswith(("postgresql://", "postgres://")):
        try:
            from signaling.store.postgresql import PostgresDatabase
        except ModuleNotFoundError as error:
            if error.name != "asyncpg":
                raise
            raise StoreError("PostgreSQL needs the extra: pip install 'wephone[postgres]'") from None
        postgres = PostgresDatabase(url, node, alarm)
        await postgres.open(owner_url)
        database = postgres
    else:
        raise StoreError("a database is named by sqlite:///PATH or postgresql://...")
    return DatabaseStore(database)
