"""The register held against the entries of its changes, on both databases: what is edited is found out."""

import json

import pytest

from licensing.audit import Draft, canonical
from licensing.filed import LOSS_ACKNOWLEDGED, as_accepted, filed_faults
from licensing.register import Register
from signaling.clock import SystemClock
from signaling.filed import register_faults
from signaling.store.rows import DatabaseStore
from signaling.store.tables import CHANGES
from tests.signaling.store.database import Direct

PERMIT = {
    "id": "basic-1",
    "jurisdiction": "baseline",
    "categories": ["baseline:basic"],
    "valid_from": "2026-01-01",
}
WHY = "as it should be"


@pytest.fixture
async def filed(store: DatabaseStore) -> DatabaseStore:
    """Two permits, one of them twice, a toggle, the switch off and on; and an entry of another kind."""
    register = Register(store.permits, SystemClock())
    await register.open()
    await register.add_permit(PERMIT, by="alice", why=WHY)
    await register.add_permit(PERMIT | {"version": 2, "issuer": "the regulator"}, by="alice", why=WHY)
    await register.add_permit(PERMIT | {"id": "basic-2"}, by="alice", why=WHY)
    await register.set_toggle({"key": "pstn_out", "enabled": False}, by="alice", why=WHY)
    await register.switch_telephone_off(by="alice", why=WHY)
    await store.journal.append(Draft("decision", "D-1", 1, "{}"))
    await register.switch_telephone_on(by="alice", why=WHY)
    await register.switch_telephone_on(by="vera", why="agreed")
    await register.close()
    return store


async def said(store: DatabaseStore) -> list[str]:
    return [fault.said for fault in await register_faults(store.journal)]


async def test_a_register_that_nobody_edited_is_what_was_filed(filed: DatabaseStore) -> None:
    assert await said(filed) == []


async def test_an_empty_register_is_what_was_filed(store: DatabaseStore) -> None:
    assert await said(store) == []


PERMITS_GONE = [
    "permit `basic-1`, version 1, is missing, and was filed",
    "permit `basic-1`, version 2, is missing, and was filed",
    "permit `basic-2`, version 1, is missing, and was filed",
]


@pytest.mark.parametrize(
    ("statement", "faults"),
    [
        ("DELETE FROM register_version WHERE kind = 'permit'", PERMITS_GONE),
        (
            "DELETE FROM register_version WHERE kind = 'toggle'",
            ["toggle `pstn_out`, version 1, is missing, and was filed"],
        ),
        (
            "DELETE FROM register_version WHERE kind = 'switch'",
            [f"switch `telephone`, version {number}, is missing, and was filed" for number in (1, 2)],
        ),
        (
            "DELETE FROM register_version WHERE kind = 'permit' AND version = 2",
            ["permit `basic-1`, version 2, is missing, and was filed"],
        ),
        (
            "UPDATE register_version SET document = replace(document, '2026-01-01', '2025-01-01') "
            "WHERE key = 'basic-2'",
            ["permit `basic-2`, version 1, was altered: it is not what the entry of its change says"],
        ),
        (
            "UPDATE register_version SET epoch = 1 WHERE key = 'basic-2'",
            ["permit `basic-2`, version 1, is said to be of epoch 1, and was filed at 3"],
        ),
        (
            "UPDATE register_version SET changed_by = 'nobody' WHERE key = 'basic-2'",
            ["permit `basic-2`, version 1, is said to be filed by another than the entry of its change says"],
        ),
        (
            "UPDATE register_version SET at = 1 WHERE key = 'basic-2'",
            [
                "permit `basic-2`, version 1, is said to be filed at another time than the entry of its "
                "change says"
            ],
        ),
        (
            "INSERT INTO register_version SELECT kind, 'texts', 1, document, changed_by, at, epoch "
            "FROM register_version WHERE kind = 'toggle'",
            ["toggle `texts`, version 1, is there, and no entry says that it was filed"],
        ),
        (
            "UPDATE counter SET value = 6 WHERE name = 'register'",
            ["the register is at epoch 6, and was at 7"],
        ),
        (
            "UPDATE counter SET value = 8 WHERE name = 'register'",
            ["no entry says what changed the register to epoch 8"],
        ),
    ],
)
async def test_whatever_is_edited_is_named(
    filed: DatabaseStore, direct: Direct, statement: str, faults: list[str]
) -> None:
    direct.disarm("register_version")
    direct.run(statement)
    assert await said(filed) == faults


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal_entry SET kind = 'decision' WHERE subject = 'basic-2'",
        "UPDATE journal_entry SET body = '[]' WHERE subject = 'basic-2'",
        "DELETE FROM journal_entry WHERE subject = 'basic-2'",
    ],
)
async def test_an_entry_that_is_hidden_with_its_rows_leaves_a_gap(
    filed: DatabaseStore, direct: Direct, statement: str
) -> None:
    for table in ("register_version", "journal_entry"):
        direct.disarm(table)
    direct.run("DELETE FROM register_version WHERE key = 'basic-2'")
    direct.run(statement)
    assert await said(filed) == ["no entry says what changed the register to epoch 3"]


async def test_what_an_operator_accepted_is_a_fault_again_once_it_is_edited_again(
    filed: DatabaseStore, direct: Direct
) -> None:
    direct.disarm("register_version")
    edit = "UPDATE register_version SET document = replace(document, '{}', '{}') WHERE key = 'basic-2'"
    direct.run(edit.format("2026-01-01", "2025-01-01"))
    faults = await register_faults(filed.journal)
    body = canonical({"register": as_accepted(faults)})
    assert len(json.loads(body)["register"]) == 1
    await filed.journal.append(Draft(LOSS_ACKNOWLEDGED, "checkpoint-0", 1, body))
    assert await said(filed) == []
    direct.run(edit.format("2025-01-01", "2024-01-01"))
    assert await said(filed) == [fault.said for fault in faults]


async def test_what_was_filed_anew_does_not_hide_that_it_was_gone(
    filed: DatabaseStore, direct: Direct
) -> None:
    direct.disarm("register_version")
    direct.run("DELETE FROM register_version WHERE key = 'basic-2'")
    register = Register(filed.permits, SystemClock())
    await register.open()
    await register.add_permit(PERMIT | {"id": "basic-2"}, by="alice", why=WHY)
    await register.close()
    gone = "permit `basic-2`, version 1, is missing, and was filed"
    assert await said(filed) == [gone]
    assert [fault.said for fault in filed_faults(await filed.journal.filed(), 4)] == [gone]


async def test_changes_are_found_without_reading_the_whole_chain(
    store: DatabaseStore, direct: Direct
) -> None:
    if direct.speaks("INSERT OR REPLACE"):
        plan = direct.run(
            f"EXPLAIN QUERY PLAN SELECT body FROM journal_entry WHERE {CHANGES.text} ORDER BY at, node, seq"
        )
        assert all("ix_journal_entry_change" in str(row) for row in plan), plan
    else:
        assert direct.run("SELECT indexname FROM pg_indexes WHERE indexname = 'ix_journal_entry_change'") == [
            ("ix_journal_entry_change",)
        ]
