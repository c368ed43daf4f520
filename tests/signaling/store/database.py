"""The database behind the store's back: what an operator with a SQL shell sees and can do."""

import json
import sqlite3
from pathlib import Path
from typing import Any, Protocol

from tests.fakes.postgres import Postgres


class Direct(Protocol):
    @property
    def error(self) -> type[Exception]:
        """What a refused statement raises."""
        ...

    def run(self, statement: str) -> list[tuple[Any, ...]]: ...

    def run_all(self, *statements: str) -> None:
        """One after the other, none of which asks for rows."""
        ...

    def columns(self, view: str) -> list[str]:
        """The names of its columns, in order."""
        ...

    def disarm(self, table: str) -> None:
        """Take away the triggers, as only the tables' owner can."""
        ...

    def speaks(self, statement: str) -> bool:
        """Whether this database has such a statement."""
        ...


class DirectSqlite:
    error: type[Exception] = sqlite3.IntegrityError

    def __init__(self, path: Path) -> None:
        self._path = path

    def run(self, statement: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(self._path, isolation_level=None)
        try:
            return connection.execute(statement).fetchall()
        finally:
            connection.close()

    def run_all(self, *statements: str) -> None:
        for statement in statements:
            self.run(statement)

    def columns(self, view: str) -> list[str]:
        return [name for (name,) in self.run(f"SELECT name FROM pragma_table_info('{view}')")]

    def disarm(self, table: str) -> None:
        for (name,) in self.run(
            f"SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = '{table}'"
        ):
            self.run(f"DROP TRIGGER {name}")

    def speaks(self, statement: str) -> bool:
        return not statement.startswith("TRUNCATE")


class DirectPostgres:
    error: type[Exception] = RuntimeError

    def __init__(self, cluster: Postgres, database: str) -> None:
        self._cluster, self.database = cluster, database

    def run(self, statement: str) -> list[tuple[Any, ...]]:
        if not statement.startswith("SELECT"):
            self._cluster.sql(statement, self.database)
            return []
        text = self._cluster.sql(
            f"SELECT json_agg(json_build_array({named(statement)})) FROM ({statement}) AS rows",
            self.database,
        )
        return [tuple(row) for row in json.loads(text or "[]")]

    def run_all(self, *statements: str) -> None:
        self._cluster.sql(
            "; ".join(statements), self.database
        )  # a process for all: starting one takes longest

    def columns(self, view: str) -> list[str]:
        found = self._cluster.sql(
            f"SELECT column_name FROM information_schema.columns WHERE table_name = '{view}'"
            " ORDER BY ordinal_position",
            self.database,
        )
        return found.split()

    def disarm(self, table: str) -> None:
        self.run(f"ALTER TABLE {table} DISABLE TRIGGER ALL")

    def speaks(self, statement: str) -> bool:
        return "OR REPLACE" not in statement


def named(select: str) -> str:
    """The names of a statement's columns: after the AS, where there is one."""
    columns = select.removeprefix("SELECT ").split(" FROM ")[0].split(", ")
    return ", ".join(column.split(" AS ")[-1] for column in columns)
