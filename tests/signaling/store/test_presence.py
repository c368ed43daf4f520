"""Who lets whom see that they are there, and the list of conversations."""

import pytest

from signaling.store.rows import DatabaseStore
from tests.signaling.store.people import ALICE, AT, BOB, CAROL, account, some_device, some_message

LATEST = 2**63 - 1


@pytest.fixture
async def friends(store: DatabaseStore) -> DatabaseStore:
    """Alice and Bob have noted each other down; Carol has noted Alice, who does not know her."""
    for user in (ALICE, BOB, CAROL):
        await store.add_account(account(user))
    for user, other in ((ALICE, BOB), (BOB, ALICE), (CAROL, ALICE)):
        await store.set_contact(user, other, "a friend")
    return store


async def test_those_who_know_each_other_see_when_a_device_last_was_there(friends: DatabaseStore) -> None:
    assert await friends.presence(ALICE) == [(BOB, None)]
    phone, laptop = some_device(), some_device()
    await friends.sign_in_device(BOB, phone, "phone", AT)
    await friends.sign_in_device(BOB, laptop, "laptop", AT + 5)
    assert await friends.presence(ALICE) == [(BOB, AT + 5)]
    await friends.leave_device(BOB, phone, AT + 9)
    await friends.leave_device(BOB, phone, AT + 7)  # an older word changes nothing
    assert await friends.presence(ALICE) == [(BOB, AT + 9)]


async def test_a_stranger_and_whoever_is_blocked_see_nothing(friends: DatabaseStore) -> None:
    assert await friends.presence(CAROL) == []
    await friends.set_contact(ALICE, CAROL, "Carol")
    assert await friends.presence(CAROL) == [(ALICE, None)]
    await friends.block(ALICE, CAROL, True)
    assert await friends.presence(CAROL) == []
    assert [user for user, _ in await friends.presence(ALICE)] == [BOB, CAROL]


async def test_who_shows_nothing_is_not_seen(friends: DatabaseStore) -> None:
    await friends.set_shows_presence(BOB, False)
    assert await friends.presence(ALICE) == []
    await friends.set_shows_presence(BOB, True)
    await friends.set_disabled(BOB, True)
    assert await friends.presence(ALICE) == []
    await friends.set_disabled(BOB, False)
    await friends.delete_account(BOB, AT)
    assert await friends.presence(ALICE) == []


async def test_conversations_are_listed_by_their_last_text(friends: DatabaseStore) -> None:
    for sender, to, words in ((ALICE, BOB, "one"), (CAROL, ALICE, "two"), (BOB, ALICE, "three")):
        await friends.accept_text(some_message(), sender, to, words, AT)
    await friends.accept_text(some_message(), CAROL, ALICE, "four", AT)
    rows = await friends.conversations(ALICE, LATEST, 10)
    assert [(row.peer, row.text.text, row.unread) for row in rows] == [(CAROL, "four", 2), (BOB, "three", 1)]
    await friends.read(ALICE, CAROL, rows[0].text.seq, AT + 1)
    newest, rest = [await friends.conversations(ALICE, before, 1) for before in (LATEST, rows[0].text.seq)]
    assert [(row.peer, row.unread) for row in newest] == [(CAROL, 0)]
    assert [(row.peer, row.unread) for row in rest] == [(BOB, 1)]
    assert await friends.conversations(ALICE, rest[0].text.seq, 1) == []
    assert [row.peer for row in await friends.conversations(CAROL, LATEST, 10)] == [ALICE]
