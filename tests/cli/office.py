"""An operator's office: a server in a process of its own, and the commands that operate it."""

import json
import sqlite3
from pathlib import Path
from typing import Any

from tests.cli.conftest import Commands, Running
from tests.command import Done

BASIC: dict[str, Any] = {
    "id": "basic-1",
    "jurisdiction": "baseline",
    "categories": ["baseline:basic"],
    "valid_from": "2026-01-01",
}


class Office:
    """One data folder; a server works on it while `serve` has begun and `close` has not ended."""

    def __init__(self, commands: Commands, home: Path) -> None:
        self.commands, self.home, self.data = commands, home, home / "data"
        self.ready: dict[str, Any] = {}
        self._server: Running | None = None
        self.environment = {
            "WEPHONE_DATA": str(self.data),
            "WEPHONE_LISTEN": "127.0.0.1:0",
            "WEPHONE_OPERATOR_LISTEN": "127.0.0.1:0",
        }

    async def serve(self) -> None:
        """Start the server."""
        self._server = await self.commands.start("serve", **self.environment)
        await self._server.says("\nready ")
        line = next(line for line in self._server.said.splitlines() if line.startswith("ready "))
        self.ready = json.loads(line.removeprefix("ready "))

    async def close(self) -> None:
        """Stop it, and wait until it has."""
        if self._server is not None:
            self._server.process.terminate()
            done = await self._server.ends()
            self._server = None
            assert done.code == 0, done.err

    async def run(self, *arguments: str, stdin: str = "", **environment: str) -> Done:
        """A command of the operator."""
        return await self.commands.run(*arguments, stdin=stdin, **{**self.environment, **environment})

    async def does(self, *arguments: str, stdin: str = "", **environment: str) -> Any:
        """A command that has to succeed; the document that it prints."""
        done = await self.run(*arguments, "--json", stdin=stdin, **environment)
        assert done.code == 0, done.err
        return done.json

    async def files(self, permit: dict[str, Any], *options: str) -> Any:
        """File a permit; what the command answers."""
        return await self.does("permit", "add", "-", *options, stdin=json.dumps(permit))

    async def second_operator(self, name: str = "vera") -> str:
        """The name of another operator's account."""
        await self.does(
            "user", "add", name, "--operator", "--password-stdin", stdin="correct horse battery\n"
        )
        return name

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """What another program reads in the database."""
        connection = sqlite3.connect(f"file:{self.data / 'wephone.db'}?mode=ro", uri=True)
        try:
            return connection.execute(statement, values).fetchall()
        finally:
            connection.close()

    def change(self, *statements: str) -> None:
        """Somebody edits the database behind the server's back, triggers and all."""
        connection = sqlite3.connect(self.data / "wephone.db")
        try:
            triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
            for (name,) in triggers:
                connection.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                assert connection.execute(statement).rowcount > 0, statement
            connection.commit()
        finally:
            connection.close()
