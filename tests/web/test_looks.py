"""Every view, on a telephone and at a desk: nothing is cut off or too small, no word is missing."""

import random
from collections.abc import Sequence

from playwright.async_api import Browser

from tests.web.views import Show, View, dressed, shown, views

# What reaches out of the page or is cut off, is too small for a finger, has no words or the wrong ones.
FAULTS = """([language, names]) => {
  const found = [];
  const away = "[inert], .unseen";
  const seen = (each) => each.checkVisibility({ visibilityProperty: true }) && !each.closest(away);
  const named = (each) => `${each.tagName} .${each.className} ${each.textContent.slice(0, 30)}`;
  const foreign = "bdi, code, option, textarea, .said p, .one-line, .avatar, .list .name, .hint[id]";
  const page = document.documentElement;
  const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const moving = isStill ? document.getAnimations() : [];
  for (const { effect } of moving) found.push(`moves: ${named(effect.target)}`);
  if (page.scrollWidth > page.clientWidth) found.push(`the page is ${page.scrollWidth} wide`);
  for (const each of document.body.querySelectorAll("*")) {
    if (!seen(each) || each.closest("svg")) continue;
    const box = each.getBoundingClientRect();
    const isOut = box.left < -1 || box.right > innerWidth + 1;
    if (isOut && !each.parentElement?.closest(".scrolls")) found.push(`out of the window: ${named(each)}`);
    const style = getComputedStyle(each);
    const cut = style.overflowX === "hidden" && style.textOverflow !== "ellipsis";
    if (cut && each.scrollWidth > each.clientWidth + 1) found.push(`cut off: ${named(each)}`);
    const isRow = each.matches(".place > *") && each.clientHeight && style.overflowY === "visible";
    if (isRow && each.scrollHeight > each.clientHeight + 2) found.push(`over its neighbour: ${named(each)}`);
    if (!each.matches("button, a[href], input, select, textarea, summary")) continue;
    const target = each.closest("label")?.getBoundingClientRect() ?? box;
    if (Math.min(target.width, target.height) < 43.5) found.push(`small: ${named(each)}`);
  }
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const { nodeValue: text, parentElement: parent } = walk.currentNode;
    if (!seen(parent) || parent.closest(foreign)) continue;
    if (/[{}]|undefined|NaN|\\[object/.test(text)) found.push(`no words: ${text}`);
    const english = text.replace(new RegExp(names, "g"), "");
    if (language === "zh-CN" && /[A-Za-z]{2,}/.test(english)) found.push(`not Chinese: ${text}`);
  }
  return found;
}"""


def names(view: View) -> str:
    return view.name


# What is no word of the app: a pattern.
NAMES = r"WePhone|English|HTTPS|https|li\.na|Li Na|alice"
# A telephone in Chinese, by day; a desk in English, by night.
DRESSES = (((360, 740), "light", "zh-CN"), ((1280, 800), "dark", "en"))


async def test_every_view_fits_and_has_words(browser: Browser, dice: random.Random, full_size: bool) -> None:
    for size, theme, language in DRESSES if full_size else [dice.choice(DRESSES)]:
        await fits(browser, size, theme, language, views(), shown)


async def fits(
    browser: Browser,
    size: tuple[int, int],
    theme: str,
    language: str,
    all: Sequence[View],
    show: Show,
    names: str = NAMES,
) -> None:
    """No view has a fault."""
    found: dict[str, list[str]] = {}
    async with dressed(browser, size, theme, language) as context:
        for view in all:
            async with show(context, view) as page:
                if faults := await page.evaluate(FAULTS, [language, names]):
                    found[view.name] = faults
    assert not found, "\n".join(f"{name}: {fault}" for name, faults in found.items() for fault in faults)
