"""What the console lists comes from an index, on either database, however much there is."""

import re
from collections.abc import Iterator

from sqlalchemy import Executable
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from sqlalchemy.engine import Dialect

from signaling.store.steps import QUERIES, SURVEYS
from tests.fakes.postgres import Postgres
from tests.signaling.store.database import Direct, DirectPostgres

LATEST = 2**63 - 1
PAGES = {  # each list, with what it is asked for
    "accounts_from": ("b", 100),
    "staff_from": ("b", 100),
    "entries_of": ("local", 0, 500),
    "refusals_of": ("local", 0, 500, 100),
    "heads": (),
    "records": (LATEST, "", 100),
    "unconfirmed_legs": (100,),
    "facts_history": ("bob", 100),
    "checkpoints_after": (0, 100),
}
OF_FEW = {  # few rows, which may be sorted
    "entries_about": ("D-1",),
    "legs_of_call": ("c-1",),
    "heard_of_call": ("c-1",),
    "charts": (0, 100, 10),  # as many as there are spans
}


# Of an empty table PostgreSQL would read all, and sort it; it is told to do so only if there is no other way.
FORCED = "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off"


def texts(name: str, dialect: Dialect) -> Iterator[str]:
    """The query's statements with their values in them."""
    steps = {**QUERIES, **SURVEYS}[name](*{**PAGES, **OF_FEW}[name])
    try:
        statement, values = next(steps)
        while True:
            assert isinstance(values, dict) and isinstance(statement.clause, Executable)
            clause = statement.clause.params(values)
            yield str(clause.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
            statement, values = steps.send([])
    except StopIteration:
        pass


def faults(name: str, direct: Direct, postgres: Postgres) -> list[str]:
    """What of this query's plans reads, or sorts, more than it answers."""
    if isinstance(direct, DirectPostgres):
        dialect: Dialect = PGDialect()  # type: ignore[no-untyped-call]
        asked = "; ".join(f"EXPLAIN {text}" for text in texts(name, dialect))
        plan = postgres.sql(f"{FORCED}; {asked}", direct.database).splitlines()
        scans = [line for line in plan if "Seq Scan" in line]
        sorts = [line for line in plan if re.match(r"\W*Sort +\(", line)]
    else:
        asked_of_sqlite = texts(name, SQLiteDialect())
        plan = [row[3] for text in asked_of_sqlite for row in direct.run(f"EXPLAIN QUERY PLAN {text}")]
        scans = [step for step in plan if re.match(r"SCAN (?!.* USING )", step)]
        sorts = [step for step in plan if "TEMP B-TREE FOR ORDER BY" in step]
    assert plan
    return [*scans, *([] if name in OF_FEW else sorts)]


def test_lists_are_read_by_their_indexes(direct: Direct, postgres: Postgres) -> None:
    found = {name: faults(name, direct, postgres) for name in (*PAGES, *OF_FEW)}
    assert {name: each for name, each in found.items() if each} == {}
