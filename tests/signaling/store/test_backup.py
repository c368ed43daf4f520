"""Backups: taken while a server runs, restored while none does, never silently to less than there was."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from licensing.audit import Head, Verified, beginning, verify
from signaling.ports.store import StoreError
from signaling.store import open_store
from signaling.store.backup import Standing, backup, restore
from signaling.store.tables import metadata
from tests.signaling.store.conftest import new_database
from tests.signaling.store.database import Direct
from tests.signaling.store.everything import ENTRIES, fill
from tests.signaling.store.people import ALICE, AT, BOB, some_message
from tests.signaling.store.test_journal import draft, version


@pytest.fixture
async def taken(url: str, tmp_path: Path) -> AsyncIterator[Path]:
    """A backup of a database with a row in every table, at epoch 1 and entry 2."""
    async with await open_store(url) as store:
        await fill(store)
        await backup(url, tmp_path / "backup")
    yield tmp_path / "backup"


def rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    connection = sqlite3.connect(path)
    try:
        return {
            table.name: sorted(connection.execute(f"SELECT * FROM {table.name}"), key=repr)
            for table in metadata.sorted_tables
        }
    finally:
        connection.close()


def modes(folder: Path) -> dict[str, int]:
    """The files of a backup and what is left of making it, with their permissions."""
    return {path.name: path.stat().st_mode & 0o777 for path in folder.glob("backup*")}


async def change(url: str, epoch: int, *entries: str) -> None:
    """One more version in the register, and more entries."""
    async with await open_store(url) as store:
        await store.permits.change(epoch, [version("P-1", epoch + 1, epoch + 1)], draft("P-1"))
        for entry in entries:
            await store.journal.append(draft(entry))


@pytest.fixture(params=["sqlite", "postgresql"])
def other(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where another database is, of either kind."""
    yield from new_database(request, request.param)


async def test_a_backup_brings_every_row_to_either_database(taken: Path, other: str, tmp_path: Path) -> None:
    assert all(rows(taken).values()), "every table has a row"
    what = await restore(taken, other, lower_epoch=False)
    assert (what.epoch, [head.seq for head in what.heads]) == (1, [ENTRIES])
    assert await backup(other, tmp_path / "again") == what
    async with await open_store(other) as store:
        assert await store.journal.append(draft("next")) == ENTRIES + 1
        assert isinstance(verify(await store.journal.entries(0, 9), after=beginning("local")), Verified)
        stored, _ = await store.accept_text(some_message(), ALICE, BOB, "next", AT)
        assert stored.seq > 2
    before, after = rows(taken), rows(tmp_path / "again")
    assert {name for name, _ in before.pop("counter")} == {name for name, _ in after.pop("counter")}
    assert before == after


async def test_a_backup_is_of_one_moment_while_a_server_writes(url: str, tmp_path: Path) -> None:
    async with await open_store(url) as store:
        stop, progress = asyncio.Event(), asyncio.Semaphore(0)

        async def write() -> None:
            epoch = 0
            while not stop.is_set():
                await store.permits.change(epoch, [version("P-1", epoch + 1, epoch + 1)], draft("P-1"))
                epoch += 1
                progress.release()

        writing = asyncio.create_task(write())
        for n in range(5):
            for _ in range(10):
                await progress.acquire()
            what = await backup(url, tmp_path / f"{n}")
            [head] = what.heads
            found = rows(tmp_path / f"{n}")
            assert what.epoch == head.seq == len(found["register_version"]) == len(found["journal_entry"])
            assert what.epoch >= 10 * (n + 1)
        stop.set()
        await writing


async def test_a_backup_is_a_single_private_file_and_overwrites_none(taken: Path, url: str) -> None:
    assert modes(taken.parent) == {"backup": 0o600}
    with pytest.raises(StoreError, match=r"cannot back up to .*backup: the file exists already"):
        await backup(url, taken)
    with pytest.raises(StoreError, match="No such file or directory"):
        await backup(url, taken.parent / "nowhere" / "backup")


async def test_nothing_is_restored_while_a_server_holds_the_database(taken: Path, url: str) -> None:
    async with await open_store(url) as store:
        with pytest.raises(StoreError, match=r"in use by process|a server has the database open"):
            await restore(taken, url, lower_epoch=True)
        await store.journal.append(draft("still here"))
    await restore(taken, url, lower_epoch=True)


async def test_an_older_backup_is_restored_only_when_asked(taken: Path, url: str) -> None:
    await change(url, 1)
    with pytest.raises(StoreError, match="register is at epoch 1, and that of the database at epoch 2"):
        await restore(taken, url, lower_epoch=False)
    async with await open_store(url) as store:
        assert (await store.permits.epoch(), (await store.journal.head()).seq) == (2, ENTRIES + 1)
    assert (await restore(taken, url, lower_epoch=True)).epoch == 1
    async with await open_store(url) as store:
        assert (await store.permits.epoch(), (await store.journal.head()).seq) == (1, ENTRIES)


async def newest_text(url: str) -> int:
    """The number that the next text gets."""
    async with await open_store(url) as store:
        stored, _ = await store.accept_text(some_message(), ALICE, BOB, "next", AT)
    return stored.seq


@pytest.mark.parametrize("is_gone", [False, True], ids=["replaced", "gone"])
async def test_the_number_of_a_text_is_used_once_whatever_is_restored(
    taken: Path, url: str, tmp_path: Path, is_gone: bool
) -> None:
    seen = await newest_text(url)
    for again in range(3):
        url = f"sqlite:///{tmp_path}/{again}.db" if is_gone else url
        await restore(taken, url, lower_epoch=True)
        seen, before = await newest_text(url), seen
        assert seen > before


async def test_a_clock_that_is_behind_costs_no_number_while_the_old_database_is_there(
    taken: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await restore(taken, url, lower_epoch=True)
    seen = await newest_text(url)
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    await restore(taken, url, lower_epoch=True)
    assert await newest_text(url) > seen


async def test_a_backup_with_a_shorter_or_another_chain_is_refused(taken: Path, url: str) -> None:
    async with await open_store(url) as store:
        await store.journal.append(draft("later"))
    refusal = f"chain of node `local` is at entry {ENTRIES}, and that of the database at entry {ENTRIES + 1}"
    with pytest.raises(StoreError, match=refusal):
        await restore(taken, url, lower_epoch=False)
    await restore(taken, url, lower_epoch=True)
    async with await open_store(url) as store:
        await store.journal.append(draft("another"))
    await backup(url, other := taken.parent / "other")
    await restore(taken, url, lower_epoch=True)
    async with await open_store(url) as store:
        await store.journal.append(draft("not the same"))
    with pytest.raises(StoreError, match=f"the first that is not the same is {ENTRIES + 1}: differs"):
        await restore(other, url, lower_epoch=False)


async def test_a_checkpoint_kept_elsewhere_counts_as_the_database_does(taken: Path, url: str) -> None:
    what = await restore(taken, url, lower_epoch=False)
    await restore(taken, url, lower_epoch=False, at_least=what)
    with pytest.raises(StoreError, match="epoch 1, and that of the checkpoint at epoch 7"):
        await restore(taken, url, lower_epoch=False, at_least=replace(what, epoch=7))
    later = Standing(1, (Head("local", 9, AT, "0" * 64),))
    with pytest.raises(StoreError, match=f"at entry {ENTRIES}, and that of the checkpoint at entry 9"):
        await restore(taken, url, lower_epoch=False, at_least=later)
    await restore(taken, url, lower_epoch=True, at_least=later)


def unusable(backup_: Path) -> list[Path]:
    """Not a backup, half a backup, and one that a later program made."""
    foreign, torn, newer = (backup_.with_name(name) for name in ("foreign", "torn", "newer"))
    foreign.write_bytes(b"")
    whole = backup_.read_bytes()
    torn.write_bytes(whole[: len(whole) // 2] + b"\xff" * 4096 + whole[len(whole) // 2 + 4096 :])
    newer.write_bytes(whole)
    connection = sqlite3.connect(newer)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    return [foreign, torn, newer]


async def test_a_damaged_or_foreign_backup_changes_nothing(taken: Path, url: str) -> None:
    async with await open_store(url) as store:
        before = await store.journal.head()
    foreign, torn, newer = unusable(taken)
    for source, reason in (
        (foreign, "it is not a backup of WePhone"),
        (torn, "damaged|malformed"),
        (newer, "at version 9999 and this program knows"),
        (taken.parent / "missing", "unable to open database file"),
    ):
        with pytest.raises(StoreError, match=f"cannot restore {source}: .*({reason})") as refused:
            await restore(source, url, lower_epoch=True)
        assert "\n" not in str(refused.value)
    async with await open_store(url) as store:
        assert await store.journal.head() == before


async def test_a_guarded_table_is_guarded_again_after_a_restore(
    taken: Path, url: str, direct: Direct
) -> None:
    await restore(taken, url, lower_epoch=False)
    with pytest.raises(direct.error, match="only ever added"):
        direct.run("DELETE FROM journal_entry")


async def test_what_a_damaged_database_had_may_be_more_than_the_backup(
    taken: Path, sqlite_template: Path, tmp_path: Path
) -> None:
    path = tmp_path / "damaged.db"
    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(StoreError, match="cannot be read"):
        await restore(taken, f"sqlite:///{path}", lower_epoch=False)
    await restore(taken, f"sqlite:///{path}", lower_epoch=True)
    async with await open_store(f"sqlite:///{path}") as store:
        assert (await store.journal.head()).seq == ENTRIES
