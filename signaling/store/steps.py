"""What can be asked of a database, said once for both of them.

A command is a generator: it yields a statement with its values, is sent the rows, and returns its answer.
It does no I/O itself, so the same one runs in SQLite's writer process and over PostgreSQL's pool. Its
arguments and its answer are plain values (numbers, text, bytes, tuples, lists, dicts), because they cross
a process boundary.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, BindParameter, ColumnElement, LargeBinary, Text, bindparam, literal_column
from sqlalchemy.sql import ClauseElement

Row = tuple[Any, ...]
Values = Mapping[str, object]
Many = list[Values]  # the statement runs once for each, and answers no rows
Steps = Generator[tuple["Statement", Values | Many], Sequence[Row], Any]
Command = Callable[..., Steps]

STATEMENTS: list["Statement"] = []
COMMANDS: dict[str, Command] = {}
SINGLE: set[str] = set()
QUERIES: dict[str, Command] = {}
SURVEYS: dict[str, Command] = {}

# As SQL text, not as values: SQLite uses a partial index only where it can see the constant.
YES: ColumnElement[int] = literal_column("1")
NO: ColumnElement[int] = literal_column("0")


# The writer process imports no model of ours, so its errors are its own; the server's side turns them into
# IdTakenError and StoreError.
class Refused(Exception):
    """The command cannot be carried out, said in one sentence; nothing of it has happened."""


class Taken(Refused):
    """The id or name belongs to somebody else."""


class Undone(Exception):
    """Ends a command with an answer, and takes back what its statements did."""

    def __init__(self, answer: object) -> None:
        super().__init__(answer)
        self.answer = answer


class Statement:
    """One SQL statement. `number` is its place in STATEMENTS, and in each database's list of texts."""

    __slots__ = ("clause", "number")

    def __init__(self, clause: ClauseElement) -> None:
        self.clause = clause
        self.number = len(STATEMENTS)
        STATEMENTS.append(self)


def command(steps: Command) -> Command:
    """Register what changes rows: all of its statements happen, or none."""
    COMMANDS[steps.__name__] = steps
    return steps


def single(steps: Command) -> Command:
    """Register a command of one statement, which needs no transaction around it."""
    SINGLE.add(steps.__name__)
    return command(steps)


def query(steps: Command) -> Command:
    """Register what only reads a little: one statement, answered from an index."""
    QUERIES[steps.__name__] = steps
    return steps


def survey(steps: Command) -> Command:
    """Register what may read a lot: all of its statements see one state of the database."""
    SURVEYS[steps.__name__] = steps
    return steps


def words(name: str) -> BindParameter[str]:
    """A text given when the statement runs."""
    return bindparam(name, type_=Text())


def number(name: str) -> BindParameter[int]:
    """A whole number given when the statement runs."""
    return bindparam(name, type_=BigInteger())


def octets(name: str) -> BindParameter[bytes]:
    """Bytes given when the statement runs."""
    return bindparam(name, type_=LargeBinary())
