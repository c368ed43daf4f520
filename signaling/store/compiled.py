"""Every statement as the text that one kind of database reads; made once, at start."""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import Dialect

from signaling.store import commands
from signaling.store.steps import STATEMENTS, Many, Row, Steps, Values

assert commands  # importing it registers the statements


def sqlite_texts() -> list[tuple[str, dict[str, Any]]]:
    """For each statement its text with :named values, and the values it brings itself."""
    dialect = sqlite.dialect(paramstyle="named")
    return [_sqlite_text(statement.clause.compile(dialect=dialect)) for statement in STATEMENTS]


def _sqlite_text(compiled: Any) -> tuple[str, dict[str, Any]]:
    return str(compiled), {name: value for name, value in compiled.params.items() if value is not None}


def numbered_texts(dialect: Dialect) -> list[tuple[str, Callable[[Values], Sequence[Any]]]]:
    """For each statement its text with $1, $2 ..., and what puts named values in that order."""
    return [_numbered_text(statement.clause.compile(dialect=dialect)) for statement in STATEMENTS]


def _numbered_text(compiled: Any) -> tuple[str, Callable[[Values], Sequence[Any]]]:
    own = {name: value for name, value in compiled.params.items() if value is not None}
    names = list(compiled.positiontup or ())

    def in_order(values: Values) -> Sequence[Any]:
        given: Mapping[str, Any] = {**own, **values}
        return [given[name] for name in names]

    if own or len(names) < 2:
        return str(compiled), in_order
    return str(compiled), itemgetter(*names)


def run(steps: Steps, execute: Callable[[int, Values | Many], Sequence[Row]]) -> Any:
    """Run a command's statements one after the other; its answer."""
    try:
        statement, values = next(steps)
        while True:
            statement, values = steps.send(execute(statement.number, values))
    except StopIteration as end:
        return end.value
