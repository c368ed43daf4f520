"""Entries verified a second, against bare hashlib in the same run:  python -m benchmarks.verify

The reference hashes the same bytes, an entry at a time, on one core and without reading them from anywhere.
Ours reads the entries from the file, checks order, links and hashes, and with names looks for what each entry
seals and hashes that too; a long chain is cut into as many pieces as there are cores.
"""

import argparse
import asyncio
import json
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

from licensing.audit import Draft, Head, beginning, canonical, link, seal
from signaling.store import open_store

FILLING = "f" * 500  # about 800 bytes an entry, as a decision has
TOGETHER = 10_000
_COLUMNS = "node, seq, at, said_at, kind, subject, body, prev, hash"
ENTRY = f"INSERT INTO journal_entry ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
CLEAR = "INSERT INTO clear_value (hash, salt, value, delete_after) VALUES (?, ?, ?, ?)"
HEAD = "INSERT INTO journal_head (node, seq, at, hash) VALUES (?, ?, ?, ?)"


def drafts(count: int) -> Iterator[Draft]:
    """Decisions about two people each."""
    for number in range(count):
        pair = (seal(f"a{number}", number.to_bytes(16), 1), seal(f"b{number}", number.to_bytes(16), 1))
        body = {"facts": FILLING, "people": {"callee": pair[1].hash, "caller": pair[0].hash}}
        yield Draft("decision", f"D-{number}", number, canonical(body), pair)


def fill(path: Path, count: int) -> float:
    """Write them past the store, which would take minutes; seconds that the hashes alone take."""
    head: Head = beginning("local")
    hashing = 0.0
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        entries, clear = [], []
        for draft in drafts(count):
            entry = link(head, draft)
            head = entry.head
            entries.append(
                (
                    *(entry.node, entry.seq, entry.at, entry.said_at, entry.kind),
                    *(entry.subject, entry.body, entry.prev, entry.hash),
                )
            )
            clear += [(row.hash, row.salt, row.value, row.delete_after) for row in draft.clear]
            if len(entries) == TOGETHER or entry.seq == count:
                records = [(bytes.fromhex(row[7]) + row[6].encode()) for row in entries]
                begun = time.perf_counter()
                for record in records:
                    sha256(record).hexdigest()
                hashing += time.perf_counter() - begun
                connection.executemany(ENTRY, entries)
                connection.executemany(CLEAR, clear)
                entries, clear = [], []
        connection.execute(HEAD, (head.node, head.seq, head.at, head.hash))
        connection.commit()
    return hashing


async def main() -> None:
    """Print a table, or with --json one document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    count: int = arguments.entries
    with tempfile.TemporaryDirectory(prefix="wephone-bench-") as folder:
        path = Path(folder) / "wephone.db"
        await (await open_store(f"sqlite:///{path}")).close()
        took = {"bare hashlib": fill(path, count)}
        async with await open_store(f"sqlite:///{path}") as store:
            for kind, names in (("chain", False), ("chain and names", True)):
                begun = time.perf_counter()
                found = await store.journal.checked(
                    beginning("local"), [], names=names, tell=lambda done: None
                )
                took[kind] = time.perf_counter() - begun
                assert found.sound and found.head.seq == count, found
    if arguments.json:
        print(json.dumps({kind: count / seconds for kind, seconds in took.items()}))
        return
    print(f"{'':20}{'seconds':>9}{'entries/s':>12}{'time ratio':>12}")
    for kind, seconds in took.items():
        print(f"{kind:20}{seconds:9.2f}{count / seconds:12.0f}{seconds / took['bare hashlib']:12.2f}")


if __name__ == "__main__":
    asyncio.run(main())
