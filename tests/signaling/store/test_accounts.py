"""Accounts and what is theirs, on both databases."""

import asyncio
import json
from dataclasses import replace

import pytest

from signaling.ports import IdTakenError, StoreError
from signaling.store.rows import DatabaseStore
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
from wephone.protocol.reasons import EndReason


async def test_a_name_is_given_once(store: DatabaseStore) -> None:
    await store.add_account(account(ALICE, operator=True))
    with pytest.raises(IdTakenError, match="alice"):
        await store.add_account(account(ALICE))
    assert await store.account(ALICE) == account(ALICE, operator=True)
    assert await store.account(BOB) is None
    await store.add_account(account(BOB))
    assert [found.user for found in await store.accounts()] == [ALICE, BOB]


async def test_an_account_changes(store: DatabaseStore) -> None:
    await store.add_account(account(ALICE))
    await store.set_password(ALICE, "new")
    await store.set_disabled(ALICE, True)
    await store.set_do_not_disturb(ALICE, True)
    changed = replace(account(ALICE), password="new", disabled=True, do_not_disturb=True)
    assert await store.account(ALICE) == changed
    with pytest.raises(StoreError, match="bob"):
        await store.set_password(BOB, "new")


async def test_a_session_lasts_until_it_is_ended_or_expires(store: DatabaseStore) -> None:
    await store.add_account(account(ALICE))
    for name in ("one", "two", "three"):
        await store.add_session(session(name), name.encode())
    assert await store.session(b"one", AT + 1) == session("one")
    assert await store.session(b"none", AT + 1) is None
    assert await store.session(b"one", session("one").expires_at) is None
    assert [row.session for row in await store.sessions(ALICE, AT + 1)] == ["one", "three", "two"]
    assert await store.end_session(ALICE, "one")
    assert not await store.end_session(ALICE, "one")
    assert not await store.end_session(BOB, "two")
    assert await store.session(b"one", AT + 1) is None
    assert await store.end_sessions(ALICE) == 2
    assert await store.sessions(ALICE, AT + 1) == []


async def test_only_an_enabled_account_has_sessions(store: DatabaseStore) -> None:
    with pytest.raises(StoreError, match="alice"):
        await store.add_session(session("one"), b"one")
    await store.add_account(account(ALICE))
    await store.add_session(session("one"), b"one")
    await store.set_disabled(ALICE, True)
    assert await store.session(b"one", AT) is None
    with pytest.raises(StoreError):
        await store.add_session(session("two"), b"two")


async def test_a_session_remembers_roughly_when_it_was_used(store: DatabaseStore) -> None:
    await store.add_account(account(ALICE))
    await store.add_session(session("one"), b"one")
    minute = 60_000_000
    await store.session(b"one", AT + minute)
    assert (await store.sessions(ALICE, AT))[0].seen_at == AT
    await store.session(b"one", AT + 10 * minute)
    assert (await store.sessions(ALICE, AT))[0].seen_at == AT + 10 * minute


async def test_an_invitation_is_taken_once(store: DatabaseStore) -> None:
    await store.add_invitation(b"token", ALICE, AT, AT + 10)
    await store.add_invitation(b"late", ALICE, AT, AT + 10)
    assert not await store.take_invitation(b"late", BOB, AT + 10)
    assert not await store.take_invitation(b"unknown", BOB, AT)
    taken = await asyncio.gather(
        *(store.take_invitation(b"token", user, AT + 1) for user in (BOB, CAROL) * 4)
    )
    assert taken.count(True) == 1
    with pytest.raises(IdTakenError):
        await store.add_invitation(b"token", ALICE, AT, AT + 10)


async def test_blocks_and_contacts(store: DatabaseStore) -> None:
    for _ in range(2):
        await store.block(ALICE, BOB, True)
    await store.block(ALICE, CAROL, True)
    assert await store.has_blocked(ALICE, BOB)
    assert not await store.has_blocked(BOB, ALICE)
    assert await store.blocked_by(ALICE) == [BOB, CAROL]
    for _ in range(2):
        await store.block(ALICE, BOB, False)
    assert await store.blocked_by(ALICE) == [CAROL]

    await store.set_contact(ALICE, CAROL, "C.")
    await store.set_contact(ALICE, BOB, "Bob")
    await store.set_contact(ALICE, BOB, "Bobby")
    assert await store.contacts(ALICE) == [(BOB, "Bobby"), (CAROL, "C.")]
    await store.set_contact(ALICE, BOB, None)
    await store.set_contact(ALICE, BOB, None)
    assert await store.contacts(ALICE) == [(CAROL, "C.")]


async def fill(store: DatabaseStore) -> None:
    """Everything that there can be about Alice and Bob."""
    for user in (ALICE, BOB):
        await store.add_account(account(user))
        await store.add_session(session(f"of-{user}", user), user.encode())
        await store.sign_in_device(user, some_device(), "phone", AT)
        await store.add_invitation(b"by " + user.encode(), user, AT, AT + 10)
    await store.block(ALICE, CAROL, True)
    await store.set_contact(ALICE, BOB, "Bob")
    text, _ = await store.accept_text(some_message(), ALICE, BOB, "secret", AT)
    await store.read(BOB, ALICE, text.seq, AT + 1)
    row = offered()
    await store.offer(row)
    await store.answer(row.call, BOBS, AT + 1, 1)
    await store.end(row.call, EndReason.HANGUP, AT + 2, missed=False)


async def test_an_export_holds_everything_of_the_user_and_nothing_of_others(store: DatabaseStore) -> None:
    await fill(store)
    document = await store.export_account(ALICE)
    assert json.loads(json.dumps(document)) == document
    assert {section: len(rows) for section, rows in document.items() if isinstance(rows, list)} == {
        "sessions": 1,
        "devices": 1,
        "contacts": 1,
        "blocked": 1,
        "invitations": 1,
        "texts": 1,
        "receipts": 1,
        "calls": 1,
    }
    text = json.dumps(document)
    assert "argon2" not in text
    assert BOBS.device not in text
    with pytest.raises(StoreError, match="carol"):
        await store.export_account(CAROL)


async def test_a_deleted_account_leaves_its_name_and_the_records(store: DatabaseStore) -> None:
    await fill(store)
    await store.delete_account(ALICE, AT + 9)
    assert await store.account(ALICE) is None
    assert [found.user for found in await store.accounts()] == [BOB]
    with pytest.raises(IdTakenError):
        await store.add_account(account(ALICE))
    with pytest.raises(StoreError):
        await store.delete_account(ALICE, AT + 9)
    assert await store.session(b"alice", AT) is None
    assert await store.blocked_by(ALICE) == [] == await store.contacts(ALICE)
    assert not await store.take_invitation(b"by alice", CAROL, AT + 1)
    assert len(await store.history(BOB, AT + 100, 10)) == 1
    # The words she wrote to Bob are his too, until he goes as well.
    assert [text.text for text in await store.texts_after(BOB, 0, 10)] == ["secret"]
    await store.delete_account(BOB, AT + 10)
    assert await store.texts_after(BOB, 0, 10) == []


async def test_a_purge_deletes_what_is_older_and_nothing_else(store: DatabaseStore) -> None:
    await fill(store)
    ringing = offered()
    await store.offer(ringing)
    for _ in range(1100):
        await store.accept_text(some_message(), ALICE, CAROL, "old", AT - 5)
    assert await store.purge("texts", AT) == 1100
    assert await store.purge("texts", AT + 1) == 1
    assert await store.purge("calls", AT + 100) == 1
    assert [row.call for row in await store.history(ALICE, AT + 100, 9)] == [ringing.call]
    assert await store.purge("sessions", AT + 11) == 2  # the two invitations
    with pytest.raises(StoreError, match="nonsense"):
        await store.purge("nonsense", AT)
