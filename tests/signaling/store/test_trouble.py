"""A full disk, a file that cannot be opened, a process that dies: one sentence, and nothing is lost."""

import asyncio
import os
import resource
import shutil
import signal
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from licensing.audit import Verified
from licensing.ports import JournalError
from signaling.ports.store import StoreError
from signaling.store import open_store
from signaling.store.rows import DatabaseStore
from tests.fakes.postgres import Postgres
from tests.fakes.strace import interpreter, refuse
from tests.signaling.store.database import Direct
from tests.signaling.store.people import ALICE, AT, account, offered
from tests.signaling.store.test_journal import draft, whole_chain

pytestmark = pytest.mark.usefixtures("real_processes")


@pytest.fixture
def file(sqlite_template: Path, tmp_path: Path) -> Path:
    """An empty, migrated file."""
    path = tmp_path / "data" / "wephone.db"
    path.parent.mkdir()
    return Path(shutil.copy(sqlite_template, path))


def writer_of(path: Path) -> int:
    """The process that writes this file, among our children."""
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    for child in children:
        if str(path) in Path(f"/proc/{child}/cmdline").read_text().split("\0"):
            return int(child)
    raise AssertionError(f"nobody writes {path}")


async def refused(attempt: Awaitable[object]) -> str:
    """What it is refused with: one line."""
    with pytest.raises((StoreError, JournalError)) as raised:
        await attempt
    assert "\n" not in str(raised.value)
    return str(raised.value)


async def until_done(attempt: Callable[[], Awaitable[object]]) -> int:
    """Try until it succeeds; how often it did not."""
    for failures in range(1000):
        try:
            await attempt()
        except (StoreError, JournalError):
            await asyncio.sleep(0.01)
        else:
            return failures
    raise AssertionError("it never succeeded")


async def test_a_full_disk_refuses_in_one_sentence_and_is_forgiven_when_it_has_room(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alarms: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", interpreter(tmp_path, refuse("pwrite64", "ENOSPC", "30..40")))
        store = await open_store(f"sqlite:///{file}", alarm=alarms.append)
    async with store:
        kept = 0
        said = ""
        while not said:
            try:
                await store.journal.append(draft(f"kept-{kept}"))
                kept += 1
            except JournalError as error:
                said = str(error)
        assert said == f"cannot write the database {file}: database or disk is full"
        assert await store.durability_problem() == said
        assert await refused(store.offer(offered())) == said
        assert await store.history(ALICE, AT + 1, 9) == []  # reading goes on
        await until_done(store.ready)
        assert await store.durability_problem() is None
        assert alarms == [said]  # once for all that failed
        assert await store.journal.append(draft("after")) == kept + 1
        subjects = [entry.subject for entry in await store.journal.entries(0, 99)]
        assert subjects == [*(f"kept-{n}" for n in range(kept)), "after"]
        assert isinstance(await whole_chain(store), Verified)


async def test_a_quota_that_is_reached_while_many_wait_loses_nothing_that_was_acknowledged(
    file: Path,
) -> None:
    async with await open_store(f"sqlite:///{file}", alarm=lambda _: None) as store:
        limit = file.with_name(file.name + "-wal").stat().st_size + 100_000
        writer = writer_of(file)
        no_limit = resource.prlimit(writer, resource.RLIMIT_FSIZE)
        resource.prlimit(writer, resource.RLIMIT_FSIZE, (limit, no_limit[1]))
        outcomes = await asyncio.gather(
            *(store.journal.append(draft(f"D-{n}")) for n in range(5_000)), return_exceptions=True
        )
        acknowledged = [n for n, outcome in enumerate(outcomes) if isinstance(outcome, int)]
        failed = [str(outcome) for outcome in outcomes if isinstance(outcome, JournalError)]
        assert len(acknowledged) + len(failed) == 5_000 and failed
        assert all("disk I/O error" in sentence or "full" in sentence for sentence in failed)
        resource.prlimit(writer, resource.RLIMIT_FSIZE, no_limit)
        await until_done(store.ready)
        entries = await store.journal.entries(0, 10_000)
        assert {f"D-{n}" for n in acknowledged} <= {entry.subject for entry in entries}
        assert isinstance(await whole_chain(store), Verified)


async def test_a_start_on_a_full_disk_is_refused_until_it_has_room(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for call in ("write", "pwrite64"):
        with monkeypatch.context() as patch:
            patch.setattr(sys, "executable", interpreter(tmp_path, refuse(call, "ENOSPC", "1+")))
            said = await refused(open_store(f"sqlite:///{file}"))
            assert said.startswith(f"cannot open the database {file}: ")
            assert "No space left on device" in said or "SQLITE_IOERR_SHM" in said or "full" in said
    async with await open_store(f"sqlite:///{file}") as store:
        await store.ready()


async def test_a_file_in_use_by_a_foreign_program_is_waited_for_and_then_refused(file: Path) -> None:
    async with await open_store(f"sqlite:///{file}", alarm=lambda _: None) as store:
        foreign = sqlite3.connect(file, isolation_level=None)
        foreign.execute("BEGIN IMMEDIATE")
        assert await refused(store.ready()) == f"cannot write the database {file}: database is locked"
        waiting = asyncio.create_task(store.ready())
        await asyncio.sleep(0)
        foreign.execute("COMMIT")
        foreign.close()
        await waiting
        assert await store.durability_problem() is None


def without_privilege(folder: Path) -> str:
    """An interpreter for which the permissions of files count, whoever we are."""
    if os.geteuid() != 0:
        return sys.executable
    return interpreter(folder, ["setpriv", "--bounding-set=-dac_override,-dac_read_search"])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nowhere/wephone.db", "No such file or directory"),
        ("a-file/wephone.db", "Not a directory"),
        ("closed/wephone.db", "Permission denied"),
        ("a-folder", "Is a directory"),
        ("garbage", "file is not a database"),
        ("read-only", "Permission denied"),
    ],
)
async def test_a_database_that_cannot_be_opened_says_why(
    name: str, reason: str, tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a-file").write_text("")
    (tmp_path / "closed").mkdir(mode=0o500)
    (tmp_path / "a-folder").mkdir()
    (tmp_path / "garbage").write_bytes(b"no database" * 1000)
    shutil.copy(sqlite_template, tmp_path / "read-only")
    (tmp_path / "read-only").chmod(0o400)
    monkeypatch.setattr(sys, "executable", without_privilege(tmp_path))
    said = await refused(open_store(f"sqlite:///{tmp_path / name}"))
    assert said == f"cannot open the database {tmp_path / name}: {reason}"


async def test_a_database_of_a_newer_program_is_left_alone(url: str, direct: Direct) -> None:
    direct.run("UPDATE alembic_version SET version_num = '9999'")
    assert "at version 9999 and this program knows" in await refused(open_store(url))
    direct.run("UPDATE alembic_version SET version_num = '0001'")
    await (await open_store(url)).close()


async def test_a_file_that_is_damaged_inside_says_so_when_it_is_read(file: Path) -> None:
    async with await open_store(f"sqlite:///{file}") as store:
        for n in range(300):
            await store.journal.append(draft(f"D-{n}"))
    damage(file)
    async with await open_store(f"sqlite:///{file}") as store:
        said = await refused(store.journal.entries(0, 1000))
        assert said == "cannot read the database: database disk image is malformed"
        await store.add_account(account(ALICE))  # what is whole goes on


def damage(file: Path) -> None:
    """Overwrite pages in the middle of the journal's rows."""
    whole = bytearray(file.read_bytes())
    while (place := whole.find(b"D-150")) >= 0:
        page = place // 4096 * 4096
        whole[page : page + 4096] = b"\xff" * 4096
    file.write_bytes(whole)


async def test_a_second_server_on_the_same_database_is_refused(url: str) -> None:
    async with await open_store(url) as store:
        said = await refused(open_store(url))
        assert "is in use by process" in said or "in use by another server with the name `local`" in said
        if url.startswith("sqlite"):
            assert said.endswith(f"is in use by process {os.getpid()}")
        await store.ready()
    await (await open_store(url)).close()


OPENS_AND_WAITS = """
import asyncio, os, sys
from signaling.store import open_store

async def main():
    store = await open_store(sys.argv[1])
    os.write(1, b"open")
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_a_lock_that_a_killed_server_left_is_no_lock(url: str) -> None:
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-c", OPENS_AND_WAITS, url, stdout=asyncio.subprocess.PIPE
    )
    assert server.stdout is not None
    assert await server.stdout.readexactly(4) == b"open"
    server.kill()
    async with await open_store(url) as store:
        await store.ready()
    await server.communicate()


async def test_a_writer_process_that_dies_has_a_successor(file: Path) -> None:
    alarms: list[str] = []
    async with await open_store(f"sqlite:///{file}", alarm=alarms.append) as store:
        assert await store.journal.append(draft("before")) == 1
        os.kill(writer_of(file), signal.SIGKILL)
        said = await refused(many(store))
        assert said == f"the process that writes {file} has ended"
        assert alarms == [f"{said}: nothing can be stored"]
        assert await store.durability_problem() == alarms[0]
        await until_done(store.ready)
        assert await store.durability_problem() is None
        await store.journal.append(draft("after"))
        assert isinstance(await whole_chain(store), Verified)


async def many(store: DatabaseStore) -> None:
    """Write until that fails."""
    while True:
        await store.ready()


async def test_a_postgresql_that_comes_back_is_used_again() -> None:
    with Postgres() as cluster:
        url = cluster.url("postgres")
        alarms: list[str] = []
        async with await open_store(url, alarm=alarms.append) as store:
            acknowledged = [await store.journal.append(draft(f"D-{n}")) for n in range(20)]
            await asyncio.to_thread(cluster.stop, signal.SIGKILL)
            assert (await refused(store.ready())).startswith("the database does not answer: ")
            assert (await refused(store.journal.append(draft("lost")))).startswith("the database does not")
            await asyncio.to_thread(cluster.start)
            await until_done(store.ready)
            entries = await store.journal.entries(0, 99)
            assert [entry.seq for entry in entries] == acknowledged
            assert isinstance(await whole_chain(store), Verified)


async def test_a_postgresql_that_forgets_is_named() -> None:
    with Postgres() as cluster:
        async with await open_store(cluster.url("postgres")) as store:
            assert await store.durability_problem() is None
        await asyncio.to_thread(cluster.stop)
        await asyncio.to_thread(cluster.start, {"fsync": "off", "full_page_writes": "off"})
        async with await open_store(cluster.url("postgres")) as store:
            said = "PostgreSQL runs with fsync and full_page_writes off: a commit may be lost"
            assert await store.durability_problem() == said
