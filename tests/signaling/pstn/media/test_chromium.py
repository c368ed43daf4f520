"""A real browser as the app: with all its codecs, with Opus alone, with G.711 alone."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from signaling.media import Connected, DigitHeard
from signaling.pstn.media import g711
from tests.browser.chromium import chromium
from tests.browser.conftest import BROWSERS_TONE, tone
from tests.signaling.pstn.media.conftest import Embedded
from tests.signaling.pstn.media.ends import TRUNK, Far, in_seconds, open_wire

pytestmark = pytest.mark.asyncio(loop_scope="module")

SCRIPT = Path(__file__).with_name("browser.js")
LEG = "call/phone"
RATE, FRAME = 8_000, 160
PHONES_TONE = 1_000.0  # Hz
OFFERS = [("", "PCMU"), ("audio/opus", "opus"), pytest.param("audio/PCMU", "PCMU", marks=pytest.mark.long)]


async def speak(far: Far) -> None:
    """A steady tone, 20 ms every 20 ms by the clock."""
    loop = asyncio.get_running_loop()
    sound = np.asarray(9_000 * np.sin(2 * np.pi * PHONES_TONE * np.arange(RATE) / RATE), np.int16)
    due, at = loop.time(), 0
    while True:
        far.say(g711.encode("PCMU", sound[at : at + FRAME]))
        at = (at + FRAME) % RATE
        due += 0.02
        await asyncio.sleep(max(0.0, due - loop.time()))


def loudest(far: Far) -> float:
    """The strongest frequency of the last second that came, Hz."""
    packets = [packet for packet in far.packets if packet.payload_type == 0][-50:]
    sound = np.concatenate([g711.decode("PCMU", packet.payload) for packet in packets])
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(sound.size)))
    return float(np.argmax(spectrum) * RATE / sound.size)


@pytest.mark.parametrize(("codecs", "spoken"), OFFERS, ids=["all", "opus", "pcmu"])
async def test_a_browser_and_a_telephone_hear_each_other(
    embedded: Embedded, tmp_path: Path, codecs: str, spoken: str
) -> None:
    backend, fresh = embedded
    told, far = fresh(), Far(await open_wire())
    profile = tmp_path / "profile"
    profile.mkdir()
    async with chromium(profile, tone(tmp_path / "tone.wav", BROWSERS_TONE)) as browser:
        page = await browser.open("http://127.0.0.1:9/a-test", SCRIPT.read_text())
        opened = await backend.open_outgoing(LEG, await page.run(f"offer('{codecs}')"), TRUNK)
        far.learn(opened.trunk)
        await backend.trunk_answered(LEG, far.describe())
        await page.run(f"answered({opened.app!r})")
        await told.first(Connected)
        backend.lease(LEG, in_seconds(60))
        speaking = asyncio.create_task(speak(far))
        heard = await page.run(f"heard({PHONES_TONE})")
        await far.wire.until(100)
        await page.run("press('7')")
        assert await told.first(DigitHeard) == DigitHeard(LEG, "app", "7")
        speaking.cancel()
        figures = await backend.close(LEG)
    far.close()
    assert abs(heard - PHONES_TONE) < 50
    assert figures is not None
    assert (figures.app_codec, figures.trunk_codec) == (spoken, "PCMU")
    assert abs(loudest(far) - BROWSERS_TONE) < 20
    assert 7 in {packet.payload[0] for packet in far.packets if packet.payload_type == 101}
