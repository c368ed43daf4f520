"""A session ends while the app is open, or its server is about to restart: the app says so, and what next."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from playwright.async_api import Locator, expect

from tests.fakes.proxy import Proxy
from tests.web.app import PASSWORD, Someone
from tests.web.conftest import BOBS_TONE, Town
from wephone.protocol.ids import UserId
from wephone.testing.kit import Kit

ALICE = UserId("alice")
YEAR = 365 * 24 * 3600  # seconds


async def revoked(wephone: Kit) -> None:
    await wephone.server.running.parts.accounts.sign_out_everywhere(ALICE)


async def disabled(wephone: Kit) -> None:
    await wephone.server.running.parts.accounts.set_disabled(ALICE, True)


async def expired(wephone: Kit) -> None:
    await wephone.clock.advance(YEAR)
    await wephone.server.restart()


@pytest.mark.parametrize(
    ("end", "sentence"),
    [
        (revoked, "You were signed out from another device."),
        (disabled, "This account has been disabled by the operator."),
        (expired, "Your session has expired. Sign in again."),
    ],
)
async def test_a_session_that_ends_says_why_and_leads_back_to_the_door(
    town: Town, wephone: Kit, end: Callable[[Kit], Awaitable[None]], sentence: str
) -> None:
    alice = await town.member("alice")
    second = await alice.another_tab()
    await wephone.server.until_connected(1)
    await end(wephone)
    for tab in (alice, second):
        await tab.sees(sentence)
    await second.button("Sign in again").click()
    for tab in (alice, second):
        await tab.button("I need an account").wait_for()


async def test_whoever_signs_in_again_is_connected_again(town: Town, wephone: Kit) -> None:
    alice, bob = await town.member("alice"), await town.member("bob", BOBS_TONE)
    await wephone.server.until_connected(2)
    await revoked(wephone)
    await alice.button("Sign in again").click()
    await alice.page.get_by_label("Name").fill("alice")
    await alice.page.get_by_label("Password").fill(PASSWORD)
    await alice.button("Sign in").click()
    await wephone.server.until_connected(2)
    await bob.calls("alice")
    await alice.answers()
    await alice.hears_tone(BOBS_TONE)


async def test_a_server_about_to_restart_is_announced_and_the_call_goes_on(
    pair: tuple[Someone, Someone], wephone: Kit
) -> None:
    alice, bob = pair
    await alice.calls("bob")
    await bob.answers()
    await alice.hears_tone(BOBS_TONE)
    await alice.button("Minimise").click()
    draining = asyncio.create_task(wephone.server.running.drain())
    await alice.sees("The service restarts in a moment. Running calls go on.")
    draining.cancel()
    await wephone.server.restart()
    await wephone.server.until_connected(2)
    await alice.sees_no("The service restarts in a moment.")
    await alice.hears_tone(BOBS_TONE)


async def test_nobody_is_told_that_they_are_signed_out_before_the_server_has_heard_it(
    town: Town, wephone: Kit
) -> None:
    alice = await town.member("alice")
    await alice.page.get_by_role("link", name="Settings").click()
    await alice.page.context.set_offline(True)
    await alice.page.get_by_role("button", name="Sign out", exact=True).last.click()
    await alice.sees("No connection to the service. Trying again…")
    await alice.page.context.set_offline(False)
    await alice.button("I need an account").wait_for()
    await alice.page.reload()
    await alice.button("I need an account").wait_for()


async def writes_to_bob(person: Someone) -> Locator:
    """Open the conversation; the line to write on."""
    await person.page.get_by_role("searchbox").fill("bob")
    await person.button("Message: bob").click()
    return person.page.get_by_label("Write a message")


async def test_what_is_written_outlives_a_session_that_ends_and_not_a_sign_out(
    town: Town, wephone: Kit
) -> None:
    await wephone.peers("bob")
    async with Proxy(wephone.server.port) as proxy:
        alice = await town.newcomer("alice")
        url = f"http://127.0.0.1:{proxy.port}"
        await alice.sign_up(url)
        line = await writes_to_bob(alice)
        proxy.shut()
        await line.fill("while away")
        await alice.button("Send").click()
        await line.fill("half a sent")
        await revoked(wephone)
        proxy.open()
        await alice.button("Sign in again").click()
        await alice.button("I need an account").wait_for()
        await alice.sign_in(url)
        line = await writes_to_bob(alice)
        await alice.sees("Delivered")
        await expect(alice.page.get_by_role("log").get_by_text("while away")).to_have_count(1)
        await expect(line).to_have_value("half a sent")
        await alice.page.get_by_role("link", name="Settings").click()
        await alice.page.get_by_role("button", name="Sign out", exact=True).last.click()
        carol = replace(alice, name="carol")
        await carol.sign_up(url)
        await expect(await writes_to_bob(carol)).to_have_value("")
        kept = await carol.page.evaluate("JSON.stringify([localStorage, sessionStorage])")
        assert "alice" not in kept and "half a sent" not in kept
