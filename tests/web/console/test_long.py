"""Long lists: what is seen is drawn, what comes next is fetched, and scrolling stays smooth."""

import asyncio
import json
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Browser, Page, Route, WebSocketRoute, expect

from benchmarks.console import fill
from tests.web.console.desk import WITHIN, Clerk
from tests.web.console.views import A15, CALL, OVERVIEW, PERMITS, filed, on_screen
from tests.web.views import View, dressed
from wephone.testing.kit import Kit

CALLS = 10_000
DECISIONS = 100_000
PERMITS_ALL = 120
GONE_PERMIT = "GET /api/operator/permits/permit-99"  # somebody looks at it, whatever it says
GONE_ANSWER = (404, {"code": "no_such_permit", "detail": "no"})
DRAWN = 300  # rows at most, however many there are
SMOOTH = 100  # ms for all but one in twenty frames, on a machine that does other things too
SCROLLED = """async ({ to, frames }) => {
  const box = document.querySelector(".table.long");
  const spans = [];
  let last = performance.now();
  for (let frame = 0; frame < frames; frame += 1) {
    box.scrollTop = to ? (box.scrollHeight * (frame + 1)) / frames : box.scrollTop + 400;
    await new Promise(requestAnimationFrame);
    spans.push(performance.now() - last);
    last = performance.now();
  }
  return spans.sort((one, other) => one - other);
}"""


async def rows(page: Page) -> int:
    return await page.locator(".table.long tbody tr").count()


async def test_of_ten_thousand_calls_those_on_the_screen_are_asked_for_and_drawn(browser: Browser) -> None:
    most = 0

    async def answer(route: Route) -> None:
        nonlocal most
        query = parse_qs(urlsplit(route.request.url).query)
        skip, limit = int(query["skip"][0]), int(query["limit"][0])
        most = max(most, limit)
        calls = [
            {**CALL, "call": f"call {n}", "decision": f"D-{n}"} for n in range(skip, min(CALLS, skip + limit))
        ]
        end = skip + limit if skip + limit < CALLS else None
        await route.fulfill(body=json.dumps({"calls": calls, "of": CALLS, "skip": end}))

    async with (
        dressed(browser, (1280, 800), "light", "en") as context,
        on_screen(context, View("live", ".table", "live")) as page,
    ):
        await page.route("**/api/operator/live?*", answer)
        await page.reload()
        await page.get_by_text("10,000 calls live").wait_for(timeout=WITHIN)
        await page.get_by_role("link", name="D-0", exact=True).wait_for(timeout=WITHIN)
        await page.evaluate(SCROLLED, {"to": True, "frames": 60})
        await page.get_by_role("link", name=f"D-{CALLS - 1}", exact=True).wait_for(timeout=WITHIN)
        assert await rows(page) < DRAWN
        assert most <= DRAWN


async def test_a_list_of_permits_stays_where_it_was_when_something_changes(browser: Browser) -> None:
    news: list[WebSocketRoute] = []
    epoch = OVERVIEW["epoch"]

    async def answer(route: Route) -> None:
        query = parse_qs(urlsplit(route.request.url).query)
        skip, limit = int(query["skip"][0]), int(query["limit"][0])
        some = [
            {**filed({**A15, "id": f"permit-{n}", "holder": f"Holder {epoch}"})}
            for n in range(skip, min(PERMITS_ALL, skip + limit))
        ]
        end = skip + limit if skip + limit < PERMITS_ALL else None
        await route.fulfill(body=json.dumps({**PERMITS, "permits": some, "of": PERMITS_ALL, "skip": end}))

    async with (
        dressed(browser, (1280, 800), "light", "en") as context,
        on_screen(context, View("permits", ".doc", "permits", answers={GONE_PERMIT: GONE_ANSWER})) as page,
    ):
        await page.route("**/api/operator/permits?*", answer)
        await page.route_web_socket("**/api/operator/watch", lambda socket: news.append(socket))
        await page.reload()
        await page.get_by_role("button", name="More", exact=True).click()
        last = page.get_by_role("link", name="permit-99 ")
        await last.click()
        await page.get_by_role("link", name="All permits").click()
        await expect(last).to_be_focused(timeout=WITHIN)
        await expect(last).to_be_in_viewport()
        epoch += 1
        news[-1].send(json.dumps({"epoch": epoch}))
        await expect(page.get_by_text(f"Holder {epoch}")).to_have_count(100, timeout=WITHIN)
        await expect(last).to_be_in_viewport()


@pytest.mark.long
async def test_a_hundred_thousand_decisions_scroll_smoothly(boss: Clerk, wephone: Kit) -> None:
    await asyncio.to_thread(fill, wephone, DECISIONS)
    await boss.opens("decisions")
    page = boss.page
    end = page.get_by_text("100,000 decisions", exact=True)
    async with asyncio.timeout(300):
        while not await end.count():
            await page.evaluate(SCROLLED, {"to": True, "frames": 1})
    assert await rows(page) < DRAWN
    await page.evaluate("document.querySelector('.table.long').scrollTop = 0")
    await expect(page.get_by_role("link", name=f"D-{DECISIONS - 1}", exact=True)).to_be_visible(
        timeout=WITHIN
    )
    spans = await page.evaluate(SCROLLED, {"to": False, "frames": 300})
    figure = f"{DECISIONS} decisions: median frame {spans[150]:.0f} ms, 95th percentile {spans[285]:.0f} ms"
    assert spans[285] < SMOOTH, figure
    assert await rows(page) < DRAWN
