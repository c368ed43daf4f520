"""Telephones in the browser app: keys reach a machine's menu, and nothing is said of them that is not so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from licensing.instant import MILLISECOND
from signaling.clock import SystemClock
from signaling.ports.legs import Entitlement
from signaling.pstn.carrier import Carrier
from signaling.pstn.sip.hop import Transport
from signaling.pstn.sip.sockets import Place
from signaling.pstn.sip.uri import Uri
from tests.signaling.pstn.telephony import BOSS, DID, NUMBER, PERMIT, Trunks
from tests.web.app import WITHIN, Someone
from tests.web.conftest import Town
from wephone.protocol.ids import UserId
from wephone.testing.kit import Kit

MENU = "+49-30-123407"  # hears keys


@dataclass
class Far:
    """The telephone network: its carrier, where it is, and the keys that its menu heard."""

    place: Place
    carrier: Carrier
    keys: "asyncio.Queue[str]" = field(default_factory=asyncio.Queue)


@pytest.fixture
async def far() -> AsyncIterator[Far]:
    heard: asyncio.Queue[str] = asyncio.Queue()
    async with AsyncExitStack() as stack:
        carrier = Carrier(
            SystemClock(),
            {},
            peers=lambda host: True,
            picked_up_after=50 * MILLISECOND,
            keyed=lambda number, keys: heard.put_nowait(keys),
        )
        stack.push_async_callback(carrier.close)
        yield Far(await carrier.listen(Transport.UDP, "127.0.0.1"), carrier, heard)


@pytest.fixture
def wephone_settings(far: Far, tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "trunks.toml").write_text(Trunks().add("one", far.place, dids={DID: "alice"}).text)
    return {
        "trunks": tmp_path / "trunks.toml",
        "media": "embedded",
        "sip_listen": "127.0.0.1:0",
        "homes": ["DE"],
    }


@pytest.fixture
async def alice(town: Town, wephone: Kit) -> Someone:
    """Who may call telephones in Germany, and has a number there."""
    alice = await town.member("alice")
    await wephone.permits.add(PERMIT)
    store = wephone.server.running.parts.store
    await store.entitle(UserId("alice"), Entitlement(frozenset({"DE"}), BOSS, 1))
    return alice


async def test_keys_of_the_screen_and_of_the_keyboard_reach_the_menu_of_a_telephone(
    alice: Someone, far: Far
) -> None:
    await alice.page.get_by_role("searchbox").fill(MENU)
    await alice.sees("Telephone call to Germany")
    await alice.button("Call").click()
    await alice.page.get_by_role("heading", name="+49 30 123407").wait_for()
    await alice.button("Keypad").click()
    keypad = alice.page.get_by_role("group", name="Dial pad")
    for key in "1*0":
        await keypad.get_by_role("button", name=key, exact=True).click()
    await alice.page.keyboard.type("9")
    await expect(alice.page.get_by_label("Keys pressed")).to_have_text("1*09")
    await alice.page.keyboard.type("#")
    assert await asyncio.wait_for(far.keys.get(), WITHIN / 1000) == "1*09#"
    await alice.hears()  # the menu says them back
    await alice.button("End").click()


async def test_a_call_that_is_refused_after_all_says_why_and_by_which_decision(
    alice: Someone, wephone: Kit
) -> None:
    await alice.page.get_by_role("searchbox").fill(MENU)
    await expect(alice.button("Call")).to_be_enabled(timeout=WITHIN)
    await wephone.permits.suspend("basic")
    await alice.button("Call").click()
    await alice.sees("The permit is suspended at this time.")
    decision = await alice.page.get_by_role("dialog").locator("code").text_content()
    assert decision is not None and decision.startswith("D-")
    await expect(alice.button("Call again")).to_have_count(0)
    await alice.button("Search people").click()
    await alice.page.get_by_role("searchbox").fill(MENU)
    await alice.sees("The permit is suspended at this time.")
    await expect(alice.button("Call")).to_be_disabled()


async def test_a_telephone_that_calls_is_shown_as_one(alice: Someone, far: Far, wephone: Kit) -> None:
    sip = wephone.server.running.network
    assert sip is not None and sip.place is not None
    await far.carrier.dial(Uri("sip", sip.place.host, DID, port=sip.place.port), NUMBER)
    ringing = alice.page.get_by_role("alertdialog")
    await ringing.get_by_text("Telephone call").wait_for(timeout=WITHIN)
    await expect(ringing.get_by_role("button", name="Reply with a message")).to_have_count(0)
    await alice.answers()
    await alice.sees("not end-to-end encrypted")
    await alice.button("Keypad").wait_for()
    for name in ("Video on", "Message"):
        await expect(alice.button(name)).to_have_count(0)
    await expect(alice.page.get_by_text("Safety code")).to_have_count(0)
    await alice.button("End").click()
    await alice.button("Close").click()
    await alice.page.get_by_role("link", name="Calls").click()
    await alice.sees("Incoming")
