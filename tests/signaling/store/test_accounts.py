"""Accounts and what is theirs, on both databases."""

import asyncio
from dataclasses import replace

import pytest

from signaling.ports.store import IdTakenError, StoreError
from signaling.store.rows import DatabaseStore
from tests.signaling.store.people import (
    ALICE,
    AT,
    BOB,
    CAROL,
    account,
    session,
)
from wephone.protocol.ids import UserId


async def test_a_name_is_given_once(store: DatabaseStore) -> None:
    await store.add_account(account(ALICE, operator=True))
    with pytest.raises(IdTakenError, match="alice"):
        await store.add_account(account(ALICE))
    assert await store.account(ALICE) == account(ALICE, operator=True)
    assert await store.account(BOB) is None
    await store.add_account(account(BOB))
    assert [found.user for found in await store.accounts_from("", 100)] == [ALICE, BOB]


async def test_an_account_changes(store: DatabaseStore) -> None:
    await store.add_account(account(ALICE))
    await store.set_password(ALICE, "new")
    await store.set_disabled(ALICE, True)
    await store.set_do_not_disturb(ALICE, True)
    changed = replace(account(ALICE), password="new", disabled=True, do_not_disturb=True)
    assert await store.account(ALICE) == changed
    with pytest.raises(StoreError, match="bob"):
        await store.set_password(BOB, "new")


async def test_a_password_that_was_changed_meanwhile_is_not_hashed_again(store: DatabaseStore) -> None:
    await store.add_account(account(ALICE))
    await store.rehash(ALICE, "not this one", "overtaken")
    assert await store.account(ALICE) == account(ALICE)
    await store.rehash(ALICE, account(ALICE).password, "better")
    assert await store.account(ALICE) == replace(account(ALICE), password="better")


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


async def test_a_session_is_called_what_its_owner_likes(store: DatabaseStore) -> None:
    await store.add_account(account(ALICE))
    await store.add_session(session("s-1"), b"hash")
    assert await store.name_session(ALICE, "s-1", "kitchen")
    assert not await store.name_session(BOB, "s-1", "mine")
    assert [each.label for each in await store.sessions(ALICE, AT)] == ["kitchen"]


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


@pytest.mark.parametrize("way", ["disabled", "deleted"])
async def test_of_operators_who_remove_each_other_at_once_one_is_left(store: DatabaseStore, way: str) -> None:
    async def remove(user: UserId) -> bool:
        if way == "disabled":
            return await store.set_disabled(user, True)
        return await store.delete_account(user, AT + 1)

    operators = [UserId(f"operator{number}") for number in range(8)]
    for user in operators:
        await store.add_account(replace(account(user), operator=True))
    await store.add_account(account(ALICE))
    assert await remove(ALICE)  # no operator's account
    removed = await asyncio.gather(*map(remove, operators))
    assert removed.count(False) == 1
    left = [each.user for each in await store.accounts_from("", 100) if each.operator and not each.disabled]
    assert left == [operators[removed.index(False)]]


async def test_there_are_never_too_many_blocks_and_contacts(store: DatabaseStore) -> None:
    await store.add_account(account(ALICE))
    others = [UserId(f"other{number}") for number in range(8)]
    blocked = await asyncio.gather(*(store.block(ALICE, other, True, most=3) for other in others))
    noted = await asyncio.gather(*(store.set_contact(ALICE, other, "x", most=3) for other in others))
    assert (blocked.count(True), noted.count(True)) == (3, 3)
    assert (len(await store.blocked_by(ALICE)), len(await store.contacts(ALICE))) == (3, 3)
    there = others[noted.index(True)]
    assert await store.set_contact(ALICE, there, "renamed", most=3)
    assert await store.block(ALICE, others[blocked.index(True)], True, most=3)


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
