"""A browser with a microphone that hears a tone, for the tests of one module at a time."""

import wave
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from tests.browser.chromium import Chromium, Page, chromium
from wephone.media.audio import RATE
from wephone.testing.kit import Kit

SCRIPT = Path(__file__).with_name("phone.js")
BROWSERS_TONE = 440.0  # Hz


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncIterator[Chromium]:
    """Chromium, without a window."""
    profile = tmp_path / "profile"
    profile.mkdir()
    async with chromium(profile, tone(tmp_path / "tone.wav", BROWSERS_TONE)) as browser:
        yield browser


@pytest.fixture
async def page(browser: Chromium, wephone: Kit) -> Page:
    """A telephone in the browser, signed in as `web`."""
    await wephone.server.start()
    await wephone.server.add_user("web")
    page = await browser.open(f"{wephone.server.url}/a-test", SCRIPT.read_text())
    await page.run(f"phone.signIn('web', '{wephone.server.password('web')}')")
    return page


def tone(path: Path, frequency: float) -> Path:
    """A WAV file of 1 s, whose end fits its beginning."""
    samples = 0.3 * 32767 * np.sin(2 * np.pi * frequency * np.arange(RATE) / RATE)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, RATE, "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())
    return path
