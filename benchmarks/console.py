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
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, closing

from playwright.async_api import Page, async_playwright

from benchmarks.latency import report
from benchmarks.verify import ENTRY, FILLING, TOGETHER
from licensing.audit import Draft, Entry, Head, beginning, canonical, link
from tests.web.conftest import FLAGS, program
from tests.web.console.desk import WITHIN, Clerk, clerk
from wephone.testing.kit import Kit

PERMIT = {
    "id": "basic-1", "jurisdiction": "baseline", "categories": ["baseline:basic"], "valid_from": "2020-01-01",
}  # fmt: skip
LAST = "SELECT node, seq, at, hash FROM journal_head WHERE node = ?"
MOVED = "INSERT OR REPLACE INTO journal_head (node, seq, at, hash) VALUES (?, ?, ?, ?)"
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


def fill(wephone: Kit, decisions: int, tell: Callable[[int], None] = lambda done: None) -> None:
    """So many decisions in the journal, in a whole chain, but past the store, which would take minutes.

    `tell` hears how many are there. What the server itself writes meanwhile comes in between.
    """
    settings = wephone.server.running.parts.settings
    with closing(sqlite3.connect(settings.database_url.removeprefix("sqlite:///"), timeout=60)) as connection:
        connection.isolation_level = None  # each transaction is begun here
        connection.execute("PRAGMA synchronous = OFF")
        for first in range(0, decisions, TOGETHER):
            connection.execute("BEGIN IMMEDIATE")
            last = connection.execute(LAST, (settings.node,)).fetchone()
            head = Head(*last) if last else beginning(settings.node)
            count = min(TOGETHER, decisions - first)
            entries = list(chained(head, first, count))
            connection.executemany(
                ENTRY,
                [
                    (*(entry.node, entry.seq, entry.at, entry.said_at, entry.kind),
                     *(entry.subject, entry.body, entry.prev, entry.hash))
                    for entry in entries
                ],
            )  # fmt: skip
            head = entries[-1].head
            connection.execute(MOVED, (head.node, head.seq, head.at, head.hash))
            connection.execute("COMMIT")
            tell(first + count)


def chained(head: Head, first: int, count: int) -> Iterator[Entry]:
    """Refused calls, each linked to the one before."""
    at = int(time.time() * 1_000_000)
    body = {"outcome": "deny", "reason": "DENY_NO_PERMIT", "service": "pstn_out", "facts": FILLING}
    for number in range(first, first + count):
        entry = link(head, Draft("decision", f"D-{number}", at, canonical({**body, "call": f"c{number}"})))
        head = entry.head
        yield entry


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


def told(done: int) -> None:
    """How far it is."""
    print(f"\r{done:,} decisions stored", end="", file=sys.stderr, flush=True)


async def measure(decisions: int, consoles: int, rounds: int) -> None:
    """All in turn, so that all meet the same machine."""
    spans: dict[str, list[float]] = {}
    async with AsyncExitStack() as stack:
        wephone = await stack.enter_async_context(Kit({"limits": False}))
        await wephone.server.start()
        await wephone.permits.add(PERMIT)
        await asyncio.to_thread(fill, wephone, decisions, told)
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
    print(f"\n{decisions} decisions stored, {consoles} consoles open")
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
