"""Several tabs of one browser are one telephone: one of them rings and speaks, all of them show it."""

import asyncio
from dataclasses import replace

from playwright.async_api import Route, expect

from tests.web.app import PASSWORD, WITHIN, Someone
from tests.web.conftest import ALICES_TONE, BOBS_TONE, CAROLS_TONE, Town
from wephone.testing.kit import Kit


async def rings(tab: Someone) -> bool:
    """Has this tab sounded its bell?"""
    return bool(await tab.page.evaluate("window.tones > 0"))


async def test_all_tabs_show_a_call_and_one_rings(pair: tuple[Someone, Someone]) -> None:
    alice, bob = pair
    second = await bob.another_tab()
    await alice.calls("bob")
    for tab in (bob, second):
        await tab.page.get_by_role("alertdialog").wait_for(timeout=WITHIN)
    assert [await rings(tab) for tab in (bob, second)] == [True, False]
    await second.button("Answer").click()  # though the other has the sound
    await bob.hears_tone(ALICES_TONE)
    await alice.hears_tone(BOBS_TONE)
    await second.sees("This call is in another tab of this browser.")
    await second.button("Mute").click()
    await bob.button("Unmute").wait_for(timeout=WITHIN)
    await alice.hears_nothing()
    await second.button("End").click()
    for person in (alice, bob, second):
        await person.sees("Call ended")


async def test_what_is_pressed_before_all_is_loaded_is_done_then(town: Town) -> None:
    bob, alice = await town.member("bob", BOBS_TONE), await town.newcomer("alice")
    waiting: list[Route] = []
    arrived = asyncio.Event()

    async def hold(route: Route) -> None:
        waiting.append(route)
        arrived.set()

    await alice.page.route("**/app/lead.js", hold)
    await alice.opens_account(town.url)
    await arrived.wait()
    await alice.calls("bob")
    await waiting[0].continue_()
    await bob.answers()
    await alice.hears_tone(BOBS_TONE)


async def test_a_call_outlives_the_tab_that_has_it(pair: tuple[Someone, Someone]) -> None:
    alice, bob = pair
    second = await bob.another_tab()
    await alice.calls("bob")
    await bob.answers()
    await alice.hears_tone(BOBS_TONE)
    await bob.button("Mute").click()
    await alice.hears_nothing()
    await bob.page.close()
    await second.hears_tone(ALICES_TONE)
    await second.sees("00:0")
    await second.button("Unmute").wait_for(timeout=WITHIN)
    assert await alice.reads_code() == await second.reads_code()
    await alice.hears_nothing()
    await second.button("Unmute").click()
    await alice.hears_tone(BOBS_TONE)


async def test_a_call_that_another_device_takes_stops_ringing_everywhere(town: Town) -> None:
    alice, bob = await town.member("alice"), await town.member("bob", BOBS_TONE)
    second = await bob.another_tab()
    elsewhere = await town.newcomer("bob", CAROLS_TONE)
    await elsewhere.sign_in(town.url)
    await alice.calls("bob")
    await alice.sees("Ringing")
    await elsewhere.answers()
    for tab in (bob, second):
        await expect(tab.page.get_by_role("alertdialog")).to_have_count(0, timeout=WITHIN)
    await alice.hears_tone(CAROLS_TONE)


async def test_a_click_elsewhere_is_asked_about_in_every_tab_and_placed_by_one(town: Town) -> None:
    alice, bob = await town.member("alice"), await town.member("bob", BOBS_TONE)
    second = await alice.another_tab()
    status = await alice.page.evaluate(CLICK, {"to": "bob"})
    assert status == 201
    for tab in (alice, second):
        asked = tab.page.get_by_role("alertdialog")
        await asked.get_by_text("Your account asks you to make this call").wait_for(timeout=WITHIN)
    await second.page.get_by_role("alertdialog").get_by_role("button", name="Call").click()
    for tab in (alice, second):
        await expect(tab.page.get_by_role("alertdialog")).to_have_count(0, timeout=WITHIN)
    await bob.answers()
    await alice.hears_tone(BOBS_TONE)
    await alice.button("End").click()
    assert await alice.page.evaluate(CLICK, {"to": "bob"}) == 201
    await second.button("Not now").click()
    await expect(alice.page.get_by_role("alertdialog")).to_have_count(0, timeout=WITHIN)


CLICK = """async (call) => (await fetch("/api/calls", {
  method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(call),
})).status"""


async def test_signing_out_in_one_tab_signs_all_out(pair: tuple[Someone, Someone]) -> None:
    _, bob = pair
    second = await bob.another_tab()
    await second.page.goto(f"{second.page.url.split('#')[0]}#settings")
    await second.button("Sign out").last.click()
    for tab in (bob, second):
        await tab.button("I need an account").wait_for(timeout=WITHIN)
    assert await bob.page.evaluate("localStorage.getItem('wephone session')") is None


async def enters(tab: Someone, name: str) -> None:
    """Make an account at the door, whoever else does in another tab."""
    await tab.button("I need an account").click()
    await tab.page.get_by_label("Name").fill(name)
    await tab.page.get_by_label("Password").fill(PASSWORD)
    await tab.button("Create account").click()


async def test_a_browser_is_one_person_in_all_its_tabs(town: Town, wephone: Kit) -> None:
    first = await town.newcomer("first")
    second = replace(first, page=await first.context.new_page())
    for tab in (first, second):
        await tab.page.goto(town.url)
        await tab.button("I need an account").wait_for()
    await enters(first, "first")
    for tab in (first, second):  # the second comes along: it is the same browser
        await tab.is_connected()
    await second.page.route("**/api/account", lambda route: route.fulfill(status=401, json={}), times=1)
    await second.page.reload()  # at the door once more, as far as it knows
    await enters(second, "second")
    for tab in (first, second):
        await tab.page.goto(f"{town.url}#settings")
        await tab.sees("Signed in as second")
        await tab.page.locator(".home[data-link=up]").wait_for()
    await wephone.server.until_connected(1)
    await second.page.get_by_label("Language").select_option("zh-CN")
    await first.sees("已登录：second")
    await second.page.get_by_label("外观").select_option("dark")
    await first.page.locator("html[data-theme=dark]").wait_for()
