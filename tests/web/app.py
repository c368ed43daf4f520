"""People at browsers: what they see and press, and what each hears of the other."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, Locator, Page, expect

PASSWORD = "correct horse battery"
DESKTOP = (1280, 800)
PHONE = (390, 844)
WITHIN = 20_000  # ms: generous, since a machine may be busy
ELSEWHERE = "192.0.2.1"  # nobody's address (RFC 5737), by which a test's browser finds the service
OWN = ("127.0.0.1", ELSEWHERE)
NEAR = 12.0  # Hz: the width of a bin

# The strongest frequency of what a call's other side says, once there is any sound: Hz.
PITCH = """async () => {
  const audio = window.heard ??= new AudioContext();
  for (;;) {
    const found = (window.voices ?? []).map((each) => each.srcObject);
    const stream = found.find((each) => each?.getAudioTracks().length);
    if (stream) {
      const analyser = audio.createAnalyser();
      analyser.fftSize = 8192;
      audio.createMediaStreamSource(stream).connect(analyser);
      const bins = new Float32Array(analyser.frequencyBinCount);
      for (let turn = 0; turn < 50; turn++) {
        await new Promise((then) => setTimeout(then, 100));
        analyser.getFloatFrequencyData(bins);
        const best = bins.indexOf(Math.max(...bins));
        if (bins[best] > -50) return best * audio.sampleRate / analyser.fftSize;
      }
    }
    await new Promise((then) => setTimeout(then, 50));
  }
}"""
# Until nothing of the other side has been loud for half a second.
SILENCE = """async () => {
  const audio = window.heard ??= new AudioContext();
  const analysers = new Map();
  const samples = new Float32Array(2048);
  let quiet = 0;
  while (quiet < 5) {
    await new Promise((then) => setTimeout(then, 100));
    let loudest = 0;
    for (const { srcObject } of window.voices ?? []) {
      if (!srcObject?.getAudioTracks().length) continue;
      if (!analysers.has(srcObject)) {
        analysers.set(srcObject, audio.createAnalyser());
        audio.createMediaStreamSource(srcObject).connect(analysers.get(srcObject));
        await new Promise((then) => setTimeout(then, 200));
      }
      analysers.get(srcObject).getFloatTimeDomainData(samples);
      loudest = Math.max(loudest, ...samples.map(Math.abs));
    }
    quiet = loudest < 0.002 ? quiet + 1 : 0;
  }
}"""
# The app's voices are no part of the page: the test listens where they are made, and counts tones.
VOICES = """window.voices = [];
const Old = Audio;
window.Audio = class extends Old { constructor() { super(); window.voices.push(this); } };
window.tones = 0;
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...at) { window.tones += 1; return start.apply(this, at); };"""


@dataclass(slots=True)
class Someone:
    """A person with a browser of their own."""

    name: str
    context: BrowserContext
    page: Page
    said: list[str] = field(default_factory=list)  # what went wrong, in any tab

    def button(self, name: str) -> Locator:
        """The button of this name."""
        return self.page.get_by_role("button", name=name, exact=True)

    async def sign_up(self, url: str) -> None:
        """Open an account, as a newcomer does, and be reached by whoever calls."""
        await self.opens_account(url)
        await self.is_connected()

    async def opens_account(self, url: str) -> None:
        """As a newcomer does; the first view may still load."""
        await self.page.goto(url)
        await self.button("I need an account").click()
        await self.page.get_by_label("Name").fill(self.name)
        await self.page.get_by_label("Password").fill(PASSWORD)
        await self.button("Create account").click()
        await self.page.get_by_role("heading", name="People").wait_for(timeout=WITHIN)

    async def sign_in(self, url: str) -> None:
        """Sign in to an account that there is."""
        await self.page.goto(url)
        await self.page.get_by_label("Name").fill(self.name)
        await self.page.get_by_label("Password").fill(PASSWORD)
        await self.button("Sign in").click()
        await self.is_connected()

    async def is_connected(self) -> None:
        """At the first view, and reached by whoever calls."""
        await self.page.get_by_role("heading", name="People").wait_for(timeout=WITHIN)
        await self.page.locator(".home[data-link=up]").wait_for(timeout=WITHIN)

    async def calls(self, name: str) -> None:
        """Find somebody and call."""
        await self.page.get_by_role("searchbox").fill(name)
        await self.button(f"Call: {name}").click()

    async def answers(self) -> None:
        """Wait for a call and take it."""
        await self.page.get_by_role("alertdialog").wait_for(timeout=WITHIN)
        await self.button("Answer").click()

    async def sees(self, text: str, within: float = WITHIN) -> None:
        """These words are shown."""
        await self.page.get_by_text(text).locator("visible=true").first.wait_for(timeout=within)

    async def sees_no(self, text: str) -> None:
        """These words are not shown, or no longer."""
        await expect(self.page.get_by_text(text).locator("visible=true")).to_have_count(0, timeout=WITHIN)

    async def hears(self) -> float:
        """The pitch of the other side's voice, in Hz."""
        pitch: float = await self.page.evaluate(PITCH)
        return pitch

    async def hears_tone(self, pitch: float) -> None:
        """Wait until the other side's voice has this pitch."""
        async with asyncio.timeout(WITHIN / 1000):
            while abs(await self.hears() - pitch) > NEAR:
                pass

    async def hears_nothing(self) -> None:
        """Wait until no sound is heard for half a second."""
        await self.page.evaluate(SILENCE)

    async def reads_code(self) -> str:
        """The digits below the label of a call that is encrypted end to end."""
        label, digits = self.page.get_by_text("End-to-end encrypted"), self.page.locator("details .digits")
        await label.wait_for(timeout=WITHIN)
        if not await digits.is_visible():
            await label.click()
        return await digits.inner_text(timeout=WITHIN)

    async def another_tab(self) -> Self:
        """The app once more, in the same browser."""
        page = await self.context.new_page()
        tab = replace(self, page=page)
        await page.goto(self.page.url)
        await tab.is_connected()
        return tab


Arrive = Callable[..., Awaitable[Someone]]


async def someone(
    name: str, browser: Browser, size: tuple[int, int] = DESKTOP, locale: str = "en-GB"
) -> Someone:
    """A person at a browser that may use a microphone and a camera."""
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]}, permissions=["microphone", "camera"], locale=locale
    )
    await context.add_init_script(VOICES)
    person = Someone(name, context, await context.new_page())
    context.on("weberror", lambda error: person.said.append(str(error.error)))
    context.on("console", lambda line: person.said.extend(forbidden(line.text)))
    context.on("request", lambda request: person.said.extend(strange(request.url)))
    return person


def forbidden(line: str) -> list[str]:
    """What the console says, if it is that something was against the page's policy."""
    return [line] if "Content Security Policy" in line else []


def strange(url: str) -> list[str]:
    """The address, if it is not the service's own: nothing is asked of anybody else."""
    asked = urlsplit(url)
    return [url] if asked.scheme in ("http", "https") and asked.hostname not in OWN else []


def microphone(path: Path) -> str:
    """The flag that lets a browser's microphone hear this WAV file."""
    return f"--use-file-for-fake-audio-capture={path}"
