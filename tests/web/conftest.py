"""Chromium for the browser app, driven by Playwright."""

import os
import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, async_playwright

from wephone.testing.kit import Kit

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
