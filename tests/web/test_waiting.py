"""A second call while one runs: nobody talks with two at once; one press changes one for the other."""

import asyncio

from tests.browser.test_browser import hears_tone
from tests.web.conftest import ALICES_TONE, BOBS_TONE, CAROLS_TONE, Town
from wephone.media.devices import Ear, Tone
from wephone.testing.kit import Kit


async def test_a_call_that_waits_is_answered_changed_for_the_other_and_left_again(
    town: Town, wephone: Kit
) -> None:
    alice = await town.member("alice")
    bob, carol = await wephone.peers("bob", "carol", answer=False)
    bobs_ear, carols_ear = Ear(), Ear()
    await alice.page.get_by_role("searchbox").fill("carol")
    await alice.button("Add to people: carol").click()
    await alice.button("About carol").click()
    await alice.page.get_by_label("Your name for them").fill("Auntie")
    await alice.button("Save").click()
    await alice.page.get_by_role("dialog").wait_for(state="detached")  # nothing is typed behind it
    await alice.calls("bob")
    await (await bob.next_call()).answer(Tone(BOBS_TONE), bobs_ear)
    await alice.hears_tone(BOBS_TONE)
    carols = await carol.client.call("alice", source=Tone(CAROLS_TONE), sink=carols_ear)
    await alice.sees("bob is put on hold while you answer")
    await alice.answers()
    await carols.connected()
    await alice.sees("On hold: bob")
    await alice.page.get_by_role("dialog", name="Auntie").wait_for()  # as Alice calls her
    async with asyncio.timeout(20):
        await hears_tone(carols_ear, ALICES_TONE)
    await alice.page.get_by_role("button", name="On hold: bob").click()
    await alice.page.get_by_role("dialog", name="bob").wait_for()
    await alice.sees("On hold: Auntie")
    async with asyncio.timeout(20):
        await hears_tone(bobs_ear, ALICES_TONE)
    await alice.button("End").click()
    await alice.page.get_by_role("dialog", name="Auntie").wait_for()
    await alice.button("Resume").click()
    await alice.sees("00:")
    await carols.hangup()
    await alice.sees("Call ended")
