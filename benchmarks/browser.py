"""How long people at two browsers wait, against references of the same run:  python -m benchmarks.browser

Two Chromiums on the loopback use the app that `wephone serve` hands out. Printed are the median and the 95th
percentile of

* load to usable: the address is opened by somebody signed in, and the search box is there. Beside it a page
  of the same server that runs nothing;
* click to ringing: Call is clicked, and the other browser shows the call. Beside it one browser's microphone
  being opened and its first offer made, which no call to be heard can do without;
* answer to sound: Answer is clicked, and the caller hears the first of it. Beside it two bare connections
  within one page, from the microphone's opening to the first sound.

Both browsers and the server share the machine's clock, and its processors.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

from playwright.async_api import Page, async_playwright

from benchmarks.latency import report
from benchmarks.processes import served
from tests.browser.conftest import tone
from tests.web.app import WITHIN, Someone, microphone, someone
from tests.web.conftest import FLAGS, program

# Notes, in milliseconds since 1970, when what a person waits for is there.
NOTES = """
const now = () => performance.timeOrigin + performance.now();
window.notes = {};
const found = (name, selector) => {
  if (!window.notes[name] && document.querySelector(selector)) window.notes[name] = now();
};
new MutationObserver(() => {
  found("usable", "input[type=search]");
  found("rings", "[role=alertdialog]");
}).observe(document, { childList: true, subtree: true });
addEventListener("click", () => { window.notes.clicked = now(); }, { capture: true });
window.firstSound = async (stream) => {
  const audio = window.ears ??= new AudioContext();
  const analyser = audio.createAnalyser();
  analyser.fftSize = 256;
  audio.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(256);
  for (;;) {
    analyser.getFloatTimeDomainData(samples);
    if (samples.some((sample) => Math.abs(sample) > 0.01)) return now();
    await new Promise((then) => setTimeout(then, 2));
  }
};
window.hears = async () => {
  for (;;) {
    const stream = window.voices.at(-1)?.srcObject;
    if (stream?.getAudioTracks().length) return window.firstSound(stream);
    await new Promise((then) => setTimeout(then, 2));
  }
};"""
# One microphone and one offer; and two connections of one page, heard. Milliseconds each.
BARE = """async () => {
  const begun = performance.now();
  const microphone = await navigator.mediaDevices.getUserMedia({ audio: true });
  const [one, other] = [new RTCPeerConnection(), new RTCPeerConnection()];
  one.onicecandidate = ({ candidate }) => candidate && other.addIceCandidate(candidate);
  other.onicecandidate = ({ candidate }) => candidate && one.addIceCandidate(candidate);
  const heard = new Promise((then) => (other.ontrack = ({ track }) => then(new MediaStream([track]))));
  one.addTrack(microphone.getAudioTracks()[0]);
  await one.setLocalDescription();
  const offer = performance.now() - begun;
  await other.setRemoteDescription(one.localDescription);
  await other.setLocalDescription();
  await one.setRemoteDescription(other.localDescription);
  const voice = new Audio();
  voice.srcObject = await heard;
  void voice.play();
  const sound = (await window.firstSound(voice.srcObject)) - performance.timeOrigin - begun;
  one.close();
  other.close();
  microphone.getTracks().forEach((track) => track.stop());
  voice.srcObject = null;
  return { offer, "sound of it": sound };
}"""


async def load(page: Page, url: str) -> dict[str, float]:
    """Open a page that runs nothing, and the app."""
    loaded = "performance.getEntriesByType('navigation')[0].loadEventEnd"
    await page.goto(f"{url}/web/vendor/LICENSES.txt", wait_until="load")
    bare: float = await page.evaluate(loaded)
    await page.goto(url)
    await page.wait_for_function("() => window.notes.usable", timeout=WITHIN)
    usable: float = await page.evaluate("window.notes.usable - performance.timeOrigin")
    return {"bare page": bare, "usable": usable}


async def call(alice: Someone, bob: Someone) -> dict[str, float]:
    """One call, until the caller hears the callee."""
    await alice.page.get_by_role("searchbox").fill("bob")
    button = alice.button("Call: bob")
    await button.wait_for()
    await asyncio.sleep(0.3)  # what was typed has been looked up
    await alice.page.evaluate("window.notes = {}; window.voices.length = 0;")
    await bob.page.evaluate("window.notes = {}")
    await button.click()
    await bob.page.wait_for_function("() => window.notes.rings", timeout=WITHIN)
    clicked, rings = await noted(alice.page, "clicked"), await noted(bob.page, "rings")
    hearing = asyncio.create_task(alice.page.evaluate("window.hears()"))
    await bob.button("Answer").click()
    heard = float(await hearing)
    answered = await noted(bob.page, "clicked")
    await alice.button("End").click()
    for person in (alice, bob):
        await person.button("Close").click()
    return {"ringing": rings - clicked, "sound": heard - answered}


async def noted(page: Page, name: str) -> float:
    """When it was, in milliseconds."""
    moment: float = await page.evaluate(f"window.notes.{name}")
    return moment


async def measure(calls: int) -> None:
    """Calls and references in turn, so that all meet the same machine."""
    spans: dict[str, list[float]] = {}
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = str(stack.enter_context(served(folder))["url"])
        playwright = await stack.enter_async_context(async_playwright())
        people = []
        for name in ("alice", "bob"):
            sound = microphone(tone(folder / f"{name}.wav", 440.0))
            browser = await playwright.chromium.launch(executable_path=program(), args=[*FLAGS, sound])
            stack.push_async_callback(browser.close)
            person = await someone(name, browser)
            await person.context.add_init_script(NOTES)
            await person.sign_up(url)
            people.append(person)
        alice, bob = people
        for number in range(calls + 1):  # the first warms up
            took: Mapping[str, float] = {
                **await load(alice.page, url),
                **await call(alice, bob),
                **await alice.page.evaluate(BARE),
            }
            for name, span in took.items() if number else ():
                spans.setdefault(name, []).append(span)
    report("load to usable", spans["usable"], "a page that runs nothing", spans["bare page"])
    report("click to ringing", spans["ringing"], "a microphone and an offer", spans["offer"])
    report("answer to sound", spans["sound"], "a bare connection, to sound", spans["sound of it"])


def main() -> None:
    """Parse the number of calls and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=20)
    asyncio.run(measure(parser.parse_args().calls))


if __name__ == "__main__":
    main()
