"""A browser with no page open is woken by a push service, and says who calls or writes."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import CDPSession, Worker, expect

from tests.fakes.push_service import Browser, PushService, push_service
from tests.web.app import WITHIN, Someone
from tests.web.conftest import BOBS_TONE, Town
from wephone.testing.kit import Kit

# A test's browser has no push service: this stands in its place, with the keys of the one that the test runs.
SUBSCRIBES = """(subscription) => {
  let known = null;
  PushManager.prototype.getSubscription = async () => known;
  PushManager.prototype.subscribe = async ({ userVisibleOnly, applicationServerKey }) => {
    if (!userVisibleOnly || applicationServerKey.length !== 65) throw new Error("no such key");
    known = {
      options: { applicationServerKey: applicationServerKey.buffer },
      toJSON: () => subscription,
      unsubscribe: async () => { known = null; return true; },
    };
    return known;
  };
}"""
SHOWN = """async () => (await registration.getNotifications()).map(
  ({ title, body, actions }) => [title, body, ...actions.map((each) => each.title)])"""
PRESSED = """async (action) => {
  clients.openWindow = async (address) => { self.opened = address; };
  const [notification] = await registration.getNotifications();
  await chosen(notification, action);
  return self.opened ?? null;
}"""
UNSEEN = "Object.defineProperty(document, 'visibilityState', { get: () => 'hidden' })"


@pytest.fixture
async def service() -> AsyncIterator[PushService]:
    async with push_service() as service:
        yield service


@pytest.fixture
def wephone_settings(service: PushService) -> dict[str, Any]:
    return {"push_services": (service.url,)}


class Woken:
    """A browser, what its push service brings, and what it then shows."""

    def __init__(self, person: Someone, browser: Browser, url: str) -> None:
        self.person, self.browser, self.url = person, browser, url
        self.worker: Worker = person.context.service_workers[0]
        self._devtools: CDPSession | None = None
        self._registration = ""

    async def listen(self) -> None:
        """Be able to hand the worker what the push service has for it."""
        devtools = self._devtools = await self.person.context.new_cdp_session(self.person.page)
        found: list[str] = []
        devtools.on(
            "ServiceWorker.workerRegistrationUpdated",
            lambda event: found.extend(each["registrationId"] for each in event["registrations"]),
        )
        await devtools.send("ServiceWorker.enable")
        while not found:
            await self.person.page.evaluate("1")
        self._registration = found[0]

    async def hears(self) -> dict[str, Any]:
        """The next that the service has, given to the worker."""
        news = await self.browser.hears()
        assert self._devtools is not None
        message = {"origin": self.url, "registrationId": self._registration, "data": json.dumps(news)}
        await self._devtools.send("ServiceWorker.deliverPushMessage", message)
        return news

    async def shows(self, *texts: str) -> None:
        """Wait until it has one notification: title, text, buttons; or none."""
        async with asyncio.timeout(WITHIN / 1000):
            while await self.worker.evaluate(SHOWN) != [list(texts)] * bool(texts):
                pass

    async def presses(self, action: str) -> str | None:
        """A button of its notification; the address that this opens."""
        opened: str | None = await self.worker.evaluate(PRESSED, action)
        return opened


async def allows(person: Someone, service: PushService) -> Browser:
    """Switch it on in the settings; the page is woken from now on."""
    browser = service.browser()
    await person.context.grant_permissions(["microphone", "camera", "notifications"])
    await person.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    await person.page.evaluate(SUBSCRIBES, browser.subscription)
    await person.page.get_by_role("link", name="Settings").click()
    wanted = person.page.get_by_label("Ring when no page is open")
    async with person.page.expect_response("**/api/push/*"):
        await wanted.click()
    await expect(wanted).to_be_enabled(timeout=WITHIN)
    await expect(wanted).to_be_checked()
    return browser


@pytest.fixture
async def woken(town: Town, wephone: Kit, service: PushService) -> AsyncIterator[tuple[Someone, Woken]]:
    """Alice, and Bob who has closed the app."""
    alice, bob = await town.member("alice"), await town.member("bob", BOBS_TONE)
    browser = await allows(bob, service)
    woken = Woken(bob, browser, town.url)
    await woken.listen()
    await bob.page.goto("about:blank")
    await wephone.server.until_connected(1)
    yield alice, woken


async def test_a_call_wakes_it_and_is_answered_in_the_page_that_opens(woken: tuple[Someone, Woken]) -> None:
    alice, bobs = woken
    await alice.calls("bob")
    await bobs.hears()
    await bobs.shows("alice", "is calling you", "Answer", "Decline")
    await alice.sees("Looking for bob…")
    address = await bobs.presses("answer")
    assert address == "/"
    await bobs.shows()
    bob = bobs.person
    await bob.page.goto(bobs.url + address)
    await bob.answers()  # nobody has answered for him
    await alice.hears_tone(BOBS_TONE)
    assert (await bobs.browser.hears())["type"] == "over"


@pytest.mark.long
async def test_it_declines_says_what_was_missed_and_who_has_written(woken: tuple[Someone, Woken]) -> None:
    alice, bobs = woken
    await alice.calls("bob")
    await bobs.hears()
    await bobs.shows("alice", "is calling you", "Answer", "Decline")
    assert await bobs.presses("decline") is None
    await alice.sees("declined")
    assert (await bobs.browser.hears())["type"] == "over"  # Bob knows that
    await alice.button("Call again").click()
    await bobs.hears()
    await alice.button("End").click()
    await bobs.hears()
    await bobs.shows("alice", "Missed call", "Open")
    assert await bobs.presses("open") == "/#calls"
    await alice.page.get_by_role("searchbox").fill("bob")
    await alice.button("Message: bob").click()
    await alice.page.get_by_label("Write a message").fill("are you there?")
    await alice.button("Send").click()
    assert "are you there?" not in str(await bobs.hears())
    await bobs.shows("alice", "has written to you", "Open")
    address = await bobs.presses("")
    assert address == "/#messages/alice"
    await bobs.person.page.goto(bobs.url + address)
    await bobs.person.sees("are you there?")


@pytest.mark.long
async def test_a_page_that_nobody_looks_at_has_the_system_say_who_calls(
    town: Town, wephone: Kit, service: PushService
) -> None:
    alice, bob = await town.member("alice"), await town.member("bob", BOBS_TONE)
    bobs = Woken(bob, await allows(bob, service), town.url)
    await bob.page.evaluate(UNSEEN)
    await alice.calls("bob")
    await bob.page.get_by_role("alertdialog").wait_for(timeout=WITHIN)
    await bobs.shows("alice", "is calling you · Free app call", "Answer", "Decline")
    assert await bobs.presses("decline") is None
    await alice.sees("declined")
    await bobs.shows()
    assert bobs.browser.came.empty()  # it is connected: nobody has to wake it


@pytest.mark.long
async def test_signing_out_ends_it(town: Town, wephone: Kit, service: PushService) -> None:
    alice, bob = await town.member("alice"), await town.member("bob", BOBS_TONE)
    browser = await allows(bob, service)
    await bob.page.get_by_role("button", name="Sign out", exact=True).last.click()
    await bob.button("I need an account").wait_for(timeout=WITHIN)
    await alice.calls("bob")
    await alice.sees("cannot be reached now")
    assert browser.came.empty()
    assert await bob.page.evaluate("localStorage.getItem('wephone woken for')") is None
