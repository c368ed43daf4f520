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


class Counted(Silence):
    """A device that can be open once."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def open(self) -> None:
        self.told.append("open")

    def close(self) -> None:
        self.told.append("close")
