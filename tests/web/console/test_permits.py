"""An operator finds a permit, suspends it, gives it back; what goes wrong meanwhile is said and done once."""

import csv
import json

import pytest
from playwright.async_api import FilePayload, Route, expect

from tests.signaling.residents import permit_in, permitted
from tests.web.console.conftest import Hire
from tests.web.console.desk import WITHIN, Clerk
from wephone.calls import Call
from wephone.events import Ending
from wephone.protocol.ids import UserId
from wephone.protocol.reasons import EndReason
from wephone.testing.kit import Kit


async def versions(wephone: Kit) -> int:
    """How often the permit was filed or changed."""
    return len(await wephone.permits.register.versions("cn"))


async def test_a_permit_is_suspended_with_its_effect_seen_and_given_back_by_two(
    call: Call, hire: Hire, wephone: Kit
) -> None:
    boss, vera = await hire("boss"), await hire("vera")
    await boss.sees("All permits in force")
    await boss.sees("1 call live")
    await boss.page.get_by_role("link", name="Permits").click()
    await boss.page.get_by_role("link", name="cn").click()
    await boss.button("Suspend").click()
    await boss.sees("Ends 1 call of 2 people within 60 s.")
    assert await versions(wephone) == 1  # nothing is done by looking
    await boss.proves("order of the ministry", "Suspend")
    await boss.sees("Coming to an end: 1 of 1")
    await call.wait_for(Ending)
    await wephone.clock.advance(60)
    assert (await call.wait_ended()).reason is EndReason.LICENCE_WITHDRAWN
    await boss.sees("All 1 have ended")
    await boss.sees("ended after")
    await boss.sees("order of the ministry")
    await boss.button("Reinstate").click()
    await boss.proves("lifted", "Reinstate")
    await boss.sees("You have asked for it.")
    await vera.opens("switches")
    await vera.button("Agree").click()
    await vera.proves("lifted, I have seen the letter", "Agree")
    await boss.page.get_by_text("In force", exact=True).wait_for(timeout=WITHIN)  # by itself
    assert await versions(wephone) == 3


@pytest.mark.long
async def test_a_page_that_is_behind_looks_again_before_anything_is_done(boss: Clerk, wephone: Kit) -> None:
    await permitted(wephone, "CN")
    await boss.opens("permits/cn")
    await boss.button("Suspend").click()
    await boss.sees("No call that runs now is touched.")
    await wephone.permits.toggle("texts", enabled=False, services=("text_app",))
    await boss.proves("a test", "Suspend")
    await boss.sees("Something has changed since you looked.")
    assert await versions(wephone) == 1
    await boss.page.get_by_role("dialog").get_by_role("button", name="Suspend").click()
    await boss.button("Reinstate").wait_for(timeout=WITHIN)
    assert await versions(wephone) == 2


@pytest.mark.long
async def test_a_session_that_ends_in_the_middle_loses_nothing_and_does_nothing(
    boss: Clerk, wephone: Kit
) -> None:
    await permitted(wephone, "CN")
    await boss.opens("permits/cn")
    await boss.button("Suspend").click()
    await boss.sees("No call that runs now is touched.")
    await wephone.server.running.parts.accounts.sign_out_everywhere(UserId("boss"))
    await boss.sees("Your session has ended")
    assert await versions(wephone) == 1
    again = boss.page.get_by_role("dialog", name="Your session has ended")
    await again.get_by_label("Password").fill("correct horse battery")
    await again.get_by_role("button", name="Sign in").click()
    await again.wait_for(state="detached", timeout=WITHIN)
    await boss.proves("a test", "Suspend")
    await boss.button("Reinstate").wait_for(timeout=WITHIN)
    assert await versions(wephone) == 2


@pytest.mark.long
async def test_an_answer_that_is_lost_is_not_taken_for_a_no(boss: Clerk, wephone: Kit) -> None:
    await permitted(wephone, "CN")
    await boss.opens("permits/cn")

    async def swallow(route: Route) -> None:
        await route.fetch()  # it is done; the page never hears of it
        await route.abort()

    await boss.page.route("**/suspend", swallow)
    await boss.button("Suspend").click()
    await boss.proves("a test", "Suspend")
    await boss.sees("No answer came, so it may have been done.")
    await boss.button("Reinstate").wait_for(timeout=WITHIN)  # behind it stands what is true
    await boss.page.unroute("**/suspend")
    await boss.page.get_by_role("dialog").get_by_role("button", name="Suspend").click()
    await boss.page.get_by_role("dialog").get_by_text("all that time already").wait_for(timeout=WITHIN)
    assert await versions(wephone) == 2


@pytest.mark.long
async def test_a_server_that_restarts_after_the_password_was_said_asks_for_it_again(
    boss: Clerk, wephone: Kit
) -> None:
    await permitted(wephone, "CN")
    await boss.opens("permits/cn")

    async def restart(route: Route) -> None:
        await wephone.server.restart()
        await route.continue_()

    await boss.page.route("**/suspend", restart, times=1)
    await boss.button("Suspend").click()
    await boss.proves("a test", "Suspend")
    await boss.sees("Say your password")
    assert await versions(wephone) == 1
    await boss.page.get_by_role("dialog").get_by_role("button", name="Suspend").click()
    await boss.button("Reinstate").wait_for(timeout=WITHIN)
    assert await versions(wephone) == 2


@pytest.mark.long
async def test_a_wrong_password_does_nothing(boss: Clerk, wephone: Kit) -> None:
    await permitted(wephone, "CN")
    await boss.opens("permits/cn")
    await boss.button("Revoke").click()
    dialog = boss.page.get_by_role("dialog")
    await dialog.get_by_label("Why", exact=True).fill("a test")
    await dialog.get_by_label("Your password", exact=True).fill("wrong horse battery")
    await dialog.get_by_role("button", name="Revoke").click()
    await boss.sees("The password is wrong.")
    assert await versions(wephone) == 1


async def test_a_file_with_a_mistake_is_named_with_path_and_value_and_then_taken(
    boss: Clerk, wephone: Kit
) -> None:
    await boss.opens("permits")
    await boss.button("Add a permit").click()
    wrong = {**permit_in("CN"), "valid_until": "2030-02-30"}
    chooser = boss.page.get_by_label("Choose a file of one permit (JSON)")
    for name, text, said in (
        ("broken.json", "{", "broken.json: this is no JSON."),
        ("beijing.json", json.dumps(wrong), "beijing.json: A value cannot be taken."),
    ):
        await chooser.set_input_files(
            FilePayload(name=name, mimeType="application/json", buffer=text.encode())
        )
        await boss.proves("granted", "Add")
        await boss.sees(said)
    await boss.sees("`valid_until`")
    await boss.page.get_by_role("dialog").locator("code").get_by_text("2030-02-30").wait_for(timeout=WITHIN)
    good = json.dumps({**permit_in("CN"), "number": "=1+1"}).encode()
    await chooser.set_input_files(FilePayload(name="good.json", mimeType="application/json", buffer=good))
    await boss.sees("No call that runs now is touched.")
    await boss.proves("granted", "Add")
    await boss.page.get_by_role("heading", name="cn").wait_for(timeout=WITHIN)
    assert await versions(wephone) == 1
    await boss.opens("permits")
    async with boss.page.expect_download() as kept:
        await boss.button("CSV").click()
    [row] = csv.DictReader((await (await kept.value).path()).read_text("utf-8-sig").splitlines())
    assert (row["id"], row["standing"], row["number"]) == ("cn", "in_force", "'=1+1")  # no formula


@pytest.mark.long
async def test_an_auditor_sees_all_and_can_press_nothing(hire: Hire, wephone: Kit) -> None:
    await permitted(wephone, "CN")
    await wephone.permits.suspend("cn")
    await wephone.permits.toggle("texts", enabled=False)
    eyes = await hire("eyes", auditor=True)
    await eyes.sees("Auditor: reads all, changes nothing")
    for place, seen in (("permits", "Suspended"), ("permits/cn", "Versions"), ("switches", "Off")):
        await eyes.opens(place)
        await eyes.sees(seen)
        pressed = eyes.page.locator("main button:not(.plain)").filter(has_not_text="CSV")
        await expect(pressed).to_have_count(0)


@pytest.mark.long
async def test_telephone_calls_are_switched_off_by_one_and_on_by_two(hire: Hire, wephone: Kit) -> None:
    boss, vera = await hire("boss"), await hire("vera")
    await boss.opens("switches")
    await boss.button("Switch off all telephone calls").click()
    await boss.proves("under attack", "Switch off")
    await boss.sees("Off: only emergency calls")
    await vera.sees("Calls with telephones are switched off")
    await boss.button("Switch telephone calls on again").click()
    await boss.proves("it is over", "Switch on")
    await boss.sees("It takes another operator than the one who asked.")
    await vera.opens("switches")
    await vera.button("Agree").click()
    await vera.proves("it is over", "Agree")
    await boss.sees("On, as far as permits allow")
    assert not wephone.permits.register.snapshot.telephone_off


@pytest.mark.long
async def test_a_permit_is_suspended_by_keyboard_alone(boss: Clerk, wephone: Kit) -> None:
    await permitted(wephone, "CN")
    keyboard = boss.page.keyboard

    async def to(name: str) -> None:
        for _ in range(30):
            await keyboard.press("Tab")
            if (
                await boss.page.evaluate(
                    "(document.activeElement.labels?.[0] ?? document.activeElement).textContent.trim()"
                )
                == name
            ):
                return
        raise AssertionError(f"the keyboard does not reach {name}")

    await to("Permits")
    await keyboard.press("Enter")
    await boss.page.locator("a.doc").wait_for(timeout=WITHIN)
    for _ in range(3):  # past the head's buttons
        await keyboard.press("Tab")
    await keyboard.press("Enter")
    await boss.button("Suspend").wait_for(timeout=WITHIN)
    await to("Suspend")
    await keyboard.press("Enter")
    await expect(boss.page.get_by_label("Reference")).to_be_focused(timeout=WITHIN)
    await keyboard.type("MIIT 2026-7")
    await keyboard.press("Escape")  # thought better of it
    await expect(boss.page.get_by_role("dialog")).to_have_count(0)
    assert await versions(wephone) == 1
    await to("Suspend")
    await keyboard.press("Enter")
    await boss.sees("No call that runs now is touched.")
    await to("Why")
    await keyboard.type("a test")
    await to("Your password")
    await keyboard.type("correct horse battery")
    await keyboard.press("Enter")
    await boss.button("Reinstate").wait_for(timeout=WITHIN)
