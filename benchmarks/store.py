"""Durable rows a second and CPU per row, against raw sqlite3 in the same run:  python -m benchmarks.store

The reference inserts the same rows with the standard library alone, 50 at a time, WAL and synchronous=FULL,
into a table without a chain. The store links each entry into its hash chain, answers each waiter by itself,
and its fsync runs in the writer process. CPU is that of both processes; `ours` is the server's own share.
"""

import argparse
import asyncio
import json
import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from benchmarks.processes import cpu_seconds
from licensing.audit import Draft, canonical
from signaling.store import open_store
from signaling.store.rows import DatabaseStore

BODY = canonical(
    {"facts": "f" * 250, "outcome": "allow", "reason": "ALLOW_BASELINE"}
)  # about 350 bytes a row
TOGETHER = 50  # rows to a commit of the reference
SCHEMA = """CREATE TABLE entry (node TEXT, seq INTEGER, at INTEGER, said_at INTEGER, kind TEXT, subject TEXT,
            body TEXT, prev TEXT, hash TEXT, PRIMARY KEY (node, seq));
            CREATE INDEX subject ON entry (subject)"""


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of one kind."""

    rows_s: float
    cpu_us: float  # per row, all processes
    ours_us: float  # per row, the calling process alone
    p50_ms: float
    p99_ms: float


def raw(folder: Path, rows: int) -> Measured:
    """The reference: one statement, many rows to a commit."""
    digest = sha256(b"").hexdigest()
    with closing(sqlite3.connect(folder / "raw.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.executescript(SCHEMA)
        took = []
        wall, cpu = time.perf_counter(), time.process_time()
        for first in range(0, rows, TOGETHER):
            begun = time.perf_counter()
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(
                "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    ("local", seq, 1, 1, "decision", f"D-{seq}", BODY, digest, digest)
                    for seq in range(first, first + TOGETHER)
                ],
            )
            connection.execute("COMMIT")
            took.append(time.perf_counter() - begun)
        spent = time.process_time() - cpu
        return measured(rows, time.perf_counter() - wall, spent, spent, took)


async def chained(store: DatabaseStore, rows: int, waiters: int) -> Measured:
    """So many waiters, each of which appends the next entry when its last one is durable."""
    subjects = iter(range(rows))
    took: list[float] = []

    async def append() -> None:
        for n in subjects:
            begun = time.perf_counter()
            await store.journal.append(Draft("decision", f"D-{n}", 1, BODY))
            took.append(time.perf_counter() - begun)

    wall, all_, ours = time.perf_counter(), cpu_seconds(os.getpid()), time.process_time()
    await asyncio.gather(*(append() for _ in range(waiters)))
    return measured(
        rows,
        time.perf_counter() - wall,
        cpu_seconds(os.getpid()) - all_,
        time.process_time() - ours,
        took,
    )


async def offered(store: DatabaseStore, rows: int, rate: float) -> Measured:
    """Entries that come at a steady rate, as decisions do."""
    took: list[float] = []

    async def append(n: int) -> None:
        begun = time.perf_counter()
        await store.journal.append(Draft("decision", f"D-{n}", 1, BODY))
        took.append(time.perf_counter() - begun)

    wall, all_, ours = time.perf_counter(), cpu_seconds(os.getpid()), time.process_time()
    async with asyncio.TaskGroup() as group:
        for n in range(rows):
            await asyncio.sleep(wall + n / rate - time.perf_counter())
            group.create_task(append(n))
    return measured(
        rows,
        time.perf_counter() - wall,
        cpu_seconds(os.getpid()) - all_,
        time.process_time() - ours,
        took,
    )


def measured(rows: int, wall: float, cpu: float, ours: float, took: list[float]) -> Measured:
    took.sort()
    return Measured(
        rows_s=rows / wall,
        cpu_us=cpu / rows * 1e6,
        ours_us=ours / rows * 1e6,
        p50_ms=took[len(took) // 2] * 1e3,
        p99_ms=took[len(took) * 99 // 100] * 1e3,
    )


async def one_round(rows: int) -> dict[str, Measured]:
    """Reference and store, one after the other on the same disk."""
    with tempfile.TemporaryDirectory(prefix="wephone-bench-") as folder:
        found = {"raw sqlite3, 50 to a commit": raw(Path(folder), rows)}
        async with await open_store(f"sqlite:///{folder}/store.db") as store:
            found["store, 200 waiters"] = await chained(store, rows, 200)
            found["store, 1 waiter"] = await chained(store, rows // 20, 1)
            found["store, 1000 a second"] = await offered(store, rows // 10, 1000)
        return found


def ratios(rounds: list[dict[str, Measured]]) -> Iterator[tuple[str, float, float, Measured]]:
    """For each kind the medians over the rounds: rows and CPU against that round's reference, and the row."""
    reference, *_ = rounds[0]
    for kind in rounds[0]:
        rows = statistics.median(each[kind].rows_s / each[reference].rows_s for each in rounds)
        cpu = statistics.median(each[kind].cpu_us / each[reference].cpu_us for each in rounds)
        middle = sorted((each[kind] for each in rounds), key=lambda found: found.cpu_us)[len(rounds) // 2]
        yield kind, rows, cpu, middle


async def main() -> None:
    """Print a table, or with --json one document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rounds = [await one_round(arguments.rows) for _ in range(arguments.rounds)]
    if arguments.json:
        print(json.dumps([{kind: found.rows_s for kind, found in each.items()} for each in rounds]))
        return
    print(f"{'':30}{'rows/s':>10}{'ratio':>8}{'CPU µs':>9}{'ratio':>8}{'ours µs':>9}{'p50 ms':>8}{'p99':>8}")
    for kind, rows, cpu, row in ratios(rounds):
        print(
            f"{kind:30}{row.rows_s:10.0f}{rows:8.2f}{row.cpu_us:9.1f}{cpu:8.2f}{row.ours_us:9.1f}"
            f"{row.p50_ms:8.2f}{row.p99_ms:8.2f}"
        )


if __name__ == "__main__":
    asyncio.run(main())
