"""Backups: one SQLite file with all rows of one moment, from either database, for either database.

A backup is taken while the server runs, and restored while none does. One that knows less than the database
it would replace brings back permits that were revoked and a chain without its end; so `restore` refuses it
and says both values, unless asked.
"""

import asyncio
import os
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from signaling.ports.store import StoreError
from signaling.store.standing import Standing, check, standing
from signaling.store.steps import Refused
from signaling.store.text_numbers import go_on_above, used_in
from signaling.store.writer import lock, migrate_file, opened, version_of

__all__ = ["Standing", "backup", "restore"]


async def backup(url: str, target: Path) -> Standing:
    """Copy all rows, as of one moment, into the new file `target`. A server may run meanwhile.

    StoreError in one line if the target exists, cannot be written, or the database cannot be read.
    """
    with errors(f"cannot back up to {target}"), unfinished(target, new=True) as part:
        if path := file_of(url):
            await asyncio.to_thread(copy, path, part)
        else:
            from signaling.store.transfer import fetch

            with closing(opened(part, "rwc")) as connection:
                migrate_file(connection, part)
                await fetch(url, connection)
        what = await asyncio.to_thread(finish, part)
        part.replace(target)
        sync(target.parent)
    return what


async def restore(source: Path, url: str, *, lower_epoch: bool, at_least: Standing | None = None) -> Standing:
    """Replace all rows of the database by the backup's, in one step; what it then has.

    StoreError, and nothing changed, while a server holds the database; if the backup is damaged or newer than
    this program; and, unless `lower_epoch`, if it lacks what the database has, or what `at_least` (a
    checkpoint kept elsewhere) says there once was.
    """
    with errors(f"cannot restore {source}"):
        kept = [] if lower_epoch or at_least is None else [("the checkpoint", at_least)]
        if path := file_of(url):
            return await asyncio.to_thread(replace_file, source, path, kept, lower_epoch)
        from signaling.store.transfer import replace_rows

        with tempfile.TemporaryDirectory(prefix="wephone-restore-") as folder:
            part = Path(folder) / "backup"
            await asyncio.to_thread(prepare, source, part)
            with closing(opened(part, "rw")) as connection:
                for name, has in kept:
                    check(connection, name, has)
                await replace_rows(url, connection, None if lower_epoch else check)
                return standing(connection)


def file_of(url: str) -> Path | None:
    """The file of a SQLite database, none for another kind."""
    return Path(url.removeprefix("sqlite:///")).absolute() if url.startswith("sqlite:///") else None


def replace_file(
    source: Path, path: Path, kept: Sequence[tuple[str, Standing]], lower_epoch: bool
) -> Standing:
    with closing(lock(path, os.getpid())), unfinished(path) as part:
        prepare(source, part)
        with closing(opened(part, "rw")) as connection:
            if path.exists() and not lower_epoch:
                kept = [*kept, ("the database", standing_of(path))]
            for name, has in kept:
                check(connection, name, has)
            go_on_above(connection, texts_of(path))
        what = finish(part)
        fold(path)
        part.replace(path)
        sync(path.parent)
        return what


def standing_of(path: Path) -> Standing:
    """What the database has that is to be replaced."""
    try:
        with closing(opened(path, "rw")) as connection:
            return Standing(0) if version_of(connection) is None else standing(connection)
    except sqlite3.Error as error:
        raise Refused(
            f"what the database {path} has cannot be read ({error}), so that it may be more"
        ) from None


def texts_of(path: Path) -> int:
    """The number of the newest text in the database that is to be replaced, as far as it can be read."""
    if not path.exists():
        return 0
    try:
        with closing(opened(path, "rw")) as connection:
            return used_in(connection)
    except sqlite3.Error:
        return 0


def copy(source: Path, target: Path) -> None:
    """A file's rows as of one moment: SQLite's online backup. A writer does not wait for it."""
    with (
        closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as old,
        closing(opened(target, "rwc")) as new,
    ):
        old.execute("BEGIN")  # one read transaction: no commit makes it start again
        old.execute("SELECT 1 FROM sqlite_schema").fetchall()
        old.backup(new)


def prepare(source: Path, part: Path) -> None:
    """A copy of the backup at this program's version, whole and sound."""
    copy(source, part)
    with closing(opened(part, "rw")) as connection:
        if version_of(connection) is None:
            raise Refused("it is not a backup of WePhone")
        sound(connection)
        migrate_file(connection, part)


def finish(part: Path) -> Standing:
    """Make it one sound file on the disk."""
    with closing(opened(part, "rw")) as connection:
        sound(connection)
        what = standing(connection)
        connection.execute("PRAGMA journal_mode = DELETE")
    sync(part)
    return what


def sound(connection: sqlite3.Connection) -> None:
    [(found,)] = connection.execute("PRAGMA integrity_check(1)").fetchall()
    if found != "ok":
        raise Refused(f"the rows are damaged: {' '.join(found.split())}")


def fold(path: Path) -> None:
    """Fold the log of the old file into it: a log that is left would be taken for the new file's."""
    if not path.exists():
        return
    try:
        with closing(opened(path, "rw")) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError:
        raise  # in use by a foreign program, or the disk is full
    except sqlite3.DatabaseError:
        pass  # damaged: it goes, and its log with it
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


@contextmanager
def unfinished(target: Path, *, new: bool = False) -> Iterator[Path]:
    """A name beside the target to write to; what is left there in the end is removed."""
    if new and target.exists():
        raise Refused("the file exists already")
    part = target.absolute().with_name(target.name + ".part")
    names = [part.with_name(part.name + suffix) for suffix in ("", "-wal", "-shm", "-journal")]
    remove(names)
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        yield part
    finally:
        remove(names)


def remove(names: Iterable[Path]) -> None:
    for name in names:
        name.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Have the file, or the names in the folder, on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def errors(start: str) -> Iterator[None]:
    """StoreError in one line for what can go wrong with files and databases."""
    try:
        yield
    except (Refused, sqlite3.Error, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise StoreError(f"{start}: {reason}") from None
