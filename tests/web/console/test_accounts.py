"""Accounts, what would have been decided otherwise, and the settings, as an operator finds them."""

import pytest

from tests.web.console.desk import WITHIN, Clerk
from wephone.calls import Call
from wephone.protocol.ids import UserId
from wephone.testing.kit import Kit


async def test_an_account_is_disabled_and_past_calls_are_asked_again(
    call: Call, boss: Clerk, wephone: Kit
) -> None:
    await boss.page.get_by_role("link", name="Accounts").click()
    await boss.page.get_by_role("link", name="bob").click()
    await boss.sees("Verified")
    await boss.button("Disable").click()
    dialog = boss.page.get_by_role("dialog")
    await dialog.get_by_label("Your password", exact=True).fill("correct horse battery")
    await dialog.get_by_role("button", name="Disable").click()
    await boss.sees("Disabled")
    await boss.sees("This account may call no telephone.")
    await boss.button("Allow").click()
    await dialog.get_by_label("To these countries").fill("de, at")
    await dialog.get_by_label("Calls an hour").fill("7")
    await dialog.get_by_label("Your password", exact=True).fill("correct horse battery")
    await dialog.get_by_role("button", name="Allow").click()
    await boss.sees("0 of 7 used")
    await boss.sees("AT, DE")
    accounts = {
        each.user: each.disabled for each in await wephone.server.running.parts.store.accounts_from("", 100)
    }
    assert accounts[UserId("bob")] and not accounts[UserId("alice")]
    await boss.page.get_by_role("link", name="What if").click()
    await boss.button("Find out").click()
    await boss.sees("1 decision decided again: 1 would be refused, 0 more allowed.")
    assert len(await wephone.permits.register.versions("cn")) == 1


@pytest.mark.long
async def test_settings_are_shown_with_their_source(boss: Clerk) -> None:
    await boss.page.get_by_role("link", name="Settings").click()
    row = boss.page.get_by_role("row").filter(has_text="legal_entity")
    await row.get_by_text("Example Telecom").wait_for(timeout=WITHIN)
    await row.get_by_text("file", exact=True).wait_for(timeout=WITHIN)
