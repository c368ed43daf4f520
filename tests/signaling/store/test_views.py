"""The views for outside programs, and who may change what: alike on both databases."""

import sqlite3

import pytest

from signaling.ports.store import StoreError
from signaling.store import open_store
from signaling.store.rows import DatabaseStore
from tests.fakes.postgres import Postgres
from tests.signaling.store.database import Direct
from tests.signaling.store.everything import ENTRIES, fill
from tests.signaling.store.people import AT
from tests.signaling.store.test_journal import draft, version

COLUMNS = {
    "v_permit": ["permit", "version", "document", "changed_by", "at", "epoch"],
    "v_audit": ["node", "seq", "at", "said_at", "kind", "subject", "body", "prev", "hash"],
    "v_cdr": [
        "call", "caller", "callee", "media", "decision", "node", "offered", "offered_at", "answered_at",
        "answered_by", "ended_at", "reason", "missed", "trunk", "forwarded_to", "forwarded_by", "talked_us",
    ],
}  # fmt: skip


def select(direct: Direct, view: str, without: str = "", order: str = "") -> list[tuple[object, ...]]:
    names = [name for name in COLUMNS[view] if name not in without.split()]
    return direct.run(f"SELECT {', '.join(names)} FROM {view} ORDER BY {order}")


async def test_the_views_have_the_same_columns(store: DatabaseStore, direct: Direct) -> None:
    assert {view: direct.columns(view) for view in COLUMNS} == COLUMNS


async def test_the_views_show_the_same_rows(store: DatabaseStore, direct: Direct) -> None:
    await fill(store)
    await store.permits.change(1, [version("P-1", 2, 2, '{"id":"P-1","n":2}')], draft("P-1"))
    assert select(direct, "v_permit", order="permit") == [("P-1", 2, '{"id":"P-1","n":2}', "root", AT, 2)]
    assert select(direct, "v_audit", "prev hash", "seq") == [
        ("local", 1, AT, AT, "permit_event", "P-1", '{"event":"added"}'),
        ("local", 2, AT, AT, "decision", "D-1", '{"outcome":"deny"}'),
        ("local", 3, AT, AT, "account_facts", "facts-of-alice", '{"basis":"verified"}'),
        ("local", 4, AT, AT, "account_facts", "facts-of-bob", '{"basis":"verified"}'),
        ("local", 5, AT, AT, "decision", "P-1", '{"outcome":"deny"}'),
    ]
    entries = await store.journal.entries(0, 9)
    assert direct.run("SELECT prev, hash FROM v_audit ORDER BY seq") == [
        (entry.prev, entry.hash) for entry in entries
    ]
    audio = '["audio"]'
    assert select(direct, "v_cdr", "call", "offered_at") == [
        (
            "alice", "bob", audio, None, "local", 1, AT, AT + 1, "bob", AT + 2, "hangup", 0,
            None, None, None, 1,
        ),
        ("alice", "bob", audio, None, "local", 1, AT + 3, None, None, None, None, 0, None, None, None, 0),
        (
            "alice", "+86139••••5678", audio, "D-1", "local", 0, AT + 4, None, None, AT + 4,
            "refused", 0, None, None, None, 0,
        ),
    ]  # fmt: skip


async def test_a_view_cannot_be_written(store: DatabaseStore, direct: Direct) -> None:
    await fill(store)
    for view in COLUMNS:
        with pytest.raises((RuntimeError, sqlite3.Error), match=f"cannot modify {view} because it is a view"):
            direct.run(f"DELETE FROM {view}")


async def test_a_server_with_a_role_of_its_own_has_no_right_to_change_evidence(postgres: Postgres) -> None:
    postgres.sql("CREATE DATABASE granted")
    postgres.sql("CREATE ROLE server LOGIN")
    with pytest.raises(StoreError, match="permission denied"):
        await open_store(postgres.url("granted", "server"))
    owner = postgres.url("granted")
    async with await open_store(postgres.url("granted", "server"), owner_url=owner) as store:
        await fill(store)
        assert await store.purge("clear_values", AT * 2) == ENTRIES
    async with await open_store(postgres.url("granted", "server")) as store:  # needs its owner no more
        await store.journal.append(draft("D-2"))
    for forbidden in (
        "UPDATE journal_entry SET body = 'x'",
        "DELETE FROM journal_entry",
        "TRUNCATE register_version",
        "ALTER TABLE journal_entry DISABLE TRIGGER ALL",
        "DROP TABLE journal_entry",
        "UPDATE alembic_version SET version_num = 'x'",
    ):
        with pytest.raises(RuntimeError, match=r"permission denied|must be owner"):
            postgres.sql(forbidden, "granted", "server")
    assert postgres.sql("SELECT count(*) FROM v_audit", "granted", "server") == str(ENTRIES + 1)
    postgres.sql("DROP DATABASE granted WITH (FORCE)")
    postgres.sql("DROP ROLE server")
