"""The call screen where there is little room: whatever is open, its buttons can be pressed."""

import random

from playwright.async_api import Browser

from tests.web.views import dressed, shown, stage

LAID_DOWN = (740, 360)  # a telephone on its side
# Buttons that a finger would not hit in their middle: they are cut off, or something lies over them.
COVERED = """(buttons) => buttons.filter((button) => {
  const { left, top, width, height, bottom } = button.getBoundingClientRect();
  const hit = document.elementFromPoint(left + width / 2, top + height / 2);
  return bottom > innerHeight || height < 44 || !button.contains(hit);
}).map((button) => button.ariaLabel)"""
OPENED = ("call-devices", "call-keypad", "call-transfer", "call-ending", "call-own-camera", "ringing")
SOME = 2  # views that the fast tier looks at, others on each run


async def test_on_a_telephone_laid_down_a_call_can_be_ended_whatever_is_open(
    browser: Browser, dice: random.Random, full_size: bool
) -> None:
    names = OPENED if full_size else dice.sample(OPENED, SOME)
    async with dressed(browser, LAID_DOWN, "light", "en") as context:
        for view in [view for view in stage() if view.name in names]:
            async with shown(context, view) as page:
                assert await page.locator(".stop").count() == 1, view.name
                assert await page.locator(".controls button").evaluate_all(COVERED) == [], view.name
