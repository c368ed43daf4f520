"""What the rows need of a database: carry out a command, ask a query."""

import re
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

Alarm = Callable[[str], None]  # told, in one sentence, what an operator has to know


class Database(Protocol):
    """SQLite through its writer process, or PostgreSQL through a pool."""

    node: str
    url: str  # with which another process may read it
    ordered: bool  # commands are carried out in the order in which they were sent

    def write(self, command: str, *arguments: object) -> Awaitable[Any]:
        """The command's answer once it is durable; StoreError or IdTakenError if it is not."""
        ...

    def read(self, query: str, *arguments: object) -> Awaitable[Any]:
        """The query's or survey's answer; StoreError if the database cannot be read."""
        ...

    def durability_problem(self) -> Awaitable[str | None]:
        """Why a commit here may be lost with the power, in one sentence; none if it may not."""
        ...

    def close(self) -> Awaitable[None]:
        """Finish what was sent, and let go of the database."""
        ...


def database_shown(url: str) -> str:
    """The database's address without its password."""
    url = re.sub(r"://([^/@:]*):[^/@]*@", r"://\1@", url)
    return re.sub(r"(?<=[?&])password=[^&]*&?", "", url).rstrip("?&")
