"""A call is handed over between real clients: the sound goes on with somebody else."""

import asyncio

import pytest

from wephone.errors import NotPossible
from wephone.events import EndReason, TransferFailed
from wephone.media.devices import Silence
from wephone.testing.kit import Kit


async def test_two_who_talked_with_the_first_talk_with_each_other(wephone: Kit) -> None:
    alice, bob, carol = await wephone.peers("alice", "bob", "carol")
    call = await alice.call("bob")
    await call.connected()
    ended = await call.transfer("carol")
    assert (ended.reason, ended.by) == (EndReason.TRANSFERRED, "caller")
    theirs = bob.talks[0].call
    assert (await theirs.wait_ended()).reason is EndReason.TRANSFERRED
    new = theirs.replacement
    assert new is not None and (new.peer, new.replaces) == ("carol", theirs)
    await new.connected()
    assert carol.talks[0].call.id == new.id
    assert await new.verified() == await carol.talks[0].call.verified()
    await new.hangup()


async def test_a_call_that_is_not_handed_over_goes_on_and_says_why(wephone: Kit) -> None:
    alice, bob = await wephone.peers("alice", "bob")
    (carol,) = await wephone.peers("carol", answer=False)
    call = await alice.call("bob")
    await call.answered()
    for to, why in (("+12025550123", "permit"), ("alice", "yourself"), ("nobody", "no such user")):
        with pytest.raises(NotPossible, match=why):
            await call.transfer(to)
    handing = asyncio.create_task(call.transfer("carol"))
    await (await carol.next_call()).reject(EndReason.BUSY)
    with pytest.raises(NotPossible, match="another call"):
        await handing
    theirs = bob.talks[0].call
    assert theirs.ended is None and theirs.state == "active"
    assert call.find(TransferFailed) == TransferFailed(call.id, EndReason.BUSY)
    await call.hangup()


async def test_devices_go_over_to_the_new_call_when_the_first_has_let_go_of_them(wephone: Kit) -> None:
    alice, carol = await wephone.peers("alice", "carol")
    (bob,) = await wephone.peers("bob", answer=False)
    call = await alice.call("bob")
    microphone = Counted()
    theirs = await bob.next_call()
    await theirs.answer(source=microphone)
    await theirs.connected()
    await call.transfer("carol")
    assert theirs.replacement is not None
    await theirs.replacement.connected()
    await theirs.replacement.hangup()
    assert theirs.replacement.sound is not None
    await theirs.replacement.sound.closed.wait()
    assert microphone.told == ["open", "close", "open", "close"]
    await carol.talks[0].call.wait_ended()


async def test_two_with_whom_the_first_talks_are_put_through_to_each_other(wephone: Kit) -> None:
    alice, bob, carol = await wephone.peers("alice", "bob", "carol")
    with_bob = await alice.call("bob")
    await with_bob.connected()
    await with_bob.hold()
    with_carol = await alice.call("carol")
    await with_carol.connected()
    ended = await with_bob.transfer(with_carol)
    assert (ended.reason, (await with_carol.wait_ended()).reason) == (EndReason.TRANSFERRED,) * 2
    bobs, carols = bob.talks[0].call.replacement, carol.talks[0].call.replacement
    assert bobs is not None and carols is not None and bobs.id == carols.id
    assert (bobs.peer, carols.peer, carols.replaces) == ("carol", "bob", carol.talks[0].call)
    await bobs.connected()
    assert await bobs.verified() == await carols.verified()
    await bobs.hangup()


async def test_one_who_has_put_the_other_aside_is_asked_before_anybody_is_put_through(wephone: Kit) -> None:
    alice, _bob = await wephone.peers("alice", "bob")
    (carol,) = await wephone.peers("carol", answer=False)
    with_bob, with_carol = await alice.call("bob"), await alice.call("carol")
    carols = await carol.next_call()
    await carols.answer()
    await carols.connected()
    await with_bob.connected()
    await carols.hold()
    putting_through = asyncio.create_task(with_bob.transfer(with_carol))
    await (await carol.next_call()).reject()
    with pytest.raises(NotPossible, match="declined"):
        await putting_through
    assert {with_bob.state, with_carol.state, carols.state} == {"active"}
    await with_carol.hangup()
    with pytest.raises(NotPossible, match="ended cannot be handed over"):
        await with_bob.transfer(with_carol)
    await with_bob.hangup()


class Counted(Silence):
    """A device that can be open once."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def open(self) -> None:
        self.told.append("open")

    def close(self) -> None:
        self.told.append("close")
