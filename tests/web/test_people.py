"""Who is there, and what was said before: what the server knows is shown on any device."""

import pytest
from playwright.async_api import expect

from tests.web.app import WITHIN, Someone
from tests.web.conftest import BOBS_TONE, Town
from wephone.testing.kit import Kit


async def add(person: Someone, name: str) -> None:
    """Note somebody down."""
    await person.page.get_by_role("searchbox").fill(name)
    await person.button(f"Add to people: {name}").click()
    await person.button(f"Call: {name}").wait_for(timeout=WITHIN)


async def look_again(person: Someone) -> None:
    """Leave the list of people and come back to it."""
    await person.page.get_by_role("link", name="Calls").click()
    await person.page.get_by_role("link", name="People").click()


async def test_people_who_know_each_other_see_who_is_there(town: Town, wephone: Kit) -> None:
    alice, bob = await town.member("alice"), await town.member("bob", BOBS_TONE)
    await add(alice, "bob")
    await alice.sees_no("Online")  # Bob does not know her
    await add(bob, "alice")
    await bob.sees("Online")
    await look_again(alice)
    await alice.sees("Online")
    await bob.page.get_by_role("link", name="Settings").click()
    hidden = bob.page.get_by_label("Show when I am online")
    await expect(hidden).to_be_checked(timeout=WITHIN)
    async with bob.page.expect_response("**/api/account"):
        await hidden.uncheck()
    await look_again(alice)
    await alice.sees_no("Online")
    async with bob.page.expect_response("**/api/account"):
        await hidden.check()
    await bob.page.close()
    await wephone.server.until_connected(1)
    await look_again(alice)
    await alice.sees("Last seen")


@pytest.mark.long
async def test_a_new_browser_lists_the_conversations_with_what_is_unread(town: Town) -> None:
    alice, bob = await town.member("alice"), await town.member("bob", BOBS_TONE)
    for writer, to, words in ((alice, "bob", "to be read"), (bob, "alice", "an answer")):
        await writer.page.get_by_role("searchbox").fill(to)
        await writer.button(f"Message: {to}").click()
        await writer.page.get_by_label("Write a message").fill(words)
        await writer.button("Send").click()
        await writer.sees("Read" if writer is bob else "Delivered")
    await bob.page.goto("about:blank")
    await alice.page.get_by_label("Write a message").fill("one more")
    await alice.button("Send").click()
    await alice.sees("Sent")
    other = await town.newcomer("bob")
    await other.sign_in(town.url)
    await other.page.get_by_role("link", name="1 unread").click()
    await other.page.get_by_role("button", name="alice one more").click()
    for words in ("to be read", "an answer", "one more"):
        await other.sees(words)
    await expect(alice.page.get_by_text("Read", exact=True)).to_have_count(2, timeout=WITHIN)
