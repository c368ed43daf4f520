"""What a telephone network sends before the answer, in the browser app: heard, named, and no talk yet."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from signaling.ports.legs import Entitlement
from tests.interop.witness import Witness, witness
from tests.signaling.pstn.media.ends import Far, open_wire
from tests.signaling.pstn.telephony import BOSS, NUMBER, PERMIT, Trunks
from tests.signaling.pstn.test_early import PITCH, rung, tone
from tests.web.app import Someone
from tests.web.conftest import Town
from wephone.protocol.ids import UserId
from wephone.testing.kit import Kit


@pytest.fixture
async def phone() -> AsyncIterator[Witness]:
    async with witness() as phone:
        yield phone


@pytest.fixture
def wephone_settings(phone: Witness, tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "trunks.toml").write_text(Trunks().add("one", phone.place).text)
    return {
        "trunks": tmp_path / "trunks.toml",
        "media": "embedded",
        "sip_listen": "127.0.0.1:0",
        "homes": ["DE"],
    }


async def dialled(town: Town, phone: Witness, wephone: Kit) -> Someone:
    """Alice, whose call is on its way to the carrier."""
    phone.answer(await phone.hear("OPTIONS"), "200 OK")
    alice = await town.member("alice")
    await wephone.permits.add(PERMIT)
    store = wephone.server.running.parts.store
    await store.entitle(UserId("alice"), Entitlement(frozenset({"DE"}), BOSS, 1))
    await alice.page.get_by_role("searchbox").fill(NUMBER)
    await alice.sees("Telephone call to Germany")
    await alice.button("Call").click()
    return alice


async def test_who_is_promised_sound_and_gets_none_hears_that_it_rings_until_there_is_some(
    town: Town, phone: Witness, wephone: Kit
) -> None:
    alice, far = await dialled(town, phone, wephone), Far(await open_wire())
    invite = await rung(phone, far)
    await alice.sees("Delivered")
    while not await alice.page.evaluate("window.tones"):
        await alice.page.wait_for_timeout(50)
    await alice.sees_no("Carrier announcement")
    async with tone(far):
        await alice.sees("Carrier announcement")
        before = await alice.page.evaluate("window.tones")
        await alice.page.wait_for_timeout(4_100)  # it would sound again by now
        assert await alice.page.evaluate("window.tones") == before
    phone.answer(invite, "486 Busy Here")
    await phone.hear("ACK")
    far.close()


async def test_a_caller_hears_the_carrier_before_the_answer_and_sees_that_it_still_rings(
    town: Town, phone: Witness, wephone: Kit
) -> None:
    alice, far = await dialled(town, phone, wephone), Far(await open_wire())
    invite = await rung(phone, far)
    phone.answer(invite, "180 Ringing")
    async with tone(far):
        await alice.sees("Carrier announcement")
        await alice.sees("Ringing")
        await alice.hears_tone(PITCH)
        await expect(alice.page.get_by_role("timer")).to_have_count(0)
        assert far.packets == [], "the microphone is open, and nobody is to hear it"
    phone.answer(invite, "200 OK", sdp=far.describe())
    await alice.page.get_by_role("timer").wait_for()
    await alice.sees_no("Carrier announcement")
    await far.wire.until(5)
    await alice.button("End").click()
    phone.answer(await phone.hear("BYE"), "200 OK")
    far.close()
