"""People at browsers: what they see and press, and what each hears of the other."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, Locator, Page

PASSWORD = "correct horse battery"
DESKTOP = (1280, 800)
PHONE = (390, 844)
WITHIN = 20_000  # ms: generous, since a machine may be busy

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
# The app's voices are no part of the page: the test listens where they are made.
VOICES = """window.voices = [];
const Old = Audio;
window.Audio = class extends Old { constructor() { super(); window.voices.push(this); } };"""


@dataclass(slots=True)
class Someone:
    """A person with a browser of their own."""

    name: str
    context: BrowserContext
    page: Page
    said: list[str] = field(default_factory=list)  # by the console: what went wrong

    def button(self, name: str) -> Locator:
        """The button of this name."""
        return self.page.get_by_role("button", name=name, exact=True)

    async def sign_up(self, url: str) -> None:
        """Open an account, as a newcomer does."""
        await self.page.goto(url)
        await self.button("I need an account").click()
        await self.page.get_by_label("Name").fill(self.name)
        await self.page.get_by_label("Password").fill(PASSWORD)
        await self.button("Create account").click()
        await self.page.get_by_role("heading", name="People").wait_for(timeout=WITHIN)

    async def calls(self, name: str) -> None:
        """Find somebody and call."""
        await self.page.get_by_role("searchbox").fill(name)
        await self.button(f"Call: {name}").click()

    async def answers(self) -> None:
        """Wait for a call and take it."""
        await self.page.get_by_role("alertdialog").wait_for(timeout=WITHIN)
        await self.button("Answer").click()

    async def sees(self, text: str) -> None:
        """These words are shown."""
        await self.page.get_by_text(text).locator("visible=true").first.wait_for(timeout=WITHIN)

    async def hears(self) -> float:
        """The pitch of the other side's voice, in Hz."""
        pitch: float = await self.page.evaluate(PITCH)
        return pitch


Arrive = Callable[..., Awaitable[Someone]]


async def someone(
    name: str, browser: Browser, size: tuple[int, int] = DESKTOP, locale: str = "en-GB"
) -> Someone:
    """A person at a browser that may use a microphone and a camera."""
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]}, permissions=["microphone", "camera"], locale=locale
    )
    await context.add_init_script(VOICES)
    page = await context.new_page()
    person = Someone(name, context, page)
    page.on("pageerror", lambda error: person.said.append(str(error)))
    return person


def microphone(path: Path) -> str:
    """The flag that lets a browser's microphone hear this WAV file."""
    return f"--use-file-for-fake-audio-capture={path}"
