"""What an earlier program left behind is brought up to date, and nothing of it is lost."""

from dataclasses import replace

import pytest

from signaling.core.holder import UNKNOWN
from signaling.store import open_store
from signaling.store.rows import DatabaseStore
from tests.signaling.store.database import Direct, DirectSqlite
from tests.signaling.store.people import ALICE, BOB, CAROL, account

# The table as version 0001 had it: SQLite drops no column that a constraint of the table names.
OF_0001 = (
    "ALTER TABLE account RENAME TO later",
    "CREATE TABLE account (name TEXT NOT NULL PRIMARY KEY, password TEXT NOT NULL, "
    "operator SMALLINT NOT NULL, disabled SMALLINT NOT NULL, do_not_disturb SMALLINT NOT NULL, "
    "created_at BIGINT NOT NULL, deleted_at BIGINT)",
    "INSERT INTO account SELECT name, password, operator, disabled, do_not_disturb, created_at, deleted_at "
    "FROM later",
    "DROP TABLE later",
)

LATER = ("auditor", "shows_presence", "forwarding")


def go_back(direct: Direct) -> None:
    """Make the database one of version 0001."""
    sqlite = isinstance(direct, DirectSqlite)
    for statement in OF_0001 if sqlite else [f"ALTER TABLE account DROP COLUMN {name}" for name in LATER]:
        direct.run(statement)
    for table in ("account_facts", "owned_number", "facts_entry", "heard"):
        direct.run(f"DROP TABLE {table}")
    direct.run("UPDATE alembic_version SET version_num = '0001'")


async def test_accounts_from_before_there_were_auditors_are_none(url: str, direct: Direct) -> None:
    store = await open_store(url)
    await store.add_account(account(ALICE, operator=True))
    await store.close()
    go_back(direct)
    store = await open_store(url)
    try:
        assert await store.account(ALICE) == account(ALICE, operator=True)
        await store.add_account(replace(account(BOB), auditor=True))
        assert await store.account(BOB) == replace(account(BOB), auditor=True)
        assert await store.facts(ALICE) == (UNKNOWN, 0)
        assert await store.facts_history(ALICE, 1) == []
        assert (await store.charts(0, 9, 1)).heard == []
    finally:
        await store.close()
    with pytest.raises(direct.error):
        direct.run(
            "INSERT INTO account (name, password, operator, disabled, do_not_disturb, created_at, auditor) "
            "VALUES ('eve', '', 0, 0, 0, 0, 2)"
        )


async def test_an_account_that_is_deleted_audits_nothing_more(store: DatabaseStore, direct: Direct) -> None:
    await store.add_account(replace(account(CAROL), auditor=True))
    assert (await store.export_account(CAROL))["account"] == {
        "name": CAROL,
        "operator": 0,
        "auditor": 1,
        "disabled": 0,
        "do_not_disturb": 0,
        "shows_presence": 1,
        "forwarding": None,
        "created_at": account(CAROL).created_at,
        "deleted_at": None,
    }
    await store.delete_account(CAROL, account(CAROL).created_at + 1)
    assert [tuple(map(int, row)) for row in direct.run("SELECT operator, auditor FROM account")] == [(0, 0)]
