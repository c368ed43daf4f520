"""An invitation: the link that `wephone user invite` prints opens one account."""

from pathlib import Path

from playwright.async_api import async_playwright

from tests.cli.conftest import Commands
from tests.cli.office import Office
from tests.web.app import PASSWORD, Someone, someone
from tests.web.conftest import FLAGS, program


async def test_the_link_that_is_printed_leads_a_newcomer_in(commands: Commands, tmp_path: Path) -> None:
    office = Office(commands, tmp_path)
    office.environment |= {"WEPHONE_LISTEN": "127.0.0.1:0", "WEPHONE_REGISTRATION": "closed"}
    await office.serve()
    link = (await office.run("user", "invite")).out.splitlines()[0]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program(), args=FLAGS)
        alice = await someone("alice", browser)
        await signs_up(alice, link)
        assert "invitation" not in alice.page.url
        late = await someone("late", browser)
        await late.page.goto(link.replace("#", "#people?"))  # as a program that adds places may write it
        assert await late.page.get_by_label("Invitation").input_value() == link.partition("=")[2]
        assert alice.said == late.said == []
        await browser.close()
    await office.close()


async def signs_up(newcomer: Someone, link: str) -> None:
    """With nothing typed but a name and a password."""
    await newcomer.page.goto(link)
    await newcomer.page.get_by_label("Name").fill(newcomer.name)
    await newcomer.page.get_by_label("Password").fill(PASSWORD)
    await newcomer.button("Create account").click()
    await newcomer.is_connected()
