"""Cuts a chain into pieces, has them verified beside the server, and joins what was found."""

import asyncio
import os
import re
import sqlite3
import sys
from asyncio.subprocess import PIPE
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import signaling
from licensing.audit import MOST_NAMED, Broken, Checked, Head
from signaling.ports.store import StoreError
from signaling.store.segment import Piece, Tell, check, packed, read_line

SMALL = 5_000  # entries that a thread verifies before a process has begun
LONGEST_LINE = 1 << 20  # bytes that a process says at once


def cores() -> int:
    """How many pieces gain something."""
    return max(1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def is_head(head: Head) -> bool:
    """May it begin a piece? Somebody who edits a file may leave any type of value in it."""
    return (
        type(head.at) is int and isinstance(head.hash, str) and bool(re.fullmatch("[0-9a-f]{64}", head.hash))
    )


def cut(whole: Piece, between: Sequence[Head]) -> list[Piece]:
    """The pieces that end at these heads, and the rest."""
    ends = [whole.after, *between]
    pieces = []
    for place, after in enumerate(ends):
        upto = ends[place + 1].seq if place + 1 < len(ends) else whole.upto
        kept = tuple(
            head for head in whole.kept if head.seq > after.seq and (upto is None or head.seq <= upto)
        )
        pieces.append(Piece(whole.database, after, upto, kept, whole.names))
    return pieces


def joined(checked: Sequence[Checked], between: Sequence[Head]) -> Checked:
    """What was found in all pieces, up to the first one that is broken."""
    clear: Counter[str] = Counter()
    altered: list[int] = []
    for place, each in enumerate(checked):
        clear += each.clear
        altered += each.altered
        if each.broken is not None:
            return Checked(each.head, each.broken, clear, altered[:MOST_NAMED])
        # What the next piece took for granted was read before this one was verified.
        if place < len(between) and each.head != between[place]:
            fault = Broken(each.head.node, each.head.seq, "was altered")
            return Checked(checked[0].head, fault, clear, altered[:MOST_NAMED])
    return Checked(checked[-1].head, None, clear, altered[:MOST_NAMED])


async def verified(pieces: Sequence[Piece], between: Sequence[Head], tell: Tell) -> Checked:
    """All pieces at once. StoreError if one cannot be read."""
    return joined(await asyncio.gather(*(_aside(piece, tell) for piece in pieces)), between)


async def beside(piece: Piece, tell: Tell) -> Checked:
    """A small piece, in a thread. StoreError if it cannot be read."""
    try:
        return await asyncio.to_thread(check, piece, tell)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"cannot read the database: {error}") from error


async def _aside(piece: Piece, tell: Tell) -> Checked:
    """In a process, which ends with whoever waits for it."""
    packages = str(Path(signaling.__file__).parent.parent)
    inherited = os.environ.get("PYTHONPATH")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "signaling.store.segment"),
        stdin=PIPE,
        stdout=PIPE,
        limit=LONGEST_LINE,
        env={**os.environ, "PYTHONPATH": packages + (os.pathsep + inherited if inherited else "")},
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        process.stdin.write(packed(piece))
        process.stdin.close()
        async for line in process.stdout:
            said = read_line(line)
            if isinstance(said, Checked):
                return said
            tell(said)
        raise StoreError("the process that verifies the journal has ended before its time")
    except OSError as error:
        raise StoreError(f"cannot read the database: {error}") from error
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
