"""Frames that no honest client sends, from both ends of a call, in whatever state it is."""

import json
import random
from collections.abc import Awaitable, Callable

import pytest

from signaling.api.websocket import MAX_MESSAGE
from tests.protocol.frames import CALL, generated
from tests.signaling.api.conftest import PASSWORD, Begin
from tests.signaling.device import SDP, Device

Reach = Callable[[Device, Device], Awaitable[str]]

FRAMES, ALL_FRAMES = 150, 20_000  # in each state: the fast tier, the long run
BURST = 75  # frames in one call


async def unanswered(alice: Device, bob: Device) -> str:
    """A call that rings."""
    call = await alice.invite(bob.name)
    await bob.hears("incoming")
    return call


async def talking(alice: Device, bob: Device) -> str:
    """A call that is answered."""
    return await alice.talk_to(bob)


async def changing(alice: Device, bob: Device) -> str:
    """A call whose caller has offered a change."""
    call = await alice.talk_to(bob)
    await alice.say(type="negotiate", call=call, kind="offer", round=1, sdp=SDP, media=["audio"], hold=True)
    await bob.hears("negotiate")
    return call


async def over(alice: Device, bob: Device) -> str:
    """A call that has ended."""
    call = await alice.talk_to(bob)
    await bob.say(type="hangup", call=call, reason="hangup")
    await alice.hears("ended")
    return call


def aimed(dice: random.Random, call: str) -> str:
    """A generated frame, most often about this call; none so long that it ends a connection."""
    frame = generated(dice)
    text = frame.decode(errors="replace") if isinstance(frame, bytes) else frame
    text = text.replace(CALL, call) if dice.random() < 0.8 else text
    return text if len(text.encode()) <= MAX_MESSAGE else aimed(dice, call)


async def errors_until_quiet(device: Device) -> int:
    """How many errors it has heard when all that it sent before has been answered."""
    ref = len(device.heard) + 1_000_000
    await device.say(type="delivered", call=device.new_id(), ref=ref)
    while (await device.hears("error")).get("ref") != ref:
        pass
    return device.kinds.count("error") - 1


@pytest.mark.parametrize("state", [unanswered, talking, changing, over])
async def test_bad_frames_are_one_error_each_and_the_next_call_works(
    state: Reach, begin: Begin, dice: random.Random, full_size: bool, caplog: pytest.LogCaptureFixture
) -> None:
    world = await begin(limits=False)
    for turn in range((ALL_FRAMES if full_size else FRAMES) // BURST):
        names = f"alice{turn}", f"bob{turn}"
        alice, bob = [
            await Device.of_new_account(world.http, world.callers, name, PASSWORD) for name in names
        ]
        call = await state(alice, bob)
        sent = {alice: 0, bob: 0}
        for _ in range(BURST):
            device = dice.choice((alice, bob))
            await device.socket.send_str(aimed(dice, call))
            sent[device] += 1
        for device in (alice, bob):
            assert 0 < await errors_until_quiet(device) <= sent[device]
        await alice.say(type="hangup", call=call, reason="hangup")
        following = await alice.invite(bob.name)
        while (await bob.hears("incoming"))["call"] != following:
            pass
        await alice.say(type="hangup", call=following, reason="hangup")
        for device in (alice, bob):
            await device.close()
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []  # nothing unforeseen
    assert json.loads((await world.stranger().get("/readyz")).text)
