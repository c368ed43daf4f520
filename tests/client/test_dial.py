"""A click to call: asked for over HTTP, placed by a device of the account, heard at the other end."""

from wephone.events import EndReason
from wephone.testing.kit import Kit
from wephone.testing.peer import Peer
from wephone.transport import Credentials, Server


async def test_a_device_places_what_was_clicked_and_the_others_need_not_ask(wephone: Kit) -> None:
    desk = await wephone.peer("alice", dials=True)
    pocket = await wephone.peer("alice", dials=True)
    (bob,) = await wephone.peers("bob")
    clicked = await click(wephone, desk, "bob")
    dials = pocket.client.dials()
    asked = await anext(dials)
    assert (asked.call, asked.to) == (clicked["call"], "bob")
    call = desk.client.take(await anext(desk.client.dials()), source=None, sink=None)
    await pocket.client.dial_over(asked)
    await call.connected()
    assert (call.id, bob.talks[0].call.id) == (asked.call, asked.call)
    late = pocket.client.take(asked)
    assert (await late.wait_ended()).error == "id_taken"
    await call.hangup()
    assert (await bob.talks[0].call.wait_ended()).reason is EndReason.HANGUP


async def test_one_that_is_over_before_anybody_was_asked_is_not_given_out(wephone: Kit) -> None:
    alice = await wephone.peer("alice", dials=True)
    first = await click(wephone, alice, "bob")
    await wephone.clock.advance(61)
    second = await click(wephone, alice, "bob")
    dial = await anext(alice.client.dials())
    assert dial.call == second["call"] != first["call"]


async def click(wephone: Kit, peer: Peer, to: str) -> dict[str, object]:
    async with Server(wephone.server.url) as door:
        token = await door.sign_in(Credentials(peer.client.user, wephone.server.password(peer.name)), "")
        return await door.post("/api/calls", {"to": to}, token)
