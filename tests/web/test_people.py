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
    await alice.button("About bob").click()
    await alice.page.get_by_label("Your name for them").fill("李 Na")
    await alice.button("Save").click()
    await alice.button("Call: 李 Na").wait_for()
    for typed in ("李", "李 na", "na"):
        await alice.page.get_by_role("searchbox").fill(typed)
        await alice.button("Call: 李 Na").wait_for()
        await alice.sees_no("neither a name nor a telephone number")
    await alice.page.get_by_role("searchbox").fill("李 b")
    await alice.sees("neither a name nor a telephone number")


async def test_a_link_that_is_no_good_leads_to_its_place_and_none_calls_anybody(
    town: Town, wephone: Kit
) -> None:
    await wephone.peers("bob")
    alice = await town.member("alice")
    for link in (
        "#messages/%E0%A4%A",
        "?call=bob#calls/bob",
        "#people/bob?call=bob&answer=1",
    ):
        await alice.page.goto("about:blank")
        await alice.page.goto(f"{town.url}/{link}")
        await alice.page.locator(".home[data-link=up]").wait_for()
        await alice.page.get_by_role("link", name="Settings").click()
        await alice.sees("Signed in as alice")
        assert await alice.page.get_by_role("dialog").count() == 0
    past = await alice.page.evaluate("fetch('/api/history/calls').then((answer) => answer.json())")
    assert past["calls"] == []


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
