"""Operators' routes about every call."""

from tests.signaling.api.conftest import World
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
        "forwarded_to": None,
        "forwarded_by": None,
    }
