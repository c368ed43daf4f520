"""Passwords and tokens as they are kept."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from signaling import passwords
from signaling.passwords import Passwords, TooBusyError, fault, fault_of_choice, is_once, new_password
from signaling.tokens import new_token, token_hash
from signaling.turn import turn_credentials
from wephone.protocol.ids import UserId

RIGHT = "correct horse battery"


@pytest.fixture
def hasher(made_once: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Passwords]:
    """At the cost that it has outside of tests."""
    monkeypatch.setattr(passwords, "_HASHER", made_once)
    made = Passwords()
    yield made
    made.close()


async def test_what_is_kept_is_argon2id_with_a_salt_of_its_own(hasher: Passwords) -> None:
    one, two = await hasher.hash(RIGHT), await hasher.hash(RIGHT)
    assert one.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert one != two
    assert await hasher.is_right(one, RIGHT)
    assert not await hasher.is_right(one, "not this one")
    assert not hasher.is_outdated(one)


async def test_no_password_is_right_where_none_is_kept(hasher: Passwords) -> None:
    for stored in (None, "", "not a hash"):
        assert not await hasher.is_right(stored, RIGHT)


async def test_a_password_for_one_use_is_marked(hasher: Passwords) -> None:
    stored = await hasher.hash(RIGHT, once=True)
    assert is_once(stored)
    assert not is_once(await hasher.hash(RIGHT))
    assert await hasher.is_right(stored, RIGHT)


async def test_a_flood_of_sign_ins_is_turned_away(hasher: Passwords, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "MOST_WAITING", 3)
    answers = await asyncio.gather(*(hasher.hash(RIGHT) for _ in range(10)), return_exceptions=True)
    assert sum(isinstance(answer, TooBusyError) for answer in answers) == 7
    assert await hasher.hash(RIGHT)


async def test_the_loop_goes_on_while_a_password_is_worked_out(hasher: Passwords) -> None:
    work = asyncio.ensure_future(hasher.hash(RIGHT))
    turns = 0
    while not work.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 5


def test_passwords_that_are_made_can_be_used_and_differ() -> None:
    made = {new_password() for _ in range(100)}
    assert len(made) == 100
    assert all(fault(password, "alice") is None for password in made)


@pytest.mark.parametrize("password", ["", "1234567", "x" * 257, "aaaaaaaa", "ababab", "alice-alice"])
def test_what_is_easy_to_guess_is_no_password(password: str) -> None:
    assert fault(password, "alice-alice") is not None


@pytest.mark.parametrize("password", ["password1", "PassW0rd", "qwertyuiop", "woaini1314", "Alice-Alice"])
def test_nobody_chooses_what_is_tried_first(password: str) -> None:
    assert fault_of_choice(password, "alice-alice") is not None
    assert fault_of_choice("correct horse battery", "alice-alice") is None


def test_a_token_has_256_bits_and_is_kept_as_its_hash() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    for token in tokens:
        assert len(token) == 43
        assert len(token_hash(token)) == 32
        assert token.encode() not in token_hash(token)


def test_the_relay_reads_credentials_as_coturn_does() -> None:
    made = turn_credentials("north", UserId("alice"), 1_700_000_000, 300)
    assert made.username.startswith("1700000300:")
    # echo -n USERNAME | openssl dgst -sha1 -hmac north -binary | base64
    assert made == turn_credentials("north", UserId("alice"), 1_700_000_000, 300)
    assert made.username != turn_credentials("north", UserId("bob"), 1_700_000_000, 300).username
    assert made.credential != turn_credentials("south", UserId("alice"), 1_700_000_000, 300).credential
    assert "alice" not in made.username
