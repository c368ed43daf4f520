"""The command as people run it: a process of its own, with a home of its own."""

import asyncio
import codecs
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.command import Done
from wephone.testing.kit import Kit

PIECE = 65536  # bytes read at once
PROMPT = ": "  # how a line ends that waits for an answer


class Running:
    """A command under way; what it says is kept."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.said = ""  # stdout and stderr, as they come
        self._news = asyncio.Event()
        self._out: list[str] = []
        self._err: list[str] = []
        assert process.stdout is not None and process.stderr is not None
        self._readers = [
            asyncio.create_task(self._read(process.stdout, self._out)),
            asyncio.create_task(self._read(process.stderr, self._err)),
        ]

    async def says(self, text: str, times: int = 1) -> None:
        """Wait until it has said this, so many times."""
        while self.said.count(text) < times:
            assert self._news is not None and not all(reader.done() for reader in self._readers), self.said
            self._news.clear()
            await self._news.wait()

    async def ends(self) -> Done:
        """Wait for its end."""
        await asyncio.wait(self._readers)
        return Done(await self.process.wait(), "".join(self._out), "".join(self._err))

    def interrupt(self) -> None:
        """Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    async def _read(self, stream: asyncio.StreamReader, lines: list[str]) -> None:
        decoder, begun = codecs.getincrementaldecoder("utf-8")(), ""
        while piece := await stream.read(PIECE):
            whole, end, begun = (begun + decoder.decode(piece)).rpartition("\n")
            if begun.endswith(PROMPT):
                end, begun = end + begun, ""
            self._add(whole + end, lines)
        self._add(begun, lines)

    def _add(self, text: str, lines: list[str]) -> None:
        lines.append(text)
        self.said += text
        self._news.set()


class Commands:
    """Starts commands, and ends those that are still under way when the test is over."""

    def __init__(self, home: Path, without_cards: Path) -> None:
        """`without_cards`: a folder whose modules hide the sound cards that this machine may have."""
        self._home, self._without_cards = home, without_cards
        self._running: list[Running] = []

    async def start(self, *arguments: str, stdin: str = "", **environment: str) -> Running:
        """Begin one, with this text as its stdin."""
        running = await self._start(PIPE, arguments, environment)
        assert running.process.stdin is not None
        running.process.stdin.write(stdin.encode())
        running.process.stdin.close()
        return running

    async def start_at_terminal(self, terminal: int, *arguments: str, **environment: str) -> Running:
        """Begin one with a person at its terminal, and at no other."""
        return await self._start(terminal, arguments, environment)

    async def _start(self, stdin: int, arguments: tuple[str, ...], environment: dict[str, str]) -> Running:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-W", "error", "-m", "wephone.cli.main"),
            *arguments,
            stdin=stdin,
            stdout=PIPE,
            stderr=PIPE,
            start_new_session=True,  # or `getpass` would ask whoever runs the tests, at /dev/tty
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self._home),
                "PYTHONPATH": str(self._without_cards),
                "PYTHONUTF8": "1",
                **environment,
            },
        )
        running = Running(process)
        self._running.append(running)
        return running

    async def run(self, *arguments: str, stdin: str = "", **environment: str) -> Done:
        """Begin one, and wait for its end."""
        return await (await self.start(*arguments, stdin=stdin, **environment)).ends()

    async def close(self) -> None:
        """None outlives the test."""
        for running in self._running:
            if running.process.returncode is None:
                running.process.kill()
            await running.ends()


@pytest.fixture
async def commands(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Commands]:
    """Runs `wephone` in processes of their own."""
    without_cards = tmp_path_factory.mktemp("without-cards")
    (without_cards / "sounddevice.py").write_text("raise ModuleNotFoundError('hidden')\n")
    commands = Commands(tmp_path, without_cards)
    yield commands
    await commands.close()


class Softphone:
    """`wephone` as one user of the test's server."""

    def __init__(self, kit: Kit, commands: Commands, name: str) -> None:
        self._kit, self._commands, self._name = kit, commands, name

    async def start(self, *arguments: str, **environment: str) -> Running:
        """Begin a command as this user."""
        await self._kit.server.start()
        await self._kit.server.add_user(self._name)
        account = ("--server", self._kit.server.url, "--user", self._name, "--password-stdin")
        password = self._kit.server.password(self._name)
        return await self._commands.start(*arguments, *account, stdin=f"{password}\n", **environment)

    async def run(self, *arguments: str, **environment: str) -> Done:
        """Begin it, and wait for its end."""
        return await (await self.start(*arguments, **environment)).ends()

    async def start_at_terminal(self, terminal: int, *arguments: str) -> Running:
        """Begin a command as this user, with a person at its terminal."""
        await self._kit.server.add_user(self._name)
        account = ("--server", self._kit.server.url, "--user", self._name)
        token = await self._kit.server.token(self._name)
        return await self._commands.start_at_terminal(terminal, *arguments, *account, WEPHONE_TOKEN=token)


@pytest.fixture
def carol(wephone: Kit, commands: Commands) -> Softphone:
    """The command, as carol on the test's server."""
    return Softphone(wephone, commands, "carol")
