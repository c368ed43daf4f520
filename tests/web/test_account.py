"""What people do with their account in the app: names, blocks, another password, an export, its end."""

import json
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.web.app import PASSWORD, WITHIN, Someone
from tests.web.conftest import BOBS_TONE, Town

NEW_PASSWORD = "another horse battery"


async def settings(person: Someone) -> None:
    await person.page.get_by_role("link", name="Settings").click()
    await person.page.get_by_role("heading", name="Where you are signed in").wait_for(timeout=WITHIN)


async def signs_in(person: Someone, password: str) -> None:
    """At the door, with this password."""
    await person.page.get_by_label("Name").fill(person.name)
    await person.page.get_by_label("Password").fill(password)
    await person.button("Sign in").click()


async def test_a_sign_in_is_renamed_the_account_exported_and_the_password_changed(
    town: Town, tmp_path: Path
) -> None:
    alice = await town.member("alice")
    await settings(alice)
    await alice.page.get_by_role("button", name="About Chrome").click()
    await alice.page.get_by_label("Name of this sign-in").fill("Kitchen")
    await alice.button("Save").click()
    await alice.sees("Kitchen (this device)")

    async with alice.page.expect_download() as download:
        await alice.page.get_by_role("link", name="Download what is stored about me").click()
    file = tmp_path / "export.json"
    await (await download.value).save_as(file)
    stored = json.loads(file.read_text())
    assert stored["account"]["name"] == "alice"
    assert [each["label"] for each in stored["sessions"]] == ["Kitchen"]

    await alice.button("Change password").click()
    sheet = alice.page.get_by_role("dialog")
    await sheet.get_by_label("Present password").fill("not this one")
    await sheet.get_by_label("New password").fill(NEW_PASSWORD)
    await sheet.get_by_role("button", name="Save").click()
    await alice.sees("The name or the password is wrong.")
    await sheet.get_by_label("Present password").fill(PASSWORD)
    await sheet.get_by_role("button", name="Save").click()
    await alice.button("I need an account").wait_for(timeout=WITHIN)
    await signs_in(alice, PASSWORD)
    await alice.sees("The name or the password is wrong.")
    await signs_in(alice, NEW_PASSWORD)
    await alice.is_connected()


@pytest.mark.long
async def test_whoever_is_blocked_reaches_nobody_until_unblocked_and_a_closed_account_is_gone(
    town: Town,
) -> None:
    alice, bob = await town.member("alice"), await town.member("bob", BOBS_TONE)
    await alice.page.get_by_role("searchbox").fill("bob")
    await alice.button("Add to people: bob").click()
    await alice.button("About bob").click()
    await alice.button("Block").click()
    await alice.button("Unblock").wait_for(timeout=WITHIN)
    await alice.button("Close").click()
    await bob.calls("alice")
    await bob.sees("cannot be reached now")
    await bob.button("Close").click()
    await settings(alice)
    await alice.button("Unblock").click()
    await alice.sees("Nobody is blocked.")
    await bob.calls("alice")
    await alice.page.get_by_role("alertdialog").wait_for(timeout=WITHIN)
    await alice.button("Decline").click()
    await bob.sees("declined")

    await alice.button("Close account").click()
    sheet = alice.page.get_by_role("dialog")
    await sheet.get_by_label("Password").fill("not this one")
    await sheet.get_by_role("button", name="Close account").click()
    await alice.sees("The name or the password is wrong.")
    await sheet.get_by_label("Password").fill(PASSWORD)
    await sheet.get_by_role("button", name="Close account").click()
    await alice.button("I need an account").wait_for(timeout=WITHIN)
    await signs_in(alice, PASSWORD)
    await alice.sees("The name or the password is wrong.")
    await bob.button("Call again").click()
    await bob.sees("There is no such user.")
    await expect(bob.page.get_by_role("dialog")).to_have_count(1)
