"""Every view of the console, at a desk and on a telephone: nothing is cut off or small, no word missing."""

import random

import pytest
from playwright.async_api import Browser

from tests.web.console.views import NAMES as MADE_UP
from tests.web.console.views import on_screen, views
from tests.web.test_access import violations
from tests.web.test_files import packages
from tests.web.test_looks import DRESSES, NAMES, fits
from tests.web.views import THEMES

__all__ = ["packages"]  # a fixture


SOME = 12  # views that the fast tier looks at


async def test_every_view_fits_and_has_words(browser: Browser, dice: random.Random, full_size: bool) -> None:
    all = views() if full_size else dice.sample(views(), SOME)
    for size, theme, language in DRESSES if full_size else [dice.choice(DRESSES)]:
        await fits(browser, size, theme, language, all, on_screen, f"{NAMES}|{MADE_UP}")


@pytest.mark.long
@pytest.mark.parametrize("theme", THEMES)
async def test_axe_finds_nothing_in_any_view(browser: Browser, packages: object, theme: str) -> None:
    assert await violations(browser, theme, views(), on_screen) == []
