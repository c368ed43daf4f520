"""Operators and auditors at their console: what they see, press and type."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from playwright.async_api import Browser, BrowserContext, Locator, Page

from signaling.app.server import Server
from wephone.protocol.ids import UserId

PASSWORD = "correct horse battery"
WITHIN = 20_000  # ms: generous, since a machine may be busy
DESK = (1280, 800)


@dataclass(slots=True)
class Clerk:
    """Somebody who may see the console, in a browser context of their own."""

    name: str
    url: str
    context: BrowserContext
    page: Page
    said: list[str] = field(default_factory=list)  # by the console: what went wrong

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    async def sees(self, text: str) -> None:
        """These words are shown."""
        await self.page.get_by_text(text).locator("visible=true").first.wait_for(timeout=WITHIN)

    async def opens(self, place: str) -> None:
        """A place by its address."""
        await self.page.goto(f"{self.url}/#{place}")

    async def signs_in(self) -> None:
        """At the door, or wherever the session has ended."""
        if await self.page.get_by_label("Name", exact=True).input_value() != self.name:
            await self.page.get_by_label("Name", exact=True).fill(self.name)
        await self.page.get_by_label("Password", exact=True).fill(PASSWORD)
        await self.button("Sign in").click()

    async def proves(self, why: str, word: str) -> None:
        """Fill in an act's last two fields and do it."""
        dialog = self.page.get_by_role("dialog")
        await dialog.get_by_label("Why", exact=True).fill(why)
        await dialog.get_by_label("Your password", exact=True).fill(PASSWORD)
        await dialog.get_by_role("button", name=word, exact=True).click()


async def clerk(
    running: Server,
    browser: Browser,
    name: str,
    *,
    auditor: bool = False,
    size: Sequence[int] = DESK,
    locale: str = "en-GB",
) -> Clerk:
    """Somebody with an operator's or auditor's account, at the overview."""
    if await running.parts.store.account(UserId(name)) is None:
        await running.parts.accounts.add(UserId(name), PASSWORD, operator=not auditor, auditor=auditor)
    context = await browser.new_context(viewport={"width": size[0], "height": size[1]}, locale=locale)
    page = await context.new_page()
    found = Clerk(name, running.operator_url, context, page)
    page.on("pageerror", lambda error: found.said.append(str(error)))
    await page.goto(found.url)
    await found.signs_in()
    await page.locator(".console").wait_for(timeout=WITHIN)
    return found
