"""SQLite: commands go to the writer process, reads come from the file itself."""

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from signaling.ports.store import StoreError
from signaling.store.compiled import run, sqlite_texts
from signaling.store.database import Alarm
from signaling.store.process import WriterProcess
from signaling.store.steps import QUERIES, SURVEYS, Many, Refused, Row, Values

AGAIN_S = 1.0  # seconds before a writer process that died gets a successor


class SqliteDatabase:
    """One SQLite file, and the process that writes it: another one, should that die."""

    def __init__(self, path: str, node: str, alarm: Alarm) -> None:
        self.node = node
        self.ordered = True
        self._path = Path(path).absolute()
        self.url = f"sqlite:///{self._path}"
        self._alarm = alarm
        self._problem: str | None = None
        self._closing = False
        self._succession: asyncio.Task[None] | None = None
        self._writer: WriterProcess | None = None
        self._reader: Reader | None = None

    async def open(self) -> None:
        """Start the writer process. StoreError in one line if it cannot open or lock the file."""
        writer = self._new_writer()
        await writer.start()
        self._writer = writer
        try:
            self._reader = Reader(self._path)
        except sqlite3.Error as error:
            await self.close()
            raise StoreError(f"cannot open the database {self._path}: {error}") from None

    def _new_writer(self) -> WriterProcess:
        return WriterProcess(self._path, self._wrote, self._writer_died)

    def write(self, command: str, *arguments: object) -> "asyncio.Future[Any]":
        """See Database.write."""
        if self._writer is not None:
            return self._writer.write(command, arguments)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        future.set_exception(StoreError(f"the database {self._path} is closed"))
        return future

    def _wrote(self, trouble: str | None) -> None:
        """A commit succeeded, or failed because of `trouble`, of which the operator hears once."""
        if trouble and not self._problem:
            self._alarm(trouble)
        self._problem = trouble

    def _writer_died(self) -> None:
        self._problem = f"the process that writes {self._path} has ended: nothing can be stored"
        self._alarm(self._problem)
        self._succession = asyncio.create_task(self._succeed())

    async def _succeed(self) -> None:
        if self._writer is not None:
            await self._writer.close()
        while not self._closing:
            await asyncio.sleep(AGAIN_S)
            writer = self._new_writer()
            try:
                await writer.start()
            except StoreError as error:
                self._problem = str(error)
                continue
            self._writer, self._problem = writer, None
            break

    async def read(self, query: str, *arguments: object) -> Any:
        """See Database.read."""
        if self._reader is None:
            raise StoreError(f"the database {self._path} is closed")
        steps = QUERIES.get(query)
        if steps is not None:
            return self._reader.now(steps(*arguments))
        return await self._reader.aside(SURVEYS[query](*arguments))

    async def durability_problem(self) -> str | None:
        """See Database.durability_problem."""
        return self._problem

    async def close(self) -> None:
        """See Database.close."""
        self._closing = True
        if self._succession is not None:
            self._succession.cancel()
            await asyncio.wait([self._succession])
        if self._reader is not None:
            await self._reader.close()
            self._reader = None
        if self._writer is not None:
            await self._writer.close()
            self._writer = None


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
