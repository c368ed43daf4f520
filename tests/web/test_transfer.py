"""A call is handed over: by somebody at a browser, and to somebody at one, who then talk with others."""

import asyncio

import pytest

from tests.browser.test_browser import hears_tone
from tests.web.app import WITHIN
from tests.web.conftest import ALICES_TONE, BOBS_TONE, CAROLS_TONE, Town
from wephone.calls import Call
from wephone.errors import NotPossible
from wephone.media.devices import Ear, Tone
from wephone.testing.kit import Kit
from wephone.testing.peer import Peer


async def rings(peer: Peer) -> Call:
    """The next call to them."""
    return await asyncio.wait_for(peer.next_call(), WITHIN / 1000)


async def test_whoever_is_handed_over_talks_with_the_other_and_who_hands_over_is_out(
    town: Town, wephone: Kit
) -> None:
    alice = await town.member("alice")
    bob, carol = await wephone.peers("bob", "carol", answer=False)
    ear = Ear()
    await alice.calls("bob")
    bobs = await rings(bob)
    await bobs.answer(Tone(BOBS_TONE), ear)
    await alice.hears_tone(BOBS_TONE)
    await alice.button("Transfer").first.click()
    await alice.page.get_by_label("Transfer to").fill("carol")
    await alice.page.locator(".sheet").get_by_role("button", name="Transfer").click()
    await alice.sees("Handing over to")
    carols = await rings(carol)
    assert carols.peer == "bob"
    carols.decline()
    await alice.sees("The call was not handed over.")
    await alice.hears_tone(BOBS_TONE)
    await alice.button("Transfer").first.click()
    await alice.page.get_by_label("Transfer to").fill("carol")
    await alice.page.locator(".sheet").get_by_role("button", name="Transfer").click()
    carols = await rings(carol)
    await carols.answer(Tone(CAROLS_TONE), Ear())
    await alice.sees("The call was handed over.")
    assert bobs.replacement is not None
    await bobs.replacement.hangup()


async def test_two_with_whom_somebody_talks_are_connected_with_each_other(town: Town, wephone: Kit) -> None:
    alice, carol = await town.member("alice"), await town.member("carol", CAROLS_TONE)
    (bob,) = await wephone.peers("bob")
    await alice.calls("carol")
    await carol.answers()
    await alice.hears_tone(CAROLS_TONE)
    bobs = await bob.client.call("alice", source=Tone(BOBS_TONE), sink=Ear())
    await alice.answers()
    await bobs.connected()
    connect = alice.page.get_by_role("button", name="Connect them")
    await connect.wait_for(timeout=WITHIN)
    await connect.press("Enter")
    await alice.sees("The call was handed over.")
    await carol.page.get_by_role("dialog", name="bob").wait_for(timeout=WITHIN)
    await carol.hears_tone(BOBS_TONE)
    assert bobs.replacement is not None and bobs.replacement.peer == "carol"
    assert await alice.page.get_by_role("dialog").count() <= 1, "that both calls are over is said once"
    await carol.button("End").click()
    assert (await bobs.replacement.wait_ended()).reason == "hangup"


async def test_a_browser_whose_call_is_handed_over_goes_along_and_comes_back_if_nobody_answers(
    town: Town, wephone: Kit
) -> None:
    alice = await town.member("alice")
    bob, carol = await wephone.peers("bob", "carol", answer=False)
    await alice.calls("bob")
    bobs = await rings(bob)
    await bobs.answer(Tone(BOBS_TONE), Ear())
    await alice.hears_tone(BOBS_TONE)
    for answers in (False, True):
        handing = asyncio.create_task(bobs.transfer("carol"))
        carols = await rings(carol)
        assert carols.peer == "alice"
        await alice.page.get_by_role("dialog", name="carol").wait_for(timeout=WITHIN)
        if answers:
            break
        carols.decline()
        with pytest.raises(NotPossible):
            await handing
        await alice.hears_tone(BOBS_TONE)
    ear = Ear()
    await carols.answer(Tone(CAROLS_TONE), ear)
    assert (await handing).reason == "transferred"
    await alice.hears_tone(CAROLS_TONE)
    await hears_tone(ear, ALICES_TONE)
    await alice.button("End").click()
