"""A permit is suspended while telephone and apps talk, and are seen to be heard: the telephone call ends in
time, the apps go on."""

import csv
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from signaling.media import Tally
from tests.interop.witness import Witness, witness
from tests.signaling.device import Device
from tests.signaling.pstn.telephony import NUMBER, Office, Trunks, office
from tests.web.console.desk import WITHIN, clerk

ALLOWED = 3  # seconds, of a call that has lost its permit


@pytest.fixture
async def phone() -> AsyncIterator[Witness]:
    async with witness() as found:
        yield found


@pytest.fixture
async def here(phone: Witness, tmp_path: Path) -> AsyncIterator[Office]:
    """A trunk to the phone, and a permit for calls to it."""
    async with office(tmp_path, Trunks().add("one", phone.place), on_loss_suspended=ALLOWED) as found:
        phone.answer(await phone.hear("OPTIONS"), "200 OK")
        await found.permit()
        yield found


async def rung_up(alice: Device, phone: Witness) -> str:
    """A call from an app to the phone, answered."""
    call = await alice.invite(NUMBER)
    phone.answer(await phone.hear("INVITE"), "200 OK", sdp=True)
    await alice.hears("answered")
    return call


async def test_of_a_telephone_and_an_app_call_the_right_one_ends_in_its_time(
    here: Office, phone: Witness, browser: Browser
) -> None:
    alice, bob, carol = [await here.person(name) for name in ("alice", "bob", "carol")]
    await rung_up(alice, phone)
    talk = await bob.talk_to(carol)
    [sound] = here.relay.legs.values()
    sound.tallies["app"] = Tally(received=998, lost=2, jitter=0.003)
    sound.tallies["trunk"] = Tally(received=80, lost=20, jitter=0.021, round_trip=0.3)
    await bob.say(type="heard", call=talk, so_far=True, packets=960, lost=40, jitter_us=9_000)
    boss = await clerk(here.server, browser, "boss")
    await boss.sees("2 calls live")
    await boss.opens("live")
    await expect(boss.page.get_by_role("row").filter(has_text="talking")).to_have_count(2, timeout=WITHIN)
    await boss.sees("Call to a telephone")
    rows = boss.page.get_by_role("row")
    for who, ends in (
        ("alice", ["Caller: good 0.2 % lost, jitter 3 ms",
                   "Callee: poor 20 % lost, jitter 21 ms, round trip 300 ms"]),
        ("bob", ["Caller's device says: fair 4 % lost, jitter 9 ms", "Callee: not known so far"]),
    ):  # fmt: skip
        await expect(rows.filter(has_text=who).locator(".sounds p")).to_have_text(ends)
    async with boss.page.expect_download() as kept:
        await boss.button("CSV").click()
    saved = csv.DictReader((await (await kept.value).path()).read_text("utf-8-sig").splitlines())
    by_telephone, by_app = [[row[f"{end}_sound_rating"] for end in ("caller", "callee")] for row in saved]
    assert (by_telephone, by_app) == (["good", "poor"], ["fair", ""])
    await boss.opens("permits/basic")
    await boss.button("Suspend").click()
    await boss.sees(f"Ends 1 call of 2 people within {ALLOWED} s.")
    await boss.proves("order of the ministry", "Suspend")
    phone.answer(await phone.hear("BYE"), "200 OK")
    assert (await alice.hears("ended"))["reason"] == "licence_withdrawn"
    ended = boss.page.locator("li").filter(has_text="alice").get_by_text(re.compile(r"ended after (\d+)\ss"))
    await ended.wait_for(timeout=WITHIN)
    [took] = re.findall(r"ended after (\d+)\ss", await ended.inner_text())
    assert int(took) >= ALLOWED - 1  # and how much later the page hears of it, a busy machine says
    await boss.opens("live")
    await expect(boss.page.get_by_role("row").filter(has_text="talking")).to_have_count(1, timeout=WITHIN)
    await boss.sees("carol")
    assert "ended" not in carol.kinds
    assert boss.said == []
