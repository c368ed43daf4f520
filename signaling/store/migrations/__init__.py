"""The database's versions. One is applied when the program that needs it opens the database."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from signaling.store.steps import Refused

HEAD = "0015"

# Tables whose rows are never changed nor deleted.
ADDED_ONLY = frozenset({"checkpoint", "journal_entry", "register_version"})


def migrate(connection: Connection, name: str) -> None:
    """Bring the database to HEAD inside the connection's transaction; Refused if it is newer."""
    version = current_version(connection)
    if version == HEAD:
        return
    if version is not None and version > HEAD:
        raise Refused(
            f"the database {name} is at version {version} and this program knows {HEAD}: it needs a newer one"
        )
    # Only here: Alembic costs 0.2 s to import, and most starts find the database up to date.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def grant(connection: Connection, role: str) -> None:
    """Let `role` do what the server does, where another role owns the tables (PostgreSQL)."""
    if connection.execute(text("SELECT current_user")).scalar_one() == role:
        return
    quoted = connection.dialect.identifier_preparer.quote_identifier(role)
    tables = set(inspect(connection).get_table_names())
    everything = ", ".join(sorted(tables | set(inspect(connection).get_view_names())))
    changing = ", ".join(sorted(tables - ADDED_ONLY - {"alembic_version"}))
    added = ", ".join(sorted(ADDED_ONLY))
    connection.execute(text(f"GRANT SELECT ON {everything} TO {quoted}"))
    connection.execute(text(f"GRANT INSERT, UPDATE, DELETE ON {changing} TO {quoted}"))
    connection.execute(text(f"GRANT INSERT ON {added} TO {quoted}"))


def current_version(connection: Connection) -> str | None:
    """The version that the database says it has; none for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
