"""Operators see how each end of a running call sounds: by the bridge's count, or by its device's word."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from signaling.media import Statistics, Tally
from signaling.pstn import figures
from tests.signaling.device import Device
from tests.signaling.pstn.telephony import NUMBER, Office, calling

HEARD = {"packets": 970, "lost": 30, "jitter_us": 900}


async def qualities(here: Office, query: str = "") -> list[list[Any]]:
    """Of both ends of each call that is listed."""
    calls = (await here.operator("GET", f"live?{query}"))["calls"]
    return [[leg["quality"] for leg in call["legs"]] for call in calls]


async def say(device: Device, call: str, to: str, **heard: Any) -> None:
    """A word on a call that runs; over once the server has it."""
    await device.say(type="heard", call=call, so_far=True, **heard)
    await device.say(type="text", message=Device.new_id(), to=to, text="which comes after it")
    await device.hears("text_accepted")


async def see_without_bridge(here: Office, leg: str, patch: pytest.MonkeyPatch) -> None:
    """It is asked about the legs of the page alone, and nobody waits for its answer."""
    asked = []

    async def silent(leg: str) -> Statistics:
        asked.append(leg)
        await asyncio.Event().wait()
        raise AssertionError("nothing is said")

    patch.setattr(figures, "PATIENCE", 0.01)
    patch.setattr(here.relay, "statistics", silent)
    for query, listed in (("quality=false", 1), ("user=nobody", 0), ("skip=1", 0)):
        assert await qualities(here, query) == [[None, None]] * listed
        assert asked == []
    assert await qualities(here, "limit=1") == [[None, None]]
    assert asked == [leg]


async def test_both_ends_are_judged_and_a_bridge_that_does_not_answer_keeps_nobody_from_the_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with calling(tmp_path) as (phone, here, alice):
        call = await alice.invite(NUMBER)
        invite = await phone.hear("INVITE")
        assert await qualities(here) == [[None, None]]
        phone.answer(invite, "200 OK", sdp=True)
        await phone.hear("ACK")
        await alice.hears("answered")
        [(leg, sound)] = here.relay.legs.items()
        with monkeypatch.context() as patch:
            await see_without_bridge(here, leg, patch)
        sound.tallies["app"] = Tally(received=700, jitter=0.0031, round_trip=0.041)
        sound.tallies["trunk"] = Tally(received=600, lost=100, jitter=0.02)
        bob = await here.person("bob")
        talk = await bob.talk_to(alice)
        await say(bob, talk, "alice", **HEARD, rtt_us=200_001)
        await say(alice, call, "bob", **HEARD)  # a telephone call's are counted here
        by_bridge = {"by": "bridge", "packets": 700, "lost": 0, "jitter_us": 3_100, "rtt_us": 41_000}
        of_trunk = {"by": "bridge", "packets": 600, "lost": 100, "jitter_us": 20_000, "rtt_us": None}
        by_device = {"by": "device", **HEARD, "rtt_us": 200_001}
        assert await qualities(here) == [
            [{**by_bridge, "rating": "good"}, {**of_trunk, "rating": "poor"}],
            [{**by_device, "rating": "fair"}, None],
        ]
        # What is said while a call runs is written nowhere.
        assert await here.operator("GET", f"calls/{talk}/heard") == {"heard": []}
