"""The app in another browser than Chromium: a newcomer with Firefox calls, and both hear each other."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.browser.test_browser import hears_tone
from tests.testing.test_kit import said_of_their_call
from tests.web.app import NEAR, PASSWORD, PITCH, VOICES
from tests.web.firefox import TONE, WITHIN, Firefox, firefox
from wephone.media.devices import Ear, Tone
from wephone.testing.kit import Kit

PEERS_TONE = 440.0  # Hz
TAB = "\ue004"  # WebDriver §17.4.2


@pytest.fixture
async def browser() -> AsyncIterator[Firefox]:
    """Firefox; its folder has a short name, since a socket lies in it."""
    folder = Path(tempfile.mkdtemp(prefix="firefox-"))
    try:
        async with firefox(folder, VOICES) as browser:
            yield browser
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.long
async def test_a_newcomer_with_firefox_calls_and_both_hear_each_other(browser: Firefox, wephone: Kit) -> None:
    (bob,) = await wephone.peers("bob", answer=False)
    await browser.open(wephone.server.url)
    await browser.presses("button", "I need an account")
    await browser.types("textbox", "Name", f"fox{TAB}{PASSWORD}")  # a field for a password has no role
    await browser.presses("button", "Create account")
    await browser.types("searchbox", "Name or number", "bob")
    await browser.presses("button", "Call: bob")
    call, ear = await bob.next_call(), Ear()
    assert call.peer == "fox"
    await call.answer(Tone(PEERS_TONE), ear)
    async with asyncio.timeout(WITHIN):
        await hears_tone(ear, TONE)
        while abs(await browser.run(PITCH) - PEERS_TONE) > NEAR:
            pass
    assert await call.verified()
    await browser.presses("button", "End")
    assert (await call.wait_ended()).reason == "hangup"
    async with asyncio.timeout(WITHIN):
        for side in await said_of_their_call(wephone):
            assert side.packets > 20 and side.jitter < 1_000_000
