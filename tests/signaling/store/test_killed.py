"""`kill -9` at any moment: what was acknowledged is there, nothing is half there, and no id is used twice.

The process is killed before its first, second, third ... call that can be seen outside of it, until the flow
runs to its end. The fast tier takes every so-manieth call, from a place that the seed chooses; the long run
takes each. PostgreSQL itself is trusted: there it is our side that dies.
"""

import asyncio
import itertools
import random
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from licensing.ports import JournalError
from signaling.ports.store import StoreError
from signaling.store import open_store
from signaling.store.backup import backup
from signaling.store.rows import DatabaseStore
from tests.fakes.postgres import Postgres
from tests.fakes.strace import interpreter, kill_at
from tests.signaling.store import flow

Moments = Callable[[int], Iterator[int]]

pytestmark = pytest.mark.usefixtures("real_processes")


@pytest.fixture
def moments(dice: random.Random, full_size: bool) -> Moments:
    """Which calls to die at: all of them in the long run, else one in `every`."""
    return lambda every: itertools.count(1) if full_size else itertools.count(dice.randint(1, every), every)


@pytest.fixture
async def prepared(sqlite_template: Path, tmp_path: Path) -> Path:
    """A database at the beginning of the flow."""
    path = tmp_path / "prepared.db"
    shutil.copy(sqlite_template, path)
    store = await open_store(f"sqlite:///{path}")
    await flow.prepare(store)
    await store.close()
    return path


async def checked(url: str, acknowledged: dict[str, str]) -> None:
    store = await open_store(url)
    try:
        await flow.check(store, acknowledged)
    finally:
        await store.close()


async def opened_by(
    python: str, url: str, alarms: list[str], monkeypatch: pytest.MonkeyPatch
) -> DatabaseStore | None:
    """The store with a writer process that `python` runs; none if it dies before it is ready."""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", python)
        try:
            return await open_store(url, alarm=alarms.append)
        except StoreError:
            return None


async def acknowledged_by(store: DatabaseStore) -> dict[str, str]:
    """What the flow heard until it came to its end, or to that of the writer process."""
    heard: dict[str, str] = {}

    def note(name: str, answer: object) -> None:
        heard[name] = str(answer)

    try:
        await flow.run(store, note)
    except (StoreError, JournalError):
        pass
    return heard


async def test_the_writer_may_be_killed_at_any_call(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moments: Moments
) -> None:
    died = 0
    for nth in moments(16):
        url = f"sqlite:///{shutil.copy(prepared, tmp_path / f'{nth}.db')}"
        alarms: list[str] = []
        store = await opened_by(interpreter(tmp_path, kill_at(nth)), url, alarms, monkeypatch)
        acknowledged: dict[str, str] = {}
        if store is not None:
            acknowledged = await acknowledged_by(store)
            await store.close()
        await checked(url, acknowledged)
        if len(acknowledged) == len(flow.steps()) and not alarms:
            break
        died += 1
    assert died > 3


async def test_a_first_start_may_be_killed_at_any_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moments: Moments
) -> None:
    died = 0
    for nth in moments(24):
        url = f"sqlite:///{tmp_path / f'{nth}.db'}"
        if store := await opened_by(interpreter(tmp_path, kill_at(nth)), url, [], monkeypatch):
            await store.close()
            break
        died += 1
        store = await open_store(url)
        await flow.prepare(store)
        await flow.check(store, {})
        await store.close()
    assert died > 0


async def interrupted(url: str, nth: int) -> tuple[dict[str, str], bool]:
    """Run the flow in a process that is killed; what it heard, and whether it came to its end."""
    command = [*kill_at(nth), sys.executable, "-m", "tests.signaling.store.flow", url]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    heard = dict(line.split(" ", 1) for line in out.decode().splitlines())
    return heard, process.returncode == 0


async def test_the_server_may_be_killed_at_any_call(prepared: Path, tmp_path: Path, moments: Moments) -> None:
    died = 0
    for nth in moments(4):
        url = f"sqlite:///{shutil.copy(prepared, tmp_path / f'{nth}.db')}"
        acknowledged, finished = await interrupted(url, nth)
        await checked(url, acknowledged)
        if finished:
            break
        died += 1
    assert died > 1


async def test_the_server_may_be_killed_at_any_call_on_postgresql(
    postgres: Postgres, postgres_template: str, moments: Moments
) -> None:
    postgres.sql(f"CREATE DATABASE prepared TEMPLATE {postgres_template}")
    store = await open_store(postgres.url("prepared"))
    await flow.prepare(store)
    await store.close()
    died = 0
    for nth in moments(20):
        postgres.sql(f"CREATE DATABASE killed_{nth} TEMPLATE prepared")
        acknowledged, finished = await interrupted(postgres.url(f"killed_{nth}"), nth)
        await checked(postgres.url(f"killed_{nth}"), acknowledged)
        if finished:
            break
        died += 1
    assert died > 1


RESTORES = """
import asyncio, sys
from pathlib import Path
from signaling.store.backup import restore
asyncio.run(restore(Path(sys.argv[1]), sys.argv[2], lower_epoch=True))
"""


async def test_a_restore_may_be_killed_at_any_call(prepared: Path, tmp_path: Path, moments: Moments) -> None:
    """Afterwards the database is what it was, or what the backup is."""
    url = f"sqlite:///{prepared}"
    await backup(url, earlier := tmp_path / "earlier")
    async with await open_store(url) as store:
        await acknowledged_by(store)
    died = 0
    for nth in moments(60):
        url = f"sqlite:///{shutil.copy(prepared, tmp_path / f'{nth}.db')}"
        command = [*kill_at(nth, threads=True), sys.executable, "-c", RESTORES, str(earlier), url]
        process = await asyncio.create_subprocess_exec(*command)
        finished = await process.wait() == 0
        async with await open_store(url) as store:
            left = await flow.left_by(store)
            assert left == set() or (len(left) == len(flow.steps()) and not finished)
            await flow.check(store, {})
        if finished:
            break
        died += 1
    assert died > 0
