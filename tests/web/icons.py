"""The app's icon as pixels, for systems that take no drawing:  python -m tests.web.icons

Chromium draws icons/icon.svg. The maskable one has no corners of its own, and room around it for any shape
that a system cuts out (W3C Web Application Manifest §8.2: the middle 80 % is always seen).
"""

import asyncio

from playwright.async_api import Browser, async_playwright

from tests.web.conftest import program
from tests.web.generated import WEB

ICONS = WEB / "icons"
BACKGROUND = "#1f6f5c"
MADE = {
    "icon-192.png": (192, 1.0, "transparent"),
    "icon-512.png": (512, 1.0, "transparent"),
    "maskable-512.png": (512, 0.8, BACKGROUND),
}  # pixels, how much of them the drawing has, what lies behind


async def draw(browser: Browser, size: int, share: float, behind: str) -> bytes:
    """One of them, as PNG."""
    page = await browser.new_page(viewport={"width": size, "height": size})
    drawing = (ICONS / "icon.svg").read_text()
    inner = size * share
    await page.set_content(
        f"<style>body{{margin:{(size - inner) / 2}px;background:{behind}}}"
        f"svg{{display:block;width:{inner}px;height:{inner}px}}</style>{drawing}"
    )
    return await page.screenshot(omit_background=True)


async def main() -> None:
    """Write them all."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program(), args=["--no-sandbox"])
        for name, (size, share, behind) in MADE.items():
            (ICONS / name).write_bytes(await draw(browser, size, share, behind))
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
