"""A call that nobody takes, at a page that is open all the while."""

from tests.web.app import WITHIN
from tests.web.conftest import BOBS_TONE, Town
from wephone.media.devices import Ear, Tone
from wephone.testing.kit import Kit


async def test_a_missed_call_says_so_and_can_be_called_back(town: Town, wephone: Kit) -> None:
    alice = await town.member("alice")
    (bob,) = await wephone.peers("bob", answer=False)
    call = await bob.client.call("alice", source=Tone(BOBS_TONE), sink=Ear())
    await alice.page.get_by_role("alertdialog").wait_for(timeout=WITHIN)
    await call.hangup()
    await alice.sees("Missed call")
    await alice.sees_no("Call ended")
    await alice.page.get_by_role("dialog", name="bob").wait_for()
    await alice.button("Call back").click()
    await (await bob.next_call()).answer(Tone(BOBS_TONE), Ear())
    await alice.hears_tone(BOBS_TONE)
    await alice.button("End").click()
    await alice.button("Close").click()
    await alice.page.get_by_role("link", name="1 missed").click()
    await alice.sees("Missed")
