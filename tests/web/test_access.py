"""The app for who sees or moves otherwise: by the rules of axe-core, and by keyboard alone."""

import random
from collections.abc import Sequence

from playwright.async_api import Browser, Page, expect

from tests.web.app import PASSWORD, PHONE, WITHIN, Someone
from tests.web.conftest import ALICES_TONE, BOBS_TONE, Town
from tests.web.test_files import HERE, packages
from tests.web.views import THEMES, Show, View, dressed, shown, views

__all__ = ["packages"]  # a fixture

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Nothing is fetched for it: a style sheet or video that came late would be seen on some days only.
CHEAP = {"resultTypes": ["violations"], "selectors": False, "preload": False}
AXE = """async (options) => {
  const { violations } = await axe.run(document, options);
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`));
}"""
ENHANCED = """async (options) => {
  const rule = "color-contrast-enhanced";
  const alone = { ...options, runOnly: [rule], rules: { [rule]: { enabled: true } } };
  const { violations } = await axe.run(".stage .state, .ringing #ringing-what", alone);
  return violations.flatMap(({ nodes }) => nodes.map(({ html }) => `contrast: ${html.slice(0, 160)}`));
}"""
SOME = 5  # views that the fast tier has looked at, others on each run


async def faults(page: Page, view: View) -> list[str]:
    """What axe finds in this view; the words for the state of a call are held to AAA."""
    found: list[str] = await page.evaluate(AXE, {**CHEAP, "runOnly": RULES})
    if await page.locator(".stage .state, .ringing #ringing-what").count():
        found += await page.evaluate(ENHANCED, CHEAP)
    return [f"{view.name}: {fault}" for fault in found]


async def test_axe_finds_nothing_in_any_view(
    browser: Browser, packages: object, dice: random.Random, full_size: bool
) -> None:
    all = views() if full_size else dice.sample(views(), SOME)
    for theme in THEMES if full_size else [dice.choice(THEMES)]:
        assert await violations(browser, theme, all, shown) == []


async def violations(browser: Browser, theme: str, all: Sequence[View], show: Show) -> list[str]:
    """What axe-core finds in the views of this theme."""
    found: list[str] = []
    async with dressed(browser, (1280, 800), theme, "en") as context:
        await context.add_init_script(path=HERE / "node_modules" / "axe-core" / "axe.min.js")
        for view in all:
            async with show(context, view) as page:
                found += await faults(page, view)
    return found


async def tab_to(person: Someone, name: str) -> None:
    """Press Tab until what has this name has the focus, which has to be seen."""
    for _ in range(40):
        await person.page.keyboard.press("Tab")
        reached, is_seen = await person.page.evaluate("""() => {
          const at = document.activeElement;
          const name = at.ariaLabel ?? at.labels?.[0]?.textContent ?? at.textContent.trim();
          return [name, getComputedStyle(at).outlineStyle !== "none"];
        }""")
        if reached == name:
            assert is_seen, f"no focus is seen at {name}"
            return
    raise AssertionError(f"the keyboard does not reach {name}")


async def press(person: Someone, name: str) -> None:
    """Go to a button by the keyboard and press it."""
    await tab_to(person, name)
    await person.page.keyboard.press("Enter")


async def test_all_is_done_by_keyboard_alone(town: Town) -> None:
    alice, bob = await town.newcomer("alice", ALICES_TONE), await town.newcomer("bob", BOBS_TONE, PHONE)
    for person in (alice, bob):
        await person.page.goto(town.url)
        await person.page.get_by_label("Name").wait_for(timeout=WITHIN)
        await press(person, "I need an account")
        await person.page.keyboard.press("Shift+Tab")
        await person.page.keyboard.press("Shift+Tab")
        await expect(person.page.get_by_label("Name")).to_be_focused()
        await person.page.keyboard.type(person.name)
        await tab_to(person, "Password")
        await person.page.keyboard.type(PASSWORD)
        await person.page.keyboard.press("Enter")
        await person.page.get_by_role("heading", name="People").wait_for(timeout=WITHIN)
    await tab_to(alice, "Name or number")
    await alice.page.keyboard.type("bob")
    await press(alice, "Call: bob")
    await expect(alice.page.get_by_role("dialog", name="bob")).to_be_focused(timeout=WITHIN)
    await bob.page.get_by_role("alertdialog").wait_for(timeout=WITHIN)
    await press(bob, "Answer")
    await alice.hears_tone(BOBS_TONE)
    await alice.page.keyboard.press("Escape")  # to the places; the call goes on
    await press(alice, "Return to the call: bob")
    await press(alice, "End")
    await bob.sees("Call ended")
    await alice.page.keyboard.press("Escape")
    await alice.page.get_by_role("dialog").wait_for(state="detached", timeout=WITHIN)
    await expect(alice.page.get_by_role("searchbox")).to_be_focused()  # what was found there is gone
    await press(alice, "Messages")
