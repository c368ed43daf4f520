"""What open consoles cost a server that places calls:  python -m benchmarks.console_load

Calls run at a steady rate between pairs of apps, as in `signaling.py`, on a server of its own process. In
turn nobody looks, and so many consoles are open in Chromium, spread over the overview, the live calls and the
decisions. Printed is the CPU of the server with its writer, in percent of one processor, in both, and the
difference: what the consoles cost.
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import AsyncExitStack, suppress
from os import environ
from pathlib import Path

import aiohttp
from playwright.async_api import Browser, Page, async_playwright

from benchmarks.processes import cpu_seconds
from benchmarks.signaling import PASSWORD, Side, wephone
from tests.web.conftest import FLAGS, program
from tests.web.console.desk import WITHIN

PLACES = ("overview", "live", "decisions")
SETTLE = 2.0  # seconds that are not counted, after consoles were opened or closed
NOWHERE = "about:blank"


class Calls:
    """Calls between the pairs, each in its turn, so many a second in all."""

    def __init__(self, side: Side, rate: float) -> None:
        self.done = 0
        self._tasks = [
            asyncio.create_task(self._calling(side, place, len(side.pairs) / rate))
            for place in range(len(side.pairs))
        ]

    async def _calling(self, side: Side, place: int, every: float) -> None:
        due = time.monotonic() + every * place / len(side.pairs)
        while True:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            await side.call(*side.pairs[place])
            self.done += 1
            due = max(due + every, time.monotonic() - every)

    async def stop(self) -> None:
        """No more calls; loud if any went wrong."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task


def hire(folder: Path, name: str) -> None:
    """An operator's account, by the command."""
    command = ("user", "add", name, "--operator", "--password-stdin")
    subprocess.run(
        [sys.executable, "-m", "wephone.cli.main", *command],
        env={**environ, "WEPHONE_DATA": str(folder)},
        input=PASSWORD.encode(),
        check=True,
        capture_output=True,
    )


async def signed_in(browser: Browser, url: str, name: str) -> Page:
    """A page of this operator's, with its session."""
    page = await (await browser.new_context()).new_page()
    await page.goto(url)
    await page.get_by_label("Name", exact=True).fill(name)
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await page.locator(".console").wait_for(timeout=WITHIN)
    await page.goto(NOWHERE)
    return page


async def cost(side: Side, calls: Calls, seconds: float) -> tuple[float, float]:
    """Percent of a processor, and calls a second, from now on."""
    await asyncio.sleep(SETTLE)
    begun, used, done = time.monotonic(), cpu_seconds(side.pid), calls.done
    await asyncio.sleep(seconds)
    took = time.monotonic() - begun
    return 100 * (cpu_seconds(side.pid) - used) / took, (calls.done - done) / took


async def measure(rate: float, consoles: int, seconds: float, rounds: int) -> None:
    """With and without, in turn."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        side = await stack.enter_async_context(wephone(http, 20, folder))
        url = side.operator_url
        calls = Calls(side, rate)  # from now on: who is silent for long is signed out
        playwright = await stack.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(executable_path=program(), args=FLAGS)
        stack.push_async_callback(browser.close)
        names = [f"clerk-{number}" for number in range(consoles)]
        for name in names:
            await asyncio.to_thread(hire, folder, name)
        pages = [await signed_in(browser, url, name) for name in names]
        without, having = [], []
        for _ in range(rounds):
            without.append(await cost(side, calls, seconds))
            for place, page in enumerate(pages):
                await page.goto(f"{url}/#{PLACES[place % len(PLACES)]}")
            having.append(await cost(side, calls, seconds))
            for page in pages:
                await page.goto(NOWHERE)
        await calls.stop()
    bare, used = (statistics.median(percent for percent, _ in each) for each in (without, having))
    reached = statistics.median(found for _, found in having)
    print(f"{reached:.0f} calls a second: {bare:.1f} % of a processor, with {consoles} consoles {used:.1f} %")
    print(f"the consoles cost {used - bare:.1f} %")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rate", type=float, default=100.0, help="calls a second")
    parser.add_argument("--consoles", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each turn")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    asyncio.run(measure(args.rate, args.consoles, args.seconds, args.rounds))
