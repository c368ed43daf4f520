"""The process that owns a SQLite file: it alone writes it, many commands to a commit.

A process of its own, because `fsync` and the interpreter lock would otherwise be paid by calls: the server
sends commands over a socket pair and is told which of them are on the disk. There is no timer: what piled up
while the last commit ran is the next one. The process ends when the server's end of the socket closes.
"""

import fcntl
import gc
import os
import signal
import socket
import sqlite3
import sys
import time
from collections.abc import Sequence
from io import FileIO
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from signaling.store.compiled import run, sqlite_texts
from signaling.store.frames import DONE, FAILED, READY, TAKEN, UNWRITTEN, Unpacker, packed
from signaling.store.migrations import HEAD, migrate
from signaling.store.steps import COMMANDS, Many, Refused, Row, Taken, Undone, Values

Request = tuple[int, str, tuple[Any, ...]]
Reply = tuple[int, int, Any]

MOST_TOGETHER = 1024  # commands per commit: beyond some hundreds a larger one only keeps the first waiting
PIECE = 256 * 1024  # bytes read at once
BUSY_MS = 5_000  # how long a foreign program may hold the file's write lock
LARGEST_LOG = 64 * 1024 * 1024  # bytes: a log that a long read made longer is cut back to this
PREDECESSOR_S = 10.0  # how long the writer of a server that was killed may take to end


class Writer:
    """One SQLite file, locked against every other writer of ours."""

    def __init__(self, path: Path, owner: int) -> None:
        """Lock, migrate and open. Refused says why not. `owner` is the server's process id."""
        self._path = path
        self._lock = lock(path, owner)
        self._texts = sqlite_texts()
        self._connection: sqlite3.Connection | None = None
        try:
            # SQLite itself would open a file that cannot be written for reading.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._connection = opened(path, "rw")
            migrate_file(self._connection, path)
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise Refused(f"cannot open the database {path}: {said(error)}") from None

    def commit(self, requests: Sequence[Request]) -> list[Reply]:
        """Carry the commands out in order and make them durable together; one that fails, fails alone."""
        try:
            if self._connection is None:
                self._connection = opened(self._path, "rw")
            execute = self._connection.execute
            execute("BEGIN IMMEDIATE")
            replies = [self._reply(request) for request in requests]
            execute("COMMIT")
        except sqlite3.Error as error:
            self._take_back(error)
            sentence = f"cannot write the database {self._path}: {said(error)}"
            return [(number, UNWRITTEN, sentence) for number, _, _ in requests]
        return replies

    def _reply(self, request: Request) -> Reply:
        number, name, arguments = request
        assert self._connection is not None
        execute = self._connection.execute
        execute("SAVEPOINT command")
        try:
            answer = run(COMMANDS[name](*arguments), self._execute)
        except Undone as undone:
            reply = (number, DONE, undone.answer)
        except Taken as error:
            reply = (number, TAKEN, str(error))
        except Refused as error:
            reply = (number, FAILED, str(error))
        except Exception as error:
            # A full disk ends the transaction and with it the savepoint: then all fail together.
            if not self._connection.in_transaction:
                raise
            reply = (number, FAILED, f"cannot carry out {name}: {type(error).__name__}: {error}")
        else:
            execute("RELEASE command")
            return number, DONE, answer
        execute("ROLLBACK TO command")
        execute("RELEASE command")
        return reply

    def _execute(self, number: int, values: Values | Many) -> Sequence[Row]:
        assert self._connection is not None
        text, own = self._texts[number]
        if isinstance(values, list):
            self._connection.executemany(text, values)
            return ()
        return self._connection.execute(text, {**own, **values} if own else values).fetchall()

    def _take_back(self, error: sqlite3.Error) -> None:
        """After a failed commit. A full or locked file leaves the connection sound, and another would not
        find the room to open; after anything else the next commands open another."""
        if self._connection is None:
            return
        sound = getattr(error, "sqlite_errorcode", None) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY)
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            sound = False
        if not sound:
            self._disconnect()

    def _disconnect(self) -> None:
        if self._connection is not None:
            try:
                self._connection.close()  # rolls back
            except sqlite3.Error:
                pass
            self._connection = None

    def close(self) -> None:
        """Fold the log into the file and let go of it."""
        self._disconnect()
        self._lock.close()


def said(error: sqlite3.Error | OSError) -> str:
    """What went wrong; "disk I/O error" alone would not help whoever has to find out."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    name = getattr(error, "sqlite_errorname", "")
    return f"{error} ({name})" if name.startswith("SQLITE_IOERR_") else str(error)


def lock(path: Path, owner: int) -> FileIO:
    """The lock file beside the database; Refused names the process that holds it."""
    try:
        # Unbuffered: what finds no room on the disk says so at once, and is not tried again when it closes.
        file = FileIO(path.with_name(path.name + ".lock"), "a+")
    except OSError as error:
        raise Refused(f"cannot open the database {path}: {error.strerror or error}") from None
    try:
        take(file, path)
        file.truncate(0)
        file.write(f"{owner}\n".encode())
    except OSError as error:
        file.close()
        raise Refused(f"cannot open the database {path}: {error.strerror or error}") from None
    except Refused:
        file.close()
        raise
    return file


def take(file: FileIO, path: Path) -> None:
    """Wait for a killed server's writer to end, and for nobody else."""
    deadline = time.monotonic() + PREDECESSOR_S
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().decode(errors="replace").strip()
            # What the killed server had sent is being committed.
            if not is_dead(holder) or time.monotonic() > deadline:
                raise Refused(f"the database {path} is in use by process {holder or '?'}") from None
            time.sleep(0.01)
        else:
            return


def is_dead(process: str) -> bool:
    """Whether this process has ended, even if its parent has not noticed yet."""
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except (ValueError, PermissionError):
        return False
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:  # another kind of system, or it has ended just now
        return False
    return stat.rpartition(")")[2].split()[0] in ("Z", "X")  # proc(5)


def opened(path: Path, mode: str) -> sqlite3.Connection:
    """A connection on which a commit means that the row is on the disk. `mode`: rw, or rwc to create it."""
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_MS / 1000,
        isolation_level=None,
        cached_statements=512,
    )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # fsync at every commit
    connection.execute("PRAGMA fullfsync = ON")  # macOS: fsync alone does not reach the disk
    connection.execute(f"PRAGMA journal_size_limit = {LARGEST_LOG}")
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


def migrate_file(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the file to this program's version, in one transaction."""
    if version_of(connection) == HEAD:
        return
    engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
    # The driver itself begins none: the file is either at the old version or at the new one.
    event.listen(engine, "begin", lambda begun: begun.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        with engine.begin() as begun:
            migrate(begun, str(path))
    except DBAPIError as error:
        raise error.orig or error from None


def version_of(connection: sqlite3.Connection) -> str | None:
    """The version that the file says it has; none for an empty one."""
    if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'alembic_version'").fetchone():
        return None
    [(version,)] = connection.execute("SELECT version_num FROM alembic_version").fetchall() or [(None,)]
    return str(version)


def serve(end: socket.socket, writer: Writer) -> None:
    """Until the server closes its end: read what piled up, commit it, say so."""
    unpacker = Unpacker()
    waiting: list[Request] = []
    while data := end.recv(PIECE):
        waiting += unpacker.feed(data)
        while waiting:
            replies = writer.commit(waiting[:MOST_TOGETHER])
            del waiting[:MOST_TOGETHER]
            end.sendall(packed(replies))


def main(descriptor: int, path: Path, owner: int) -> int:
    """The process. It ignores the signals that end a server: the server closes the socket when it is done."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    os.umask(0o077)
    with socket.socket(fileno=descriptor) as end:
        try:
            writer = Writer(path, owner)
        except Refused as error:
            end.sendall(packed([(READY, FAILED, str(error))]))
            return 1
        try:
            end.sendall(packed([(READY, DONE, None)]))
            gc.freeze()  # what is there now stays: no collection looks at it again
            serve(end, writer)
        except ConnectionError:
            pass  # the server was killed; what it sent before is on the disk
        finally:
            writer.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
