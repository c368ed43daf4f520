"""Operators' routes about every call."""

import asyncio
from typing import Any

from tests.signaling.api.conftest import Somebody, World
from tests.signaling.device import Device
from tests.signaling.store.people import ALICE, AT, BOB, BOBS, offered, some_call
from wephone.protocol.reasons import EndReason

CALLS = "/api/operator/calls"


async def test_an_auditor_reads_every_call_once_page_by_page(world: World) -> None:
    store = world.server.parts.store
    talked, refused = offered(decision="D-1"), offered(some_call(), at=AT + 5, decision="D-2")
    await store.offer(talked)
    await store.answer(talked.call, BOBS, AT + 1, 1)
    await store.end(talked.call, EndReason.HANGUP, AT + 9, missed=False)
    await store.refused(refused, EndReason.REFUSED, "+86139••••5678")
    at_once = [offered(at=AT + 2) for _ in range(5)]
    for row in at_once:
        await store.offer(row)
    eyes = await world.auditor()
    found, page = [], "?limit=2"
    while page:
        answer = (await eyes.get(CALLS + page)).json
        found += answer["calls"]
        page = answer["call"] and f"?limit=2&before={answer['before']}&call={answer['call']}"
    assert [each["call"] for each in found] == [
        refused.call,
        *sorted(row.call for row in at_once),
        talked.call,
    ]
    assert found[0]["callee"] == "+86139••••5678" and found[0]["decision"] == "D-2"
    assert found[-1] == {
        "call": talked.call,
        "caller": ALICE,
        "callee": BOB,
        "media": ["audio"],
        "offered_at": AT,
        "answered_at": AT + 1,
        "ended_at": AT + 9,
        "reason": "hangup",
        "missed": False,
        "decision": "D-1",
        "trunk": None,
        "heard": [],
        "forwarded_to": None,
        "forwarded_by": None,
    }


HEARD = {"packets": 500, "lost": 2, "jitter_us": 900}


async def device_of(world: World, name: str) -> Device:
    """A device of a new account."""
    device = Device(world.http, world.callers, name)
    device.token = (await world.user(name)).token or ""
    await device.open()
    return device


async def heard_of(eyes: Somebody, sides: int) -> list[dict[str, Any]]:
    """What the only call's record says of its sound, once so many sides have said it."""
    while True:
        [call] = (await eyes.get(CALLS)).json["calls"]
        if len(call["heard"]) >= sides:
            heard: list[dict[str, Any]] = call["heard"]
            return heard
        await asyncio.sleep(0.01)  # nobody is told when it is written


async def test_both_devices_say_what_they_heard_and_nobody_else_is_believed(world: World) -> None:
    alice, bob, eve = [await device_of(world, name) for name in ("alice", "bob", "eve")]
    eyes = await world.auditor()
    call = await alice.talk_to(bob)
    await eve.say(type="heard", call=call, **HEARD)
    await eve.say(type="heard", call=Device.new_id(), **HEARD)
    await alice.say(type="hangup", call=call)
    await alice.say(type="heard", call=call, rtt_us=41_000, **HEARD)
    await bob.hears("ended")
    await bob.say(type="heard", call=call, **{**HEARD, "packets": 400})
    await bob.say(type="heard", call=call, **HEARD)
    mine, theirs = {"role": "caller", **HEARD, "rtt_us": 41_000}, {"role": "callee", **HEARD, "rtt_us": None}
    assert await heard_of(eyes, 2) == [mine, {**theirs, "packets": 400}]
    assert (await eyes.get(f"{CALLS}/{call}/heard")).json == {"heard": [mine, {**theirs, "packets": 400}]}
    assert (await eyes.get(f"{CALLS}/{Device.new_id()}/heard")).json == {"heard": []}
    for device in (alice, bob, eve):
        # Nothing of it is answered: a text, which is, comes back after no error.
        await device.say(
            type="text", message=Device.new_id(), to="alice" if device is bob else "bob", text="hi"
        )
        await device.hears("text_accepted")
        assert "error" not in device.kinds
        await device.close()
    charts = (await eyes.get("/api/operator/charts?period=hour")).json
    assert charts["app_lost"][-1] == 100 * 4 / 904
    assert (charts["app_jitter"][-1], charts["app_round_trip"][-1]) == (0.9, 41.0)
    assert charts["app_lost"][0] is charts["app_jitter"][0] is charts["jitter"][-1] is None


async def test_what_cannot_have_been_heard_is_answered_with_what_is_wrong(world: World) -> None:
    alice = await device_of(world, "alice")
    for field, value in (("packets", -1), ("lost", 10**9), ("jitter_us", 0.5), ("rtt_us", -1)):
        await alice.say(type="heard", call=Device.new_id(), **{**HEARD, field: value})
        error = await alice.hears("error")
        assert (error["code"], error["field"]) == ("bad_value", field)
    await alice.close()
