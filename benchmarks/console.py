"""How long operators wait at their console, against references of the same run:  python -m benchmarks.console

A server with many decisions in its journal, and consoles in Chromium on the loopback. Printed are the median
and the 95th percentile of

* load to sight: the address is opened by somebody signed in, and the sentence of state is there. Beside it a
  page of the same listener that runs nothing;
* decisions: the newest hundred are on the screen, from the click. Beside it the same request alone;
* change to sight: a permit is suspended, or given back by two, and the last of the open consoles shows it.
  Beside it one request of such a page.

Server and browser share the machine's clock and its processors, and so does the disk.
"""

import argparse
import asyncio
import time
from contextlib import AsyncExitStack

from playwright.async_api import Page, async_playwright

from benchmarks.latency import report
from licensing.audit import Draft, canonical
from tests.web.conftest import FLAGS, program
from tests.web.console.desk import WITHIN, Clerk, clerk
from wephone.testing.kit import Kit

PERMIT = {
    "id": "basic-1", "jurisdiction": "baseline", "categories": ["baseline:basic"], "valid_from": "2020-01-01",
}  # fmt: skip
AT_ONCE = 2_000  # entries that are on their way together
SEEN = """([selector, text]) => new Promise((then) => {
  const look = () => {
    const found = [...document.querySelectorAll(selector)].some((each) => each.textContent.includes(text));
    if (found) then(performance.timeOrigin + performance.now());
    return found;
  };
  if (!look()) {
    const eyes = new MutationObserver(() => look() && eyes.disconnect());
    eyes.observe(document, { childList: true, subtree: true, characterData: true });
  }
})"""
ASKED = """async (path) => {
  const begun = performance.now();
  await (await fetch(path)).text();
  return performance.now() - begun;
}"""


async def fill(wephone: Kit, decisions: int) -> None:
    """So many decisions in the journal."""
    journal, at = wephone.server.running.parts.licence.journal, int(time.time() * 1_000_000)
    body = canonical({"call": "c", "outcome": "deny", "reason": "DENY_NO_PERMIT", "service": "pstn_out"})
    for first in range(0, decisions, AT_ONCE):
        drafts = (
            Draft("decision", f"D-{first + n}", at, body) for n in range(min(AT_ONCE, decisions - first))
        )
        await asyncio.gather(*(journal.append(draft) for draft in drafts))


async def load(page: Page, url: str) -> dict[str, float]:
    """Open a page that runs nothing, and the console."""
    await page.goto(f"{url}/web/vendor/LICENSES.txt", wait_until="load")
    bare: float = await page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
    await page.goto(url)
    seen: float = await page.evaluate(SEEN, [".say", "permit"])
    sight: float = seen - float(await page.evaluate("performance.timeOrigin"))
    asked: float = await page.evaluate(ASKED, "/api/operator/decisions?limit=100")
    begun = time.time() * 1000
    await page.get_by_role("link", name="Decisions").click()
    listed: float = await page.evaluate(SEEN, [".table td", "D-"])
    return {"bare page": bare, "sight": sight, "request of a hundred": asked, "decisions": listed - begun}


async def change(wephone: Kit, clerks: list[Clerk]) -> dict[str, float]:
    """Suspend the permit and give it back, seen everywhere."""
    asked: float = await clerks[0].page.evaluate(ASKED, "/api/operator/overview")
    spans = {"request": asked}
    for name, act, text in (
        ("suspended", wephone.permits.suspend, "Suspended"),
        ("given back", wephone.permits.reinstate, "In force"),
    ):
        waiting = [asyncio.ensure_future(each.page.evaluate(SEEN, [".mark", text])) for each in clerks]
        await asyncio.sleep(0.2)  # all of them look
        begun = time.time() * 1000
        await act("basic-1")
        spans[name] = max(await asyncio.gather(*waiting)) - begun
    return spans


async def measure(decisions: int, consoles: int, rounds: int) -> None:
    """All in turn, so that all meet the same machine."""
    spans: dict[str, list[float]] = {}
    async with AsyncExitStack() as stack:
        wephone = await stack.enter_async_context(Kit({"limits": False}))
        await wephone.server.start()
        await wephone.permits.add(PERMIT)
        await fill(wephone, decisions)
        playwright = await stack.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(executable_path=program(), args=FLAGS)
        stack.push_async_callback(browser.close)
        first, *clerks = [
            await clerk(wephone.server.running, browser, f"clerk-{number}") for number in range(consoles + 1)
        ]
        for each in clerks:
            await each.opens("permits")
            await each.page.locator(".mark").wait_for(timeout=WITHIN)
        for _ in range(rounds):
            for found in (await load(first.page, first.url), await change(wephone, clerks)):
                for name, span in found.items():
                    spans.setdefault(name, []).append(span)
    print(f"{decisions} decisions stored, {consoles} consoles open")
    report("load to sight", spans["sight"], "bare page", spans["bare page"])
    report("decisions", spans["decisions"], "the request alone", spans["request of a hundred"])
    for name in ("suspended", "given back"):
        report(f"{name} to sight", spans[name], "a request", spans["request"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--decisions", type=int, default=100_000)
    parser.add_argument("--consoles", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=10)
    args = parser.parse_args()
    asyncio.run(measure(args.decisions, args.consoles, args.rounds))
