"""The browser app as its users have it: two browsers, a real server, and what each hears."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import async_playwright, expect

from tests.browser.conftest import tone
from tests.browser.test_browser import hears_tone
from tests.testing.test_kit import said_of_their_call
from tests.web.app import DESKTOP, PHONE, Someone, microphone, someone
from tests.web.conftest import FLAGS, Town, program
from wephone.media.devices import Ear, Tone
from wephone.testing.kit import Kit

ALICES_TONE, BOBS_TONE, CAROLS_TONE = 440.0, 1000.0, 700.0  # Hz
NEAR = 12.0  # Hz: the width of a bin


@pytest.fixture
async def two(wephone: Kit, tmp_path: Path) -> AsyncIterator[tuple[Someone, Someone]]:
    """Alice at a laptop and Bob at a telephone's size, each with a microphone; neither has an account."""
    await wephone.server.start()
    async with async_playwright() as playwright:
        people = []
        for name, pitch, size in (("alice", ALICES_TONE, DESKTOP), ("bob", BOBS_TONE, PHONE)):
            sound = microphone(tone(tmp_path / f"{name}.wav", pitch))
            browser = await playwright.chromium.launch(executable_path=program(), args=[*FLAGS, sound])
            people.append(await someone(name, browser, size))
        alice, bob = people
        yield alice, bob
        for person in people:
            assert person.said == []
            assert person.context.browser is not None
            await person.context.browser.close()


async def test_two_newcomers_talk(two: tuple[Someone, Someone], wephone: Kit) -> None:
    alice, bob = two
    await alice.sign_up(wephone.server.url)
    await bob.sign_up(wephone.server.url)
    await alice.calls("bob")
    await alice.sees("Ringing")
    await bob.answers()
    assert abs(await alice.hears() - BOBS_TONE) < NEAR
    assert abs(await bob.hears() - ALICES_TONE) < NEAR
    assert await alice.reads_code() == await bob.reads_code()
    await alice.button("End").click()
    await bob.sees("Call ended")
    await alice.button("Close").click()
    await alice.page.get_by_role("link", name="Calls").click()
    await alice.sees("Outgoing")


async def test_a_page_that_is_loaded_again_goes_on_talking(
    two: tuple[Someone, Someone], wephone: Kit
) -> None:
    alice, bob = two
    await alice.sign_up(wephone.server.url)
    await bob.sign_up(wephone.server.url)
    await alice.calls("bob")
    await bob.answers()
    await alice.hears()
    code = await alice.reads_code()
    await bob.page.reload()
    await bob.sees("00:0")
    assert abs(await bob.hears() - ALICES_TONE) < NEAR
    assert abs(await alice.hears() - BOBS_TONE) < NEAR
    for person in two:  # by the same keys: nobody has come between
        assert await person.reads_code() == code
    await alice.button("End").click()
    await bob.sees("Call ended")


async def test_a_headless_peer_follows_a_page_that_is_loaded_again(
    two: tuple[Someone, Someone], wephone: Kit
) -> None:
    alice, _ = two
    await alice.sign_up(wephone.server.url)
    (carol,) = await wephone.peers("carol", answer=False)
    await alice.calls("carol")
    call = await carol.next_call()
    ear = Ear()
    await call.answer(Tone(CAROLS_TONE), ear)
    assert abs(await alice.hears() - CAROLS_TONE) < NEAR
    await alice.page.reload()
    await alice.sees("00:0")
    assert abs(await alice.hears() - CAROLS_TONE) < NEAR
    assert await alice.reads_code() == await call.verified()
    async with asyncio.timeout(20):
        await hears_tone(ear, ALICES_TONE)
        await call.hangup()
        await alice.sees("Call ended")
        for side in await said_of_their_call(wephone):
            assert side.packets > 20 and side.jitter < 1_000_000


async def test_who_cannot_be_called_is_said_with_what_to_do_next(town: Town) -> None:
    alice = await town.member("alice")
    await alice.page.get_by_role("searchbox").fill("+1 202 555 0123")
    await alice.sees("The operator holds no permit for this country.")
    await alice.sees("Telephone call to United States")
    await alice.sees("You can call this person in the app instead, if they use it.")
    assert await alice.button("Call").is_disabled()
    await alice.button("Search people").click()
    await alice.sees("Nobody here yet")
    for odd in ("110", "12345"):
        await alice.page.get_by_role("searchbox").fill(odd)
        await alice.sees("Write it with + and the country's code.")
    await alice.calls("nobody.here")
    await alice.sees("There is no such user.")
    for name in ("Message", "Call again"):
        await expect(alice.button(name)).to_have_count(0)
    await alice.button("Search people").click()
    await alice.page.get_by_role("searchbox").fill("somebody")
    await alice.button("Call: somebody").wait_for()


async def test_texts_go_both_ways_with_receipts(two: tuple[Someone, Someone], wephone: Kit) -> None:
    alice, bob = two
    await alice.sign_up(wephone.server.url)
    await bob.sign_up(wephone.server.url)
    await alice.page.get_by_role("searchbox").fill("bob")
    await alice.button("Message: bob").click()
    await alice.page.get_by_label("Write a message").fill("<b>hello</b>")
    await alice.button("Send").click()
    await alice.sees("Delivered")
    await bob.page.get_by_role("link", name="Messages").click()
    await bob.page.get_by_role("button", name="alice").click()
    await bob.sees("<b>hello</b>")  # as it was written: texts are shown, never run
    await alice.sees("Read")
