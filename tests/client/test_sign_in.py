"""Signing in, and being signed out."""

import pytest

from wephone import Client, NotSignedIn, ServerUnreachable, SignInRefused
from wephone.events import SignedOut
from wephone.testing.kit import Kit


async def test_a_wrong_password_is_refused_with_the_servers_sentence(wephone: Kit) -> None:
    await wephone.server.start()
    await wephone.server.add_user("alice")
    with pytest.raises(SignInRefused) as caught:
        async with Client(wephone.server.url, "alice", password="not this one"):
            pass
    assert caught.value.status in (401, 403)
    assert "HTTP" not in str(caught.value)


async def test_a_name_that_nobody_has_is_refused_in_the_same_words_as_a_wrong_password(wephone: Kit) -> None:
    await wephone.server.start()
    await wephone.server.add_user("alice")
    refusals = []
    for name in ("alice", "nobody"):
        with pytest.raises(SignInRefused) as caught:
            async with Client(wephone.server.url, name, password="not this one"):
                pass
        refusals.append((str(caught.value), caught.value.status))
    assert refusals[0] == refusals[1]


async def test_a_token_that_the_server_does_not_know_signs_nobody_in(wephone: Kit) -> None:
    await wephone.server.start()
    with pytest.raises(NotSignedIn):
        async with Client(wephone.server.url, "alice", token="x" * 43):
            pass


async def test_a_server_that_is_not_there_is_unreachable() -> None:
    with pytest.raises(ServerUnreachable, match=r"cannot reach http://127\.0\.0\.1:1/"):
        async with Client("http://127.0.0.1:1", "alice", password="secret"):
            pass


def test_a_client_needs_a_secret_and_a_name_that_can_be_one() -> None:
    with pytest.raises(ValueError, match="a password or a token"):
        Client("http://127.0.0.1:1", "alice")
    with pytest.raises(ValueError):
        Client("http://127.0.0.1:1", "+33612345678", password="secret")


async def test_a_client_that_is_not_signed_in_yet_says_so(wephone: Kit) -> None:
    await wephone.server.start()
    client = Client(wephone.server.url, "alice", password="secret")
    with pytest.raises(NotSignedIn, match="before `async with`"):
        await client.call("bob")


async def test_the_same_device_elsewhere_takes_the_place_of_this_one(wephone: Kit) -> None:
    (alice,) = await wephone.peers("alice")
    events = alice.client.events()
    again = Client(
        wephone.server.url,
        "alice",
        password=wephone.server.password("alice"),
        device=alice.client.device,
    )
    async with again:
        assert await anext(events) == SignedOut(reason="replaced")
        assert again.link == "up"
        with pytest.raises(NotSignedIn, match="replaced"):
            await alice.call("bob")


async def test_a_session_that_is_revoked_ends_its_client(wephone: Kit) -> None:
    (alice,) = await wephone.peers("alice")
    events = alice.client.events()
    await wephone.server.sign_out_everywhere("alice")
    assert (await anext(events)) == SignedOut(reason="revoked")
    assert [text async for text in alice.client.messages()] == []


async def test_a_session_that_is_over_by_its_date_ends_its_connection(wephone: Kit) -> None:
    (alice,) = await wephone.peers("alice")
    events = alice.client.events()
    await wephone.clock.advance(31 * 24 * 3600)
    assert (await anext(events)) == SignedOut(reason="expired")


async def test_leaving_ends_the_session_that_the_password_bought(wephone: Kit) -> None:
    (alice,) = await wephone.peers("alice")
    assert len(await wephone.server.sessions("alice")) == 2  # alice's own, and the one that asks
    await alice.client.close()
    assert len(await wephone.server.sessions("alice")) == 1
