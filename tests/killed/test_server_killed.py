"""The whole server dies at any moment: nothing acknowledged is lost, and who talks goes on talking.

It is killed before its first, second, third ... call that can be seen outside of it, and started again on the
same data and port, until a story runs to its end without a death. The long run takes each call, the fast tier
one in so many from a place that the seed chooses.
"""

import asyncio
import itertools
import random
import signal
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from tests.fakes.postgres import Postgres
from tests.fakes.strace import kill_at
from tests.killed.mortal import MortalServer
from tests.killed.story import Story
from tests.signaling.store.database import Direct, DirectPostgres, DirectSqlite

WITHIN = 60.0  # seconds for one story on a busy machine
PARTS = 24  # of the calls to PostgreSQL at which to die, each on its own

Moments = Callable[[int], Iterator[int]]


@pytest.fixture
def moments(dice: random.Random, full_size: bool) -> Moments:
    """When to die: at all of them in the long run, else at one in `every`."""
    return lambda every: itertools.count(1) if full_size else itertools.count(dice.randint(1, every), every)


def database_of(server: MortalServer) -> Direct:
    return DirectSqlite(server.data / "wephone.db")


async def lived_through(server: MortalServer, direct: Direct) -> int:
    """The whole story, and what must be so afterwards; how often the server died."""
    story = Story()
    async with asyncio.timeout(WITHIN), server:
        await story.told(server)
        await server.stopped()
    await story.check(server, direct)
    return server.deaths


async def test_the_server_may_be_killed_at_any_call(tmp_path: Path, moments: Moments) -> None:
    died = 0
    for nth in moments(40):
        server = MortalServer(tmp_path / f"{nth}", before=kill_at(nth))
        if not await lived_through(server, database_of(server)):
            break
        died += 1
    assert died > 0


async def test_the_power_may_fail_at_any_frame(tmp_path: Path, moments: Moments) -> None:
    """The writer dies with the server: what it had not written yet had not been acknowledged."""
    died = 0
    for nth in moments(72):
        server = MortalServer(tmp_path / f"{nth}", cut_at=nth)
        if not await lived_through(server, database_of(server)):
            break
        died += 1
    assert died > 0


@pytest.mark.long
@pytest.mark.parametrize("part", range(PARTS))
async def test_the_server_may_be_killed_at_any_call_on_postgresql(
    tmp_path: Path, postgres: Postgres, part: int
) -> None:
    """Every query is a call, so there are many: the parts can be run side by side (`--dist load`)."""
    died = 0
    for nth in itertools.count(1 + part, PARTS):
        name = f"killed_{nth}"
        postgres.sql(f"CREATE DATABASE {name}")
        server = MortalServer(tmp_path / f"{nth}", postgres.url(name), kill_at(nth))
        if not await lived_through(server, DirectPostgres(postgres, name)):
            break
        postgres.sql(f"DROP DATABASE {name} WITH (FORCE)")
        died += 1
    assert died > 300 // PARTS


Part = Callable[[MortalServer, Callable[[], Awaitable[None]]], Awaitable[None]]


async def lived_on(
    server: MortalServer, story: Story, part: Part, happens: Callable[[], Awaitable[None]]
) -> None:
    """One part of the story, in which that happens, and what must be so afterwards."""
    async with asyncio.timeout(WITHIN), server:
        await part(server, happens)
        await server.stopped()
    await story.check(server, database_of(server))


async def test_a_call_that_only_rang_ends_with_the_server_is_missed_and_decided_once(tmp_path: Path) -> None:
    server, story = MortalServer(tmp_path / "server"), Story()
    await lived_on(server, story, story.part_of_a_ring, server.killed)
    assert server.deaths == 1


async def test_a_call_goes_on_through_two_deaths_in_a_row(tmp_path: Path) -> None:
    server, story = MortalServer(tmp_path / "server"), Story()

    async def twice() -> None:
        await server.killed()
        server.cut_power()

    await lived_on(server, story, story.part_of_a_call, twice)
    assert server.deaths == 2


async def test_a_call_goes_on_when_the_server_is_told_to_stop_and_another_starts(tmp_path: Path) -> None:
    server, story = MortalServer(tmp_path / "server"), Story()
    await lived_on(server, story, story.part_of_a_call, lambda: server.killed(by=signal.SIGTERM))
    assert server.deaths == 1
    assert "calls outlive this server" in server.log()
