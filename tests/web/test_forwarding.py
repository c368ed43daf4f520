"""Calls that go on to somebody else: who is called says where to, and both ends see it."""

from signaling.core.forwarding import Forwarding
from tests.web.app import WITHIN
from tests.web.conftest import Town
from wephone.protocol.ids import UserId
from wephone.testing.kit import Kit


async def test_calls_go_on_to_whom_their_owner_names_and_callers_see_to_whom(
    town: Town, wephone: Kit
) -> None:
    alice = await town.member("alice")
    bob, carol = await wephone.peers("bob", "carol", answer=False)
    await alice.page.get_by_role("link", name="Settings").click()
    await alice.button("Change").click()
    everything = alice.page.get_by_label("All calls")
    await everything.fill("alice")
    await alice.button("Save").click()
    await alice.sees("That is you.")
    await everything.fill("carol")
    await alice.button("Save").click()
    await alice.page.get_by_role("dialog").wait_for(state="detached", timeout=WITHIN)
    await alice.sees("All calls: carol")
    await bob.client.call("alice")
    call = await carol.next_call()
    assert call.peer == "bob"
    call.decline()

    await wephone.server.running.parts.store.set_forwarding(UserId("bob"), Forwarding(always="carol"))
    await alice.page.get_by_role("link", name="People").click()
    await alice.calls("bob")
    await alice.sees("Forwarded to: carol")
    (await carol.next_call()).decline()
    await alice.sees("declined")
