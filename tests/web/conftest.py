"""Chromium for the browser app, driven by Playwright."""

import os
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Playwright, async_playwright

from tests.browser.conftest import tone
from tests.web.app import DESKTOP, PHONE, Someone, microphone, someone
from wephone.testing.kit import Kit

ALICES_TONE, BOBS_TONE, CAROLS_TONE = 440.0, 1000.0, 700.0  # Hz: what their microphones hear
FLAGS = [
    "--no-sandbox",  # it loads our own pages alone; root has no sandbox, nor has a container
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # it asks nobody outside for anything
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",  # a machine may have nothing else
]


def program() -> str:
    """The browser: Debian's, or the one that WEPHONE_CHROMIUM names."""
    found = os.environ.get("WEPHONE_CHROMIUM") or shutil.which("chromium")
    assert found, "there is no chromium; WEPHONE_CHROMIUM names one"
    return found


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Chromium, without a window."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program(), headless=True, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
async def page(browser: Browser, wephone: Kit) -> Page:
    """A page of a server that runs."""
    await wephone.server.start()
    page = await browser.new_page()
    await page.goto(wephone.server.url)
    return page


class Town:
    """Where people with browsers live, until the test is over; none of them may have met an error then."""

    def __init__(self, stack: AsyncExitStack, playwright: Playwright, folder: Path, url: str) -> None:
        self._stack, self._playwright, self._folder, self.url = stack, playwright, folder, url
        self.people: list[Someone] = []

    async def newcomer(
        self,
        name: str,
        pitch: float = ALICES_TONE,
        size: tuple[int, int] = DESKTOP,
        flags: Sequence[str] = FLAGS,
        locale: str = "en-GB",
    ) -> Someone:
        """Somebody without an account, at a browser whose microphone hears this pitch."""
        sound = microphone(tone(self._folder / f"{name}.wav", pitch))
        browser = await self._playwright.chromium.launch(executable_path=program(), args=[*flags, sound])
        self._stack.push_async_callback(browser.close)
        person = await someone(name, browser, size, locale)
        self.people.append(person)
        return person

    async def member(self, name: str, pitch: float = ALICES_TONE, size: tuple[int, int] = DESKTOP) -> Someone:
        """Somebody with an account, at the first view."""
        person = await self.newcomer(name, pitch, size)
        await person.sign_up(self.url)
        return person


@pytest.fixture
async def town(wephone: Kit, tmp_path: Path) -> AsyncIterator[Town]:
    """A server that runs, and nobody yet."""
    await wephone.server.start()
    async with async_playwright() as playwright, AsyncExitStack() as stack:
        town = Town(stack, playwright, tmp_path, wephone.server.url)
        yield town
        for person in town.people:
            assert person.said == []


@pytest.fixture
async def pair(town: Town) -> tuple[Someone, Someone]:
    """Alice at a laptop and Bob at a telephone's size, signed in."""
    return await town.member("alice"), await town.member("bob", BOBS_TONE, PHONE)
