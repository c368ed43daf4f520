"""Calls with telephones are among those that operators see running, may end, and are warned about."""

import asyncio
import secrets
from pathlib import Path
from typing import Any

from tests.signaling.device import SDP
from tests.signaling.pstn.telephony import (
    DID,
    Office,
    answered,
    calling,
    request,
)


async def listed(here: Office) -> dict[str, Any]:
    """The one call that runs, once a telephone is an end of it."""
    while True:
        calls = (await here.operator("GET", "live"))["calls"]
        if calls:
            [call] = calls
            return dict(call)
        await asyncio.sleep(0.02)


async def winding(here: Office) -> None:
    """Once a call has lost its permit."""
    while True:
        if (await here.operator("GET", "live?winding=true"))["of"]:
            return
        await asyncio.sleep(0.02)


def ends(call: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(leg["role"], leg["kind"], leg["who"]) for leg in call["legs"]]


async def test_a_call_to_a_telephone_is_listed_counted_and_ended(tmp_path: Path) -> None:
    async with calling(tmp_path) as (phone, here, alice):
        call, _ = await answered(alice, phone)
        found = await listed(here)
        assert (found["call"], found["service"], found["permits"]) == (call, "pstn_out", ["basic@1"])
        [app, telephone] = ends(found)
        assert app == ("caller", "app", "alice")
        assert telephone[:2] == ("callee", "pstn") and "*" in telephone[2]
        supposed = await here.operator("POST", "suppose", {"suspend": ["basic"], "entries": 0})
        lost = supposed["now"]
        assert (lost["lost"], lost["seconds"], lost["calls"][0]["users"]) == (1, 60, ["alice", telephone[2]])
        for query, count in (("user=alice", 1), ("service=app_voice", 0), ("winding=true", 0)):
            assert (await here.operator("GET", f"live?{query}"))["of"] == count
        await here.operator("POST", "permits/basic/suspend", {"why": "a test"})
        await winding(here)
        supposed = await here.operator("POST", "suppose", {"reinstate": ["basic"], "entries": 0})
        assert (supposed["now"]["lost"], supposed["now"]["regained"]) == (0, 1)
        await here.operator("POST", f"live/{call}/cut", {"why": "a nuisance"})
        phone.answer(await phone.hear("BYE"), "200 OK")
        assert (await alice.hears("ended"))["reason"] == "hangup"
        assert (await here.operator("GET", "live"))["calls"] == []


async def test_a_call_from_a_telephone_is_listed_with_its_number_as_the_caller(tmp_path: Path) -> None:
    async with calling(tmp_path, dids={DID: "alice"}) as (phone, here, alice):
        phone.send(request("INVITE", here.sip, phone.place), here.sip)
        call = (await alice.hears("incoming"))["call"]
        await alice.say(type="alerting", call=call)
        await alice.say(type="answer", call=call, sdp=SDP, nonce=secrets.token_hex(32))
        await phone.hear("SIP/2.0 200")
        [telephone, app] = ends(await listed(here))
        assert app == ("callee", "app", "alice")
        assert telephone[:2] == ("caller", "pstn") and "*" in telephone[2]
        await alice.say(type="hangup", call=call)
        await alice.hears("ended")
