"""What the console lists comes from an index, on either database, however much there is."""

import re

import pytest
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
    "heads": (),
    "records": (LATEST, "", 100),
    "unconfirmed_legs": (100,),
    "facts_history": ("bob", 100),
    "checkpoints_after": (0, 100),
}
OF_ONE = {  # the same of one thing: few rows, which may be sorted
    "entries_about": ("D-1",),
    "legs_of_call": ("c-1",),
}


# Of an empty table PostgreSQL would read all, and sort it; it is told to do so only if there is no other way.
FORCED = "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off; EXPLAIN"


def text(name: str, dialect: Dialect) -> str:
    """The query with its values in it."""
    steps = {**QUERIES, **SURVEYS}[name]
    statement, values = next(steps(*{**PAGES, **OF_ONE}[name]))
    assert isinstance(values, dict)
    assert isinstance(statement.clause, Executable)
    clause = statement.clause.params(values)
    return str(clause.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


@pytest.mark.parametrize("name", [*PAGES, *OF_ONE])
def test_a_list_is_read_by_its_index(name: str, direct: Direct, postgres: Postgres) -> None:
    if isinstance(direct, DirectPostgres):
        dialect: Dialect = PGDialect()  # type: ignore[no-untyped-call]
        plan = postgres.sql(f"{FORCED} {text(name, dialect)}", direct.database).splitlines()
        scans = [line for line in plan if "Seq Scan" in line]
        sorts = [line for line in plan if re.match(r"\W*Sort +\(", line)]
    else:
        plan = [row[3] for row in direct.run(f"EXPLAIN QUERY PLAN {text(name, SQLiteDialect())}")]
        scans = [step for step in plan if re.match(r"SCAN (?!.* USING )", step)]
        sorts = [step for step in plan if "TEMP B-TREE FOR ORDER BY" in step]
    assert not scans, plan
    assert name in OF_ONE or not sorts, plan
