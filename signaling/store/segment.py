"""A piece of a chain read and verified past the store, in a thread or in a process of its own.

Years of a journal are millions of entries. Verified in the server they would keep calls waiting for the
interpreter lock; so a long chain is cut into pieces, one process each. A piece takes the hash before it for
granted, which the piece before it confirms.
"""

import asyncio
import json
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from licensing.audit import MOST_NAMED, Broken, Checked, Head, Row, sealed_in, verify_rows

CHUNK = 2_000  # entries in memory at once
TOLD_EVERY = 20_000  # entries between two words about progress
MAPPED = 1 << 33  # bytes
TOGETHER = 500  # clear values to a statement

_ENTRIES = "SELECT node, seq, at, said_at, kind, subject, body, prev, hash FROM journal_entry"
_CLEAR = "SELECT hash, salt, value FROM clear_value"

ClearRow = tuple[str, bytes, str]
Tell = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Piece:
    """What is to be verified: a node's entries after `after` and up to `upto`, or all that there are."""

    database: str
    after: Head
    upto: int | None
    kept: tuple[Head, ...] = ()  # that its entries have to agree with
    names: bool = True  # the clear values too


def check(piece: Piece, tell: Tell = lambda count: None) -> Checked:
    """Verify it; `tell` hears from time to time how many entries more are done.

    OSError or sqlite3.Error if it cannot be read.
    """
    if piece.database.startswith("sqlite:///"):
        path = Path(piece.database.removeprefix("sqlite:///")).absolute()
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            connection.execute(f"PRAGMA mmap_size = {MAPPED}")  # clear values are found all over the file
            connection.execute("BEGIN")  # one state of the file
            return _walked(piece, _SqliteReader(connection, piece), tell)
    return asyncio.run(_check_postgresql(piece, tell))


class _SqliteReader:
    """Reads a piece from a file."""

    def __init__(self, connection: sqlite3.Connection, piece: Piece) -> None:
        self._connection, self._piece = connection, piece

    def chunks(self) -> Iterator[list[Row]]:
        after, upto = self._piece.after, self._piece.upto
        upper = "" if upto is None else f" AND seq <= {upto:d}"
        cursor = self._connection.execute(
            f"{_ENTRIES} WHERE node = ? AND seq > ?{upper} ORDER BY seq", (after.node, after.seq)
        )
        while rows := cursor.fetchmany(CHUNK):
            yield rows

    def clear(self, hashes: Sequence[str]) -> Iterator[ClearRow]:
        for first in range(0, len(hashes), TOGETHER):
            some = hashes[first : first + TOGETHER]
            marks = ",".join("?" * len(some))
            yield from self._connection.execute(f"{_CLEAR} WHERE hash IN ({marks})", some)


def _walked(piece: Piece, reader: _SqliteReader, tell: Tell) -> Checked:
    checked = Checked(piece.after)
    told = 0
    for rows in reader.chunks():
        hashes = _looked_for(piece, rows)
        _take(piece, checked, rows, hashes, reader.clear([*dict.fromkeys(each for _, each in hashes)]))
        if checked.broken is not None:
            return checked
        told += len(rows)
        if told >= TOLD_EVERY:
            tell(told)
            told = 0
    tell(told)
    return _ended(piece, checked)


async def _check_postgresql(piece: Piece, tell: Tell) -> Checked:
    import asyncpg  # type: ignore[import-untyped]  # an extra of the package

    try:
        connection = await asyncpg.connect(piece.database)
        try:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                return await _read_postgresql(connection, piece, tell)
        finally:
            await connection.close()
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise OSError(str(error)) from error


async def _read_postgresql(connection: Any, piece: Piece, tell: Tell) -> Checked:
    checked = Checked(piece.after)
    upper = "" if piece.upto is None else f" AND seq <= {piece.upto:d}"
    cursor = await connection.cursor(
        f"{_ENTRIES} WHERE node = $1 AND seq > $2{upper} ORDER BY seq", piece.after.node, piece.after.seq
    )
    while records := await cursor.fetch(CHUNK):
        rows: list[Row] = [tuple(record) for record in records]
        hashes = _looked_for(piece, rows)
        asked = [*dict.fromkeys(each for _, each in hashes)]
        clear = await connection.fetch(f"{_CLEAR} WHERE hash = ANY($1::text[])", asked) if asked else ()
        _take(piece, checked, rows, hashes, map(tuple, clear))
        if checked.broken is not None:
            return checked
        tell(len(rows))
    return _ended(piece, checked)


def _looked_for(piece: Piece, rows: Iterable[Row]) -> list[tuple[int, str]]:
    """Entry and hash of each clear value that these entries may have."""
    if not piece.names:
        return []
    return [(row[1], each) for row in rows if type(row[6]) is str for each in sealed_in(row[6])]


def _take(
    piece: Piece,
    checked: Checked,
    rows: Sequence[Row],
    hashes: Iterable[tuple[int, str]],
    clear: Iterable[ClearRow],
) -> None:
    """The next entries, with what lies beside them."""
    first, last = checked.head.seq, rows[-1][1]
    due = [head for head in piece.kept if type(last) is int and first < head.seq <= last]
    found = verify_rows(rows, after=checked.head, kept=due)
    states = {value_hash: _state(value_hash, salt, value) for value_hash, salt, value in clear}
    for seq, value_hash in hashes:
        state = states.get(value_hash, "erased")
        checked.clear[state] += 1
        if state == "altered" and len(checked.altered) < MOST_NAMED and seq not in checked.altered:
            checked.altered.append(seq)
    if isinstance(found, Broken):
        checked.broken = found
    else:
        checked.head = found.head


def _state(value_hash: str, salt: object, value: object) -> str:
    if not isinstance(salt, bytes) or not isinstance(value, str):
        return "altered"
    found = sha256(salt + value.encode("utf-8", "surrogatepass")).hexdigest()
    return "present" if found == value_hash else "altered"


def _ended(piece: Piece, checked: Checked) -> Checked:
    """No entry is left: is there none that there should be?"""
    due = [head for head in piece.kept if head.seq > checked.head.seq]
    if piece.upto is not None and piece.upto > checked.head.seq:
        checked.broken = Broken(
            checked.head.node, checked.head.seq + 1, f"missing: the chain goes on to {piece.upto}"
        )
    cut = verify_rows((), after=checked.head, kept=due)
    if isinstance(cut, Broken):
        checked.broken = cut
    return checked


# In a process of its own


def packed(piece: Piece) -> bytes:
    """The piece as the process reads it."""
    return json.dumps(asdict(piece)).encode()


def unpacked(text: bytes) -> Piece:
    fields = json.loads(text)
    kept = tuple(Head(**head) for head in fields["kept"])
    return Piece(fields["database"], Head(**fields["after"]), fields["upto"], kept, fields["names"])


def read_line(line: bytes) -> int | Checked:
    """What the process said: how many entries more are done, or how it ended. OSError: it could not read."""
    said: dict[str, Any] = json.loads(line)
    if "fault" in said:
        raise OSError(said["fault"])
    if "done" in said:
        return int(said["done"])
    broken = None if said["broken"] is None else Broken(**said["broken"])
    return Checked(Head(**said["head"]), broken, Counter(said["clear"]), said["altered"])


def main() -> int:
    """The piece is on stdin; what becomes of it goes to stdout, a line each."""
    piece = unpacked(sys.stdin.buffer.read())

    def tell(said: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()

    try:
        found = check(piece, lambda count: tell({"done": count}))
        broken = None if found.broken is None else asdict(found.broken)
        tell({"head": asdict(found.head), "broken": broken, "clear": found.clear, "altered": found.altered})
    except Exception as error:  # the last resort: whoever waits is told why
        tell({"fault": str(error) or type(error).__name__})
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
