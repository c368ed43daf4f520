"""The server's side of SQLite: commands go to the writer process, reads come from the file itself."""

import asyncio
import os
import socket
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import signaling
from signaling.ports import IdTakenError, StoreError
from signaling.store.compiled import run, sqlite_texts
from signaling.store.database import Alarm
from signaling.store.frames import DONE, READY, TAKEN, Unpacker, packed
from signaling.store.steps import QUERIES, SURVEYS, Many, Refused, Row, Values

MOST_WAITING = 20_000  # commands: a disk that is this far behind will not catch up in time for a call
LAST_COMMITS_S = 30.0  # how long the writer may take to finish when the server stops


class SqliteDatabase(asyncio.Protocol):
    """One SQLite file and the process that writes it."""

    def __init__(self, path: str, node: str, alarm: Alarm) -> None:
        self.node = node
        self.ordered = True
        self._path = Path(path).absolute()
        self._alarm = alarm
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._number = READY
        self._outgoing: list[bytes] = []
        self._unpacker = Unpacker()
        self._problem: str | None = None
        self._closing = False
        self._gone: asyncio.Future[None] = self._loop.create_future()
        self._reader: Reader | None = None

    async def open(self) -> None:
        """Start the writer process. StoreError in one line if it cannot open or lock the file."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = start_writer(theirs, self._path)
        ready = self._waiting[READY] = self._loop.create_future()
        transport, _ = await self._loop.create_unix_connection(lambda: self, sock=ours)
        self._transport = transport
        try:
            await ready
            self._reader = Reader(self._path)
        except BaseException:
            await self.close()
            raise

    def write(self, command: str, *arguments: object) -> "asyncio.Future[Any]":
        """Send the command with all others of this turn of the loop; see Database.write."""
        future: asyncio.Future[Any] = self._loop.create_future()
        if self._problem or self._closing or len(self._waiting) >= MOST_WAITING:
            future.set_exception(StoreError(self._problem or self._refusal()))
            return future
        self._number += 1
        self._waiting[self._number] = future
        if not self._outgoing:
            self._loop.call_soon(self._send)
        self._outgoing.append(packed((self._number, command, arguments)))
        return future

    def _refusal(self) -> str:
        if self._closing:
            return f"the database {self._path} is closed"
        return f"the disk of {self._path} is {len(self._waiting)} commands behind"

    def _send(self) -> None:
        if not self._outgoing:
            return
        self._transport.write(b"".join(self._outgoing))
        self._outgoing.clear()

    def data_received(self, data: bytes) -> None:
        for replies in self._unpacker.feed(data):
            for number, kind, answer in replies:
                future = self._waiting.pop(number)
                if future.done():  # whoever asked has given up; the row is there all the same
                    continue
                if kind == DONE:
                    future.set_result(answer)
                else:
                    future.set_exception(IdTakenError(answer) if kind == TAKEN else StoreError(answer))

    def connection_lost(self, error: Exception | None) -> None:
        # Fail at once what waits and what will come: a telephone call is not made on a hope.
        if not self._closing:
            self._problem = f"the process that writes {self._path} has ended: nothing can be stored"
            if self._reader is not None:
                self._alarm(self._problem)
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(StoreError(self._problem or self._refusal()))
        self._waiting.clear()
        self._gone.set_result(None)

    async def read(self, query: str, *arguments: object) -> Any:
        """See Database.read."""
        if self._reader is None:
            raise StoreError(self._refusal())
        steps = QUERIES.get(query)
        if steps is not None:
            return self._reader.now(steps(*arguments))
        return await self._reader.aside(SURVEYS[query](*arguments))

    async def durability_problem(self) -> str | None:
        return self._problem

    async def close(self) -> None:
        """Let the writer commit what it was sent, and wait for its end."""
        if not self._closing:
            self._closing = True
            self._send()
            if self._transport.can_write_eof() and not self._transport.is_closing():
                self._transport.write_eof()  # the writer answers what it has, then closes its end
        if self._reader is not None:
            await self._reader.close()
            self._reader = None
        try:
            await asyncio.wait_for(asyncio.shield(self._gone), LAST_COMMITS_S)
        except TimeoutError:
            self._process.kill()
            await self._gone
        self._transport.close()
        await asyncio.to_thread(self._process.wait)


def start_writer(end: socket.socket, path: Path) -> "subprocess.Popen[bytes]":
    """The writer process, with nothing of ours open but its end of the socket."""
    packages = str(Path(signaling.__file__).parent.parent)
    inherited = os.environ.get("PYTHONPATH")
    environment = {**os.environ, "PYTHONPATH": packages + (os.pathsep + inherited if inherited else "")}
    arguments = [str(end.fileno()), str(path), str(os.getpid())]
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "signaling.store.writer", *arguments],
        pass_fds=[end.fileno()],
        stdin=subprocess.DEVNULL,
        env=environment,
    )


class Reader:
    """Read-only connections to the file: one in the event loop, one in a thread.

    A query of one indexed statement takes 10 to 60 µs, less than handing it to a thread and back (100 µs and
    the interpreter lock), and in WAL mode it never waits for the writer. A survey may take long: it gets the
    thread.
    """

    def __init__(self, path: Path) -> None:
        self._texts = sqlite_texts()
        self._near, self._far = self._opened(path), self._opened(path)
        self._thread = ThreadPoolExecutor(1, "store-survey")

    @staticmethod
    def _opened(path: Path) -> sqlite3.Connection:
        return sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro",
            uri=True,
            timeout=0.05,  # seconds: the loop does not wait, and in WAL mode a reader hardly ever has to
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )

    def now(self, steps: Any) -> Any:
        """Answer in line."""
        try:
            return run(steps, lambda number, values: self._rows(self._near, number, values))
        except Refused as error:
            raise StoreError(str(error)) from None
        except sqlite3.Error as error:
            raise StoreError(f"cannot read the database: {error}") from error

    async def aside(self, steps: Any) -> Any:
        """Answer from the thread, all statements from one state of the database."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._survey, steps)

    def _survey(self, steps: Any) -> Any:
        try:
            self._far.execute("BEGIN")
            try:
                return run(steps, lambda number, values: self._rows(self._far, number, values))
            finally:
                self._far.execute("ROLLBACK")
        except Refused as error:
            raise StoreError(str(error)) from None
        except sqlite3.Error as error:
            raise StoreError(f"cannot read the database: {error}") from error

    def _rows(self, connection: sqlite3.Connection, number: int, values: Values | Many) -> list[Row]:
        assert not isinstance(values, list), "a query runs a statement once"
        text, own = self._texts[number]
        return connection.execute(text, {**own, **values} if own else values).fetchall()

    async def close(self) -> None:
        await asyncio.to_thread(self._thread.shutdown)
        self._near.close()
        self._far.close()
