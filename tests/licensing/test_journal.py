"""The default journal: a chain that lasts, with the register beside it, on one SQLite file."""

import asyncio
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from licensing.audit import ClearValue, Draft, Verified, beginning, seal, verify
from licensing.journal import EvidenceFile
from licensing.ports import EpochMovedError, JournalError, RegisterRow
from tests.licensing.conftest import Kept

AT = 1_764_072_000_000_000


def draft(subject: str, at: int = AT, *clear: ClearValue) -> Draft:
    return Draft("decision", subject, at, '{"outcome":"deny"}', clear)


def version(key: str, number: int, epoch: int) -> RegisterRow:
    return RegisterRow("permit", key, number, '{"id":"P-1"}', "root", AT, epoch)


async def test_entries_are_linked_in_the_order_of_the_calls(kept: Kept) -> None:
    numbers = await asyncio.gather(*(kept.journal.append(draft(f"D-{n}", AT + n)) for n in range(1500)))
    assert numbers == list(range(1, 1501))
    entries = await kept.journal.entries(0, 2000)
    assert [entry.subject for entry in entries] == [f"D-{n}" for n in range(1500)]
    head = await kept.journal.head()
    assert verify(entries, after=beginning("local")) == Verified(head)
    assert [entry.seq for entry in await kept.journal.entries(1495, 3)] == [1496, 1497, 1498]


async def test_clear_values_lie_beside_the_chain_until_their_date(kept: Kept) -> None:
    number, name = seal("+8613912345678", b"s" * 16, AT + 10), seal("alice", b"t" * 16, AT + 30)
    await kept.journal.append(draft("D-1", AT, number, name))
    await kept.journal.append(draft("D-2", AT, seal("+8613912345678", b"s" * 16, AT + 20)))
    both = [number.hash, name.hash]
    values = await kept.journal.clear_values([*both, "0" * 64])
    assert {row.value: row.delete_after for row in values} == {"+8613912345678": AT + 20, "alice": AT + 30}
    assert await kept.journal.forget(AT + 21) == 1
    assert [row.value for row in await kept.journal.clear_values(both)] == ["alice"]
    assert isinstance(verify(await kept.journal.entries(0, 9), after=beginning("local")), Verified)


async def test_the_register_changes_by_versions_and_each_change_is_an_entry(kept: Kept) -> None:
    assert await kept.permits.epoch() == 0
    assert await kept.permits.change(0, [version("P-1", 1, 1), version("P-2", 1, 1)], draft("P-1")) == 1
    assert await kept.permits.change(1, [version("P-1", 2, 2)], draft("P-1")) == 2
    loaded = await kept.permits.load()
    assert (loaded.epoch, loaded.rows) == (2, (version("P-1", 2, 2), version("P-2", 1, 1)))
    assert [row.version for row in await kept.permits.versions("permit", "P-1")] == [1, 2]
    assert [entry.seq for entry in await kept.journal.about("P-1")] == [1, 2]


async def test_of_changes_made_at_once_one_wins_and_the_others_leave_no_trace(kept: Kept) -> None:
    async def change(n: int) -> bool:
        try:
            await kept.permits.change(0, [version(f"P-{n}", 1, 1)], draft(f"P-{n}"))
        except EpochMovedError:
            return False
        return True

    assert (await asyncio.gather(*(change(n) for n in range(8)))).count(True) == 1
    assert len((await kept.permits.load()).rows) == 1
    assert (await kept.journal.head()).seq == 1


async def test_what_cannot_be_kept_harms_nothing_beside_it(file: EvidenceFile) -> None:
    await file.change(0, [version("P-1", 1, 1)], draft("P-1"))
    answers = await asyncio.gather(
        file.append(draft("D-1")),
        file.change(1, [version("P-1", 1, 2)], draft("P-1")),  # a version that is there already
        file.append(draft("D-2", AT, seal("a lone \ud800 surrogate", b"s" * 16, AT))),
        file.append(draft("D-3")),
        return_exceptions=True,
    )
    assert (answers[0], answers[3]) == (2, 3)
    assert isinstance(answers[1], JournalError)
    assert isinstance(answers[2], JournalError)
    assert await file.epoch() == 1


async def test_the_chain_goes_on_when_the_file_is_opened_again(tmp_path: Path) -> None:
    for number in (1, 2):
        file = EvidenceFile(tmp_path / "evidence.db")
        await file.open()
        assert await file.append(draft(f"D-{number}")) == number
        await file.close()
        with pytest.raises(JournalError, match="is closed"):
            await file.append(draft("D-9"))


async def test_only_its_owner_reads_the_file(file: EvidenceFile, tmp_path: Path) -> None:
    await file.append(draft("D-1"))
    parts = await asyncio.to_thread(lambda: [(part.name, part.stat().st_mode) for part in tmp_path.iterdir()])
    assert {name for name, mode in parts if stat.S_IMODE(mode) != 0o600} == set()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal_entry SET body = '{}'",
        "DELETE FROM journal_entry WHERE seq = 1",
        "INSERT OR REPLACE INTO journal_entry SELECT node, seq, at, said_at, kind, subject, '{}', prev, hash "
        "FROM journal_entry",
        "UPDATE register_version SET document = 'null'",
        "DELETE FROM register_version",
    ],
)
async def test_evidence_is_only_added_to(file: EvidenceFile, tmp_path: Path, statement: str) -> None:
    await file.change(0, [version("P-1", 1, 1)], draft("P-1"))
    connection = sqlite3.connect(tmp_path / "evidence.db")
    with pytest.raises(sqlite3.IntegrityError, match="only ever added"):
        connection.execute(statement)
    connection.close()


async def test_a_file_that_is_no_journal_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "evidence.db").write_text("certainly not a database\n" * 100)
    with pytest.raises(JournalError, match="cannot open the journal"):
        await EvidenceFile(tmp_path / "evidence.db").open()
    with pytest.raises(JournalError, match="cannot open the journal"):
        await EvidenceFile(tmp_path / "nowhere" / "evidence.db").open()


WRITER = """
import asyncio, sys
from pathlib import Path
from licensing.audit import Draft
from licensing.journal import EvidenceFile

async def main():
    file = EvidenceFile(Path(sys.argv[1]))
    await file.open()
    for n in range(1_000_000):
        print(await file.append(Draft("decision", f"D-{n}", n, "{}")), flush=True)

asyncio.run(main())
"""


async def test_what_was_said_to_be_durable_survives_a_kill(tmp_path: Path) -> None:
    writer = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, str(tmp_path / "evidence.db"), stdout=subprocess.PIPE
    )
    assert writer.stdout is not None
    for _ in range(20):
        acknowledged = int(await writer.stdout.readline())
    writer.kill()
    await writer.communicate()
    file = EvidenceFile(tmp_path / "evidence.db")
    await file.open()
    verified = verify(await file.entries(0, 1_000_000), after=beginning("local"))
    await file.close()
    assert isinstance(verified, Verified)
    assert verified.head.seq >= acknowledged
