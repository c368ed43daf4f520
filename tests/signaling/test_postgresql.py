"""The same server on PostgreSQL: calls, texts, refusals and restarts are what they are on SQLite."""

from collections.abc import Iterator
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import pytest

from licensing.alarms import Alarm
from tests.fakes.postgres import Postgres
from wephone.errors import CallRefused
from wephone.protocol.messages import Role
from wephone.protocol.reasons import EndReason
from wephone.testing import Kit


@pytest.fixture(scope="module")
def cluster() -> Iterator[Postgres]:
    with Postgres(fsync="off", full_page_writes="off") as started:
        yield started


@pytest.fixture
def wephone_settings(cluster: Postgres, request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """A database of the test's own."""
    name = request.node.name.replace("test_", "of_")[:60]
    cluster.sql(f"CREATE DATABASE {name}")
    yield {"database": cluster.url(name)}
    cluster.sql(f"DROP DATABASE {name} WITH (FORCE)")


async def test_a_call_is_heard_and_recorded(wephone: Kit, cluster: Postgres) -> None:
    alice, bob = await wephone.peers("alice", "bob")
    call = await alice.call(bob)
    await call.answered()
    assert await bob.heard(alice)
    ended = await call.hangup()
    assert (ended.reason, ended.by) == (EndReason.HANGUP, Role.CALLER)
    await wephone.server.stop()
    rows = cluster.sql("SELECT caller, callee, reason FROM v_cdr", "of_a_call_is_heard_and_recorded")
    assert rows == "alice|bob|hangup"


async def test_no_row_of_a_call_is_there_before_its_decision(wephone: Kit, cluster: Postgres) -> None:
    name = "of_no_row_of_a_call_is_there_before_its_decision"
    alice, _ = await wephone.peers("alice", "bob")
    journal = await asyncpg.connect(cluster.url(name))
    async with journal.transaction():
        await journal.execute("LOCK TABLE journal_entry IN EXCLUSIVE MODE")
        call = alice.client.place("bob")
        while not await journal.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            pass  # until the decision waits
        for _ in range(50):  # that many commits later a row would be there, on whichever connection
            await wephone.server.running.parts.store.ready()
        assert await journal.fetchval("SELECT count(*) FROM call") == 0
    await call.answered()
    assert await journal.fetchval("SELECT count(*) FROM call WHERE decision IS NOT NULL") == 1
    await journal.close()
    await call.hangup()


async def test_a_refusal_is_in_its_journal(wephone: Kit, cluster: Postgres) -> None:
    (alice,) = await wephone.peers("alice")
    with pytest.raises(CallRefused) as refused:
        await alice.call("+12025550123")
    await wephone.server.stop()
    kinds = cluster.sql(
        f"SELECT kind FROM v_audit WHERE subject = '{refused.value.decision}'",
        "of_a_refusal_is_in_its_journal",
    )
    assert kinds == "decision"


async def test_settings_that_may_lose_a_commit_raise_an_alarm(wephone: Kit) -> None:
    await wephone.server.start()
    parts = wephone.server.running.parts
    said = "PostgreSQL runs with fsync and full_page_writes off: a commit may be lost"
    assert parts.licence.alarms.raised[Alarm.DATABASE_UNSAFE] == said


async def test_a_text_waits_over_a_restart(wephone: Kit) -> None:
    alice, bob = await wephone.peers("alice", "bob")
    await bob.client.close()
    await alice.send(bob, "are you there?")
    await wephone.server.restart()
    bob = await wephone.peer("bob")
    assert (await bob.next_text()).text == "are you there?"
