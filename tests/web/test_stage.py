"""The call screen where there is little room: a call can be ended, whatever is open."""

from playwright.async_api import Browser

from tests.web.views import dressed, shown, stage

LAID_DOWN = (740, 360)  # a telephone on its side
# What a finger would hit in the middle of the button: the button itself, or something that lies over it.
HIT = """(button) => {
  const { left, top, width, height, bottom } = button.getBoundingClientRect();
  const hit = document.elementFromPoint(left + width / 2, top + height / 2);
  return bottom <= innerHeight && height >= 44 && button.contains(hit);
}"""


OPENED = {"call-devices", "call-keypad", "call-transfer", "call-ending", "ringing"}


async def test_on_a_telephone_laid_down_a_call_can_be_ended_whatever_is_open(browser: Browser) -> None:
    async with dressed(browser, LAID_DOWN, "light", "en") as context:
        for view in [view for view in stage() if view.name in OPENED]:
            async with shown(context, view) as page:
                assert await page.locator(".stop").evaluate(HIT), view.name
