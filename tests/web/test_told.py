"""A refusal that is told aloud, in the browser app: read at once, heard, and the end as ever."""

import wave
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.async_api import expect

from signaling.ports.legs import Entitlement
from tests.interop.witness import Witness, witness
from tests.signaling.pstn.telephony import BOSS, NUMBER, PERMIT, Trunks
from tests.signaling.pstn.test_heard import TELEPHONE, TONE
from tests.web.conftest import Town
from wephone.protocol.ids import UserId
from wephone.testing.kit import Kit

pytestmark = pytest.mark.long
SECONDS = 6
WHY = "The permit is suspended at this time."


@pytest.fixture
async def phone() -> AsyncIterator[Witness]:
    async with witness() as phone:
        yield phone


@pytest.fixture
def wephone_settings(phone: Witness, tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "trunks.toml").write_text(Trunks().add("one", phone.place).text)
    samples = np.sin(2 * np.pi * TONE * np.arange(SECONDS * TELEPHONE) / TELEPHONE) * 8000
    with wave.open(str(tmp_path / "refused.en.wav"), "wb") as file:
        file.setparams((1, 2, TELEPHONE, 0, "NONE", ""))
        file.writeframes(samples.astype(np.int16).tobytes())
    return {
        "trunks": tmp_path / "trunks.toml",
        "media": "embedded",
        "sip_listen": "127.0.0.1:0",
        "homes": ["DE"],
        "announcements": tmp_path,
        "spoken_refusals": "zh-CN",
    }


async def test_why_a_number_is_not_called_is_read_while_it_is_told_in_the_apps_language(
    town: Town, phone: Witness, wephone: Kit
) -> None:
    alice = await town.member("alice")
    await wephone.permits.add(PERMIT)
    store = wephone.server.running.parts.store
    await store.entitle(UserId("alice"), Entitlement(frozenset({"DE"}), BOSS, 1))
    await alice.page.get_by_role("searchbox").fill(NUMBER)
    await alice.sees("Telephone call to Germany")
    await expect(alice.button("Call")).to_be_enabled()
    await wephone.permits.suspend("basic")
    await alice.button("Call").click()
    await alice.sees(WHY)
    await alice.hears_tone(TONE)
    await expect(alice.button("End")).to_be_visible()
    await alice.sees_no("Carrier announcement")
    await alice.button("End").wait_for(state="detached")
    await alice.sees(WHY)
    assert phone.with_media() == []
