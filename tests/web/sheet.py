"""Pictures of every view, to be looked at:  python -m tests.web.sheet [FOLDER [PART-OF-A-NAME]]

In both themes, both languages and four sizes, with a contact sheet for each. FOLDER is reports/screens unless
told. Of the README's own, `python -m tests.web.sheet --readme` makes docs/images anew.
"""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from tests.web.conftest import FLAGS, program
from tests.web.views import LANGUAGES, THEMES, Show, View, dressed, shown, views

SIZES = ((360, 740), (768, 1024), (1280, 800), (1920, 1080))
README = {"people": "people", "call-code": "call", "people-refused": "refused"}  # view: picture
COLUMNS = {360: 10, 768: 8, 1280: 6, 1920: 6}
SHEET = 2400  # pixels, the width of a contact sheet


async def pictures(
    browser: Browser,
    folder: Path,
    dress: tuple[tuple[int, int], str, str],
    all: Sequence[View],
    show: Show,
) -> None:
    """Each view as this browser shows it."""
    async with dressed(browser, *dress) as context:
        for view in all:
            async with show(context, view) as page:
                await page.screenshot(path=folder / f"{view.name}.png")


def sheet(folder: Path, columns: int) -> Path:
    """A page of all pictures of a folder, in the order in which they were taken."""
    files = sorted(folder.glob("*.png"), key=lambda file: file.stat().st_mtime)
    width = SHEET // columns - 12
    style = (
        "body{margin:4px;background:#888;font:13px sans-serif;display:flex;flex-wrap:wrap}figure{margin:4px}"
    )
    cells = "".join(
        f"<figure><img src='{file.name}' width={width}><figcaption>{file.stem}</figcaption></figure>"
        for file in files
    )
    page = folder / "sheet.html"
    page.write_text(f"<meta charset='utf-8'><style>{style}</style>{cells}")
    return page


async def contact_sheet(browser: Browser, folder: Path, columns: int) -> None:
    """That page as one picture, beside the folder."""
    page = await browser.new_page(viewport={"width": SHEET, "height": 600})
    await page.goto(sheet(folder, columns).absolute().as_uri())
    await page.screenshot(path=folder.with_suffix(".png"), full_page=True)
    await page.close()


async def main(folder: Path, part: str, all: Sequence[View], show: Show) -> None:
    """Everything, or only where a part of the name is: `360-dark`."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program(), args=FLAGS)
        for size in SIZES:
            for theme in THEMES:
                for language in LANGUAGES:
                    name = f"{size[0]}-{theme}-{language}"
                    if part in name:
                        await pictures(browser, folder / name, (size, theme, language), all, show)
                        await contact_sheet(browser, folder / name, COLUMNS[size[0]])
        await browser.close()


async def readme(folder: Path) -> None:
    """The pictures that README shows: a small telephone, by day."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program(), args=FLAGS)
        async with dressed(browser, (360, 640), "light", "en") as context:
            for view in [view for view in views() if view.name in README]:
                async with shown(context, view) as page:
                    await page.screenshot(path=folder / f"{README[view.name]}.png")
        await browser.close()


if __name__ == "__main__":
    if sys.argv[1:] == ["--readme"]:
        asyncio.run(readme(Path(__file__).parents[2] / "docs" / "images"))
        sys.exit()
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "reports/screens")
    asyncio.run(main(folder, "".join(sys.argv[2:3]), views(), shown))
