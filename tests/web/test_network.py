"""The network under a call and under what is written goes, and comes back."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from playwright.async_api import expect

from tests.fakes.coturn import Coturn, coturn
from tests.fakes.proxy import Proxy
from tests.web.app import PHONE, WITHIN, Someone
from tests.web.conftest import ALICES_TONE, BOBS_TONE, Town
from wephone.testing.kit import Kit

OFFLINE = "No connection to the service. Trying again…"


async def test_a_call_and_what_is_written_outlive_the_socket(town: Town, wephone: Kit) -> None:
    async with Proxy(wephone.server.port) as proxy:
        alice = await town.newcomer("alice")
        await alice.sign_up(f"http://127.0.0.1:{proxy.port}")
        bob = await town.member("bob", BOBS_TONE, PHONE)
        await alice.calls("bob")
        await bob.answers()
        await alice.hears_tone(BOBS_TONE)
        proxy.shut()
        await alice.button("Minimise").click()
        await alice.sees(OFFLINE)
        await alice.hears_tone(BOBS_TONE)
        await alice.page.get_by_role("searchbox").fill("bob")
        await alice.button("Message: bob").click()
        await alice.page.get_by_label("Write a message").fill("while away")
        await alice.button("Send").click()
        await alice.sees("Waiting")
        await alice.page.get_by_label("Write a message").fill("half a sent")
        proxy.open()
        await alice.sees_no(OFFLINE)
        await alice.sees("Delivered")
        assert await alice.page.get_by_label("Write a message").input_value() == "half a sent"
        await bob.button("Minimise").click()
        await bob.page.get_by_role("link", name="Messages").click()
        await bob.page.get_by_role("button", name="alice while away").click()
        await expect(bob.page.get_by_role("log").get_by_text("while away")).to_have_count(1)
        await bob.hears_tone(ALICES_TONE)
        await bob.button("Return to the call: alice").click()
        await bob.button("End").click()
        await alice.sees("Call ended")


async def test_what_waits_and_what_is_half_written_outlive_the_page(town: Town, wephone: Kit) -> None:
    alice = await town.member("alice")
    await wephone.peers("bob")
    await alice.page.get_by_role("searchbox").fill("bob")
    await alice.button("Message: bob").click()
    await wephone.server.stop()
    await alice.page.get_by_label("Write a message").fill("before the reload")
    await alice.button("Send").click()
    await alice.sees("Waiting")
    await alice.page.get_by_label("Write a message").fill("half a sent")
    await wephone.server.start()
    await alice.page.reload()
    await alice.sees("before the reload")
    await alice.sees("Delivered")
    assert await alice.page.get_by_label("Write a message").input_value() == "half a sent"


async def test_a_conversation_that_is_opened_without_a_network_is_whole_with_one(
    town: Town, wephone: Kit
) -> None:
    await wephone.peers("bob")
    alice = await town.member("alice")
    await alice.page.get_by_role("searchbox").fill("bob")
    await alice.button("Message: bob").click()
    for words in ("the first", "the last"):
        await alice.page.get_by_label("Write a message").fill(words)
        await alice.button("Send").click()
    await expect(alice.page.get_by_text("Delivered")).to_have_count(2, timeout=WITHIN)
    await alice.page.goto(f"{town.url}#people")
    await alice.page.reload()
    await alice.is_connected()
    await wephone.server.stop()
    await alice.page.get_by_role("link", name="Messages").click()
    await alice.page.get_by_role("button", name="bob the last").click()
    await alice.sees("This could not be loaded")
    await alice.sees_no("the first")
    await alice.button("Try again").click()
    await alice.sees("This could not be loaded")
    await wephone.server.start()
    await alice.sees("the first")
    await alice.sees_no("This could not be loaded")


async def test_a_call_outlives_the_server(pair: tuple[Someone, Someone], wephone: Kit) -> None:
    alice, bob = pair
    await alice.calls("bob")
    await bob.answers()
    await alice.hears_tone(BOBS_TONE)
    await wephone.server.restart()
    await wephone.server.until_connected(2)
    await alice.hears_tone(BOBS_TONE)
    await bob.hears_tone(ALICES_TONE)
    await alice.button("Hold").click()
    await bob.sees("alice has put you on hold")
    await alice.button("End").click()
    await bob.sees("Call ended")


class TestARelay:
    """Calls of somebody who lets nobody learn an address: through coturn alone."""

    @pytest.fixture
    async def running(self) -> AsyncIterator[AsyncExitStack]:
        """What keeps coturn alive."""
        async with AsyncExitStack() as running:
            yield running

    @pytest.fixture
    async def relay(self, running: AsyncExitStack) -> Coturn:
        return await running.enter_async_context(coturn())

    @pytest.fixture
    def wephone_settings(self, relay: Coturn) -> dict[str, Any]:
        return relay.settings

    @pytest.fixture
    async def talking(self, pair: tuple[Someone, Someone]) -> tuple[Someone, Someone]:
        alice, bob = pair
        await alice.page.get_by_role("link", name="Settings").click()
        await alice.page.get_by_label("Hide my address from callers").check()
        await alice.page.get_by_role("link", name="People").click()
        await alice.calls("bob")
        await bob.answers()
        await alice.hears_tone(BOBS_TONE)
        await bob.hears_tone(ALICES_TONE)
        return pair

    async def test_both_are_heard_and_the_caller_sees_that_it_is_used(
        self, talking: tuple[Someone, Someone], relay: Coturn
    ) -> None:
        alice, _ = talking
        words = alice.page.get_by_role("img", name="Good connection: through a relay")
        await expect(words).to_be_visible(timeout=WITHIN)
        assert any("ALLOCATE processed, success" in line for line in relay.lines)

    async def test_a_call_whose_way_is_lost_finds_another(
        self, talking: tuple[Someone, Someone], relay: Coturn, running: AsyncExitStack
    ) -> None:
        alice, bob = talking
        await running.aclose()
        await alice.sees("Reconnecting…")
        await bob.sees("Reconnecting…")
        async with coturn(relay):
            await expect(alice.page.get_by_text("Reconnecting…")).to_have_count(0, timeout=2 * WITHIN)
            await alice.hears_tone(BOBS_TONE)
            await bob.hears_tone(ALICES_TONE)
            await alice.sees("00:")
            assert await alice.reads_code() == await bob.reads_code()
            await alice.button("End").click()
            await bob.sees("Call ended")
