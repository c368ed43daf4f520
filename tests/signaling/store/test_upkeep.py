"""Export, deletion and retention: complete, held by the list of tables itself."""

import json

import pytest

from signaling.ports.store import IdTakenError, StoreError
from signaling.store.rows import DatabaseStore
from signaling.store.tables import metadata
from tests.signaling.store.database import Direct
from tests.signaling.store.everything import ENTRIES, LATER, fill
from tests.signaling.store.people import (
    ALICE,
    AT,
    BOB,
    BOBS,
    CAROL,
    account,
    offered,
    session,
    some_device,
    some_message,
)

# Every column in which a user's name stands, and the section of the export that holds such a row for the user
# of that name; none where the row is somebody else's. A new table has to be filled by `fill`, and then to be
# here if it names people.
SECTIONS: dict[str, str | None] = {
    "account.name": "account",
    "session.account": "sessions",
    "invitation.invited_by": "invitations",
    "invitation.used_by": "invitations",
    "block.account": "blocked",
    "block.blocked": None,
    "contact.account": "contacts",
    "contact.contact": None,
    "device.account": "devices",
    "push_subscription.account": "push",
    "account_facts.account": "facts",
    "owned_number.account": "numbers",
    "facts_entry.account": "facts_history",
    "entitlement.account": "telephone",
    "entitlement.granted_by": None,
    "leg.account": "telephone_legs",
    "call.caller": "calls",
    "call.callee": "calls",
    "call.answered_by": "calls",
    "message.sender": "texts",
    "message.recipient": "texts",
    "receipt.sender": "receipts",
    "receipt.reader": "receipts",
    "register_version.changed_by": "register_changes",
    "clear_value.value": "evidence",
}
# Where the name of a deleted account may still stand: nobody else may take the name, the other party has a
# history, what an operator did stays known, and evidence has a date of its own.
RECORDS = {
    "account.name",
    "call.caller",
    "call.callee",
    "call.answered_by",
    "entitlement.granted_by",
    "leg.account",
    "register_version.changed_by",
    "clear_value.value",
}
# And while the other one is there: it has read the words, and keeps its own lists.
SHARED = {"message.sender", "message.recipient", "block.blocked", "contact.contact"}


def named_in(direct: Direct, user: str) -> set[str]:
    """The columns in which this name stands."""
    return where(
        direct,
        {
            f"{table.name}.{column.name}": f"SELECT 1 FROM {table.name} WHERE {column.name} = '{user}'"
            for table in metadata.sorted_tables
            for column in table.columns
            if str(column.type) == "TEXT"
        },
    )


def where(direct: Direct, questions: dict[str, str]) -> set[str]:
    """The names of the questions that have an answer."""
    each = [f"SELECT '{name}' AS name WHERE EXISTS ({select})" for name, select in questions.items()]
    return {str(name) for (name,) in direct.run(f"SELECT name FROM ({' UNION ALL '.join(each)}) AS found")}


async def test_every_table_that_names_people_is_known(store: DatabaseStore, direct: Direct) -> None:
    await fill(store)
    tables = {table.name: f"SELECT 1 FROM {table.name}" for table in metadata.sorted_tables}
    assert where(direct, tables) == set(tables), "each table has a row"
    assert named_in(direct, ALICE) | named_in(direct, BOB) == set(SECTIONS)


@pytest.mark.parametrize("user", [ALICE, BOB])
async def test_an_export_holds_every_row_of_the_user(store: DatabaseStore, direct: Direct, user: str) -> None:
    await fill(store)
    document = await store.export_account(ALICE if user == ALICE else BOB)
    assert json.loads(json.dumps(document)) == document
    assert set(document) == {section for section in SECTIONS.values() if section}
    for section in set(document) - {"account"}:
        columns = [column.split(".") for column, its in SECTIONS.items() if its == section]
        table = columns[0][0]
        whose = " OR ".join(f"{column} = '{user}'" for _, column in columns)
        [(expected,)] = direct.run(f"SELECT count(*) AS n FROM {table} WHERE {whose}")
        rows = document[section]
        assert isinstance(rows, list)
        assert len(rows) == expected, section


async def test_an_export_holds_no_secret_and_nothing_of_others(store: DatabaseStore) -> None:
    await fill(store)
    text = json.dumps(await store.export_account(ALICE))
    assert "argon2" not in text
    assert "token" not in text
    assert BOBS.device not in text
    assert "secret" in text
    with pytest.raises(StoreError, match="carol"):
        await store.export_account(CAROL)


async def test_a_deleted_account_leaves_its_name_and_the_records(
    store: DatabaseStore, direct: Direct
) -> None:
    await fill(store)
    await store.delete_account(ALICE, AT + 9)
    assert named_in(direct, ALICE) == (RECORDS | SHARED) & named_in(direct, ALICE)
    assert await store.account(ALICE) is None
    assert [found.user for found in await store.accounts_from("", 100)] == [BOB]
    with pytest.raises(IdTakenError):
        await store.add_account(account(ALICE))
    with pytest.raises(StoreError):
        await store.delete_account(ALICE, AT + 9)
    assert await store.session(b"alice", AT) is None
    assert not await store.take_invitation(b"by alice", CAROL, AT + 1)
    assert len(await store.history(BOB, AT + 100, 10)) == 2
    # The words she wrote to Bob are his too, until he goes as well.
    assert [text.text for text in await store.texts_after(BOB, 0, 10)] == ["secret"]
    await store.delete_account(BOB, AT + 10)
    assert await store.texts_after(BOB, 0, 10) == []
    for user in (ALICE, BOB):
        assert named_in(direct, user) <= RECORDS


async def test_a_purge_deletes_what_is_older_and_nothing_else(store: DatabaseStore) -> None:
    await fill(store)
    for _ in range(1100):
        await store.accept_text(some_message(), ALICE, CAROL, "old", AT - 5)
    assert await store.purge("texts", AT) == 1100
    assert [row.text for row in await store.texts_after(BOB, 0, 9)] == ["secret"]
    assert await store.purge("texts", AT + 1) == 1
    stored, _ = await store.accept_text(some_message(), ALICE, BOB, "new", AT)
    assert stored.seq == 1102  # numbers are not given again
    with pytest.raises(StoreError, match="there is no retention class `nonsense`: calls, clear_values"):
        await store.purge("nonsense", AT)


async def test_a_purge_of_calls_leaves_what_rings_or_talks(store: DatabaseStore) -> None:
    await fill(store)
    talking = offered(at=AT - 10**9)
    await store.offer(talking)
    await store.answer(talking.call, BOBS, AT, 1)
    before = await store.history(ALICE, AT + 100, 9)
    assert await store.purge("calls", AT + 2) == 0
    assert await store.purge("calls", AT + 100) == 3  # and what was heard of one
    left = await store.history(ALICE, AT + 100, 9)
    assert [row for row in before if row.ended_at is None] == left
    assert len(left) == 2


async def test_a_purge_of_sessions_takes_what_has_expired(store: DatabaseStore) -> None:
    await fill(store)
    assert await store.purge("sessions", LATER) == 0
    assert await store.purge("sessions", LATER + 1) == 4  # the invitations
    assert len(await store.sessions(ALICE, AT)) == 1
    assert await store.purge("sessions", session("any").expires_at + 1) == 4  # and where they are woken
    assert await store.sessions(ALICE, AT) == []


async def test_a_purge_of_devices_takes_those_that_were_not_seen_since(
    store: DatabaseStore, direct: Direct
) -> None:
    await fill(store)
    old, new = some_device(), some_device()
    await store.sign_in_device(ALICE, old, "old", AT - 2)
    await store.sign_in_device(ALICE, new, "new", AT - 1)
    assert await store.purge("devices", AT - 1) == 1
    labels = direct.run("SELECT label FROM device WHERE account = 'alice' ORDER BY seen_at")
    assert labels == [("new",), ("phone",)]


async def test_a_purge_of_clear_values_leaves_the_chain(store: DatabaseStore, direct: Direct) -> None:
    await fill(store)
    assert await store.purge("clear_values", LATER) == 0
    assert await store.purge("clear_values", LATER + 1) == ENTRIES
    assert direct.run("SELECT count(*) AS n FROM clear_value") == [(0,)]
    assert (await store.journal.head()).seq == ENTRIES


async def test_the_store_remembers_when_it_was_last_purged(store: DatabaseStore) -> None:
    assert await store.purged_at() is None
    for at in (AT, AT + 1):
        await store.note_purge(at)
        assert await store.purged_at() == at
