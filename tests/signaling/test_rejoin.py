"""Devices that come back to another server than the one that they knew."""

from typing import Any

import aiohttp
import pytest

from tests.signaling.device import Device
from wephone.testing.kit import Kit


@pytest.mark.parametrize(
    ("alice_says", "reason"),
    [
        # She heard that it ended, and the server died before it had written that down.
        ({"resume": {"session": "the-session-that-died", "n": 7}}, "hangup"),
        # Her device was started anew, and knows of nothing.
        ({}, "connection_lost"),
    ],
)
async def test_why_a_call_ended_that_one_device_has_no_more(
    wephone: Kit, alice_says: dict[str, Any], reason: str
) -> None:
    await wephone.server.start()
    async with aiohttp.ClientSession() as http:
        alice, bob = [
            await Device.of_new_account(http, wephone.server.url, name, "correct horse battery")
            for name in ("alice", "bob")
        ]
        call = await alice.talk_to(bob)
        await wephone.server.restart()
        await bob.open(calls=[call])
        await alice.open(calls=[], **alice_says)
        ended = await bob.hears("ended")
        assert (ended["call"], ended["reason"]) == (call, reason)
        for device in (alice, bob):
            await device.close()
